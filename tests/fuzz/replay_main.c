/*
 * The corpus as an ordinary test: a main() for a fuzz target where libFuzzer
 * is not there. Feeds every file of the directories it is given, then each
 * file cut off at every length and with single bits flipped.
 *
 * Not a fuzzer: the same inputs in the same order on every run, so a failure
 * is the program's. Each input lies in a block of exactly its size, so that
 * AddressSanitizer sees the first byte read too many.
 *
 * Runs in: replay_<stem>, single-threaded.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds the run on a large seed: beyond it, flips and cuts are spread evenly
 * over the file instead of standing at each bit and offset. */
#define REPLAY_MUTATIONS_MAX 4096

/* A seed is a sample, not a load test. */
#define REPLAY_FILE_BYTES_MAX (256L * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs_run;

static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size);

	if (exact == NULL && size > 0) {
		perror("replay");
		exit(1);
	}
	if (size > 0)
		memcpy(exact, data, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs_run++;
}

static void
feed_cut(const uint8_t *data, size_t size)
{
	const size_t step = size / REPLAY_MUTATIONS_MAX + 1;

	for (size_t length = 0; length < size; length += step)
		feed(data, length);
}

static void
feed_flipped(uint8_t *data, size_t size)
{
	const size_t bits = size * 8;
	/* Odd, so that every bit of a byte has its turn. */
	const size_t step = (bits / REPLAY_MUTATIONS_MAX) | 1;

	for (size_t bit = 0; bit < bits; bit += step) {
		const uint8_t mask = (uint8_t)(1U << (bit % 8));

		data[bit / 8] ^= mask;
		feed(data, size);
		data[bit / 8] ^= mask;
	}
}

/* The whole file, malloc'd; ends the program where it cannot be read. */
static uint8_t *
read_file(const char *path, size_t *size_r)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	data = malloc(REPLAY_FILE_BYTES_MAX);
	if (data == NULL) {
		perror(path);
		exit(1);
	}
	*size_r = fread(data, 1, REPLAY_FILE_BYTES_MAX, file);
	if (ferror(file) || fgetc(file) != EOF) {
		fprintf(stderr, "%s: unreadable, or over %ld bytes\n", path,
		    REPLAY_FILE_BYTES_MAX);
		exit(1);
	}
	fclose(file);
	return data;
}

static void
replay_file(const char *path)
{
	size_t size;
	uint8_t *data = read_file(path, &size);

	feed(data, size);
	feed_cut(data, size);
	feed_flipped(data, size);
	free(data);
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
replay_directory(const char *directory)
{
	struct dirent **entries;
	const int count = scandir(directory, &entries, is_seed, alphasort);

	if (count < 0) {
		perror(directory);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(
		    path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		replay_file(path);
		free(entries[i]);
	}
	free(entries);
	printf("%s: %d seeds, %lu inputs\n", directory, count, inputs_run);
	if (count == 0)
		fprintf(stderr, "%s: a corpus needs a seed\n", directory);
	return count == 0;
}

int
main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++)
		failed |= replay_directory(argv[i]);
	return failed;
}
