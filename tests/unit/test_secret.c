/* Secrets: comparison, and the rules for files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/secret.h"

static char directory[] = "/tmp/test_secret.XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static unsigned
files_left(void)
{
	DIR *dir = opendir(directory);
	unsigned count = 0;
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2; /* . and .. */
}

static void
make_file(const char *name, size_t len, mode_t mode)
{
	FILE *file = fopen(path_of(name), "we");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		(void)fputc('s', file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(name), mode), 0);
}

static void
expect_refused(const char *name, enum err expected)
{
	struct err_detail detail = {.text = ""};
	struct secret *secret = NULL;

	assert_int_equal(
	    secret_read_file(path_of(name), 64, &secret, &detail), expected);
	assert_null(secret);
	assert_non_null(strstr(detail.text, name));
	(void)unlink(path_of(name));
}

static void
bytes_are_copied(void **state)
{
	char bytes[] = "secret";
	struct secret *secret = secret_new(span_of(bytes, 6));
	struct secret *empty = secret_new(span_of("", 0));

	(void)state;
	bytes[0] = 'X';
	assert_true(span_is(secret_bytes(secret), "secret"));
	assert_int_equal(secret_bytes(empty).len, 0);
	assert_true(span_present(secret_bytes(empty)));
	secret_free(secret);
	secret_free(empty);
	secret_free(NULL);
	secret_wipe(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], 0);
	secret_wipe(NULL, 0);
}

static void
equality(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	memset(a, 0x5A, sizeof a);
	memcpy(b, a, sizeof b);
	assert_true(secret_equal(span_of(a, 32), span_of(b, 32)));
	assert_false(secret_equal(span_of(a, 32), span_of(b, 31)));
	for (size_t bit = 0; bit < sizeof b * 8; bit++) {
		b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1U << bit % 8);
		assert_false(secret_equal(span_of(a, 32), span_of(b, 32)));
		b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1U << bit % 8);
	}
	assert_true(secret_equal(span_str(""), span_str("")));
	assert_false(secret_equal(span_str(NULL), span_str(NULL)));
	assert_false(secret_equal(span_str(NULL), span_str("")));
}

static void
files_are_written_and_read(void **state)
{
	struct err_detail detail = {.text = ""};
	struct secret *secret = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(
	    secret_write_file(path_of("key"), span_of("a\0b\n", 4), &detail),
	    OK);
	assert_int_equal(stat(path_of("key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(files_left(), 1);
	assert_int_equal(
	    secret_read_file(path_of("key"), 4, &secret, &detail), OK);
	assert_true(span_equal(secret_bytes(secret), span_of("a\0b\n", 4)));
	secret_free(secret);
	/* The one that is there stays. */
	assert_int_equal(
	    secret_write_file(path_of("key"), span_str("new"), &detail),
	    ERR_EXISTS);
	assert_int_equal(files_left(), 1);
	assert_int_equal(
	    secret_read_file(path_of("key"), 4, &secret, &detail), OK);
	assert_int_equal(secret_bytes(secret).len, 4);
	secret_free(secret);
	assert_int_equal(unlink(path_of("key")), 0);
}

static void
bad_files_are_refused(void **state)
{
	struct err_detail detail = {.text = ""};
	struct secret *secret = NULL;

	(void)state;
	expect_refused("absent", ERR_NOT_FOUND);
	make_file("world", 3, 0604);
	expect_refused("world", ERR_DENIED);
	make_file("writable", 3, 0602);
	expect_refused("writable", ERR_DENIED);
	make_file("large", 65, 0600);
	expect_refused("large", ERR_LIMIT);
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	expect_refused("fifo", ERR_DENIED);
	assert_int_equal(mkdir(path_of("dir"), 0700), 0);
	expect_refused("dir", ERR_DENIED);
	assert_int_equal(rmdir(path_of("dir")), 0);
	make_file("group", 64, 0640);
	assert_int_equal(
	    secret_read_file(path_of("group"), 64, &secret, &detail), OK);
	assert_int_equal(secret_bytes(secret).len, 64);
	secret_free(secret);
	assert_int_equal(unlink(path_of("group")), 0);
	assert_int_equal(
	    secret_write_file(path_of("no/key"), span_str("x"), &detail),
	    ERR_NOT_FOUND);
	assert_int_equal(files_left(), 0);
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_are_copied),
	    cmocka_unit_test(equality),
	    cmocka_unit_test(files_are_written_and_read),
	    cmocka_unit_test(bad_files_are_refused),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
