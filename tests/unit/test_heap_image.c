/*
 * A sealed heap and its restoration, by copying and by dropping pages: after
 * any sequence of allocations every byte is again as it was sealed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/runner/heap_image.h"

#define LIMIT    ((size_t)4 << 20)
#define IMAGE_FD 40
#define BLOCKS   400

struct sealed {
	struct heap *heap;
	struct heap_image image;
	unsigned char *copy; /* of the whole mapping, as it was sealed */
	size_t mapped_bytes;
	int fd; /* a second name of the memfd */
};

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A heap with holes and some garbage behind its last block. */
static struct heap *
open_used_heap(void)
{
	struct heap *heap = heap_open(LIMIT);
	void *blocks[BLOCKS];

	assert_non_null(heap);
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = heap_alloc(heap, 100 + i);
		assert_non_null(blocks[i]);
		memset(blocks[i], (int)i, 100 + i);
	}
	for (size_t i = 0; i < BLOCKS; i += 3)
		heap_free(heap, blocks[i]);
	for (size_t i = BLOCKS - 50; i < BLOCKS; i++)
		if (i % 3 != 0)
			heap_free(heap, blocks[i]);
	return heap;
}

static void
seal(struct sealed *sealed, struct heap *heap, size_t copy_max_bytes)
{
	sealed->heap = heap;
	sealed->mapped_bytes = heap_mapped_bytes(heap);
	assert_int_equal(heap_image_create(heap, IMAGE_FD), OK);
	sealed->fd = dup(IMAGE_FD);
	assert_true(sealed->fd >= 0);
	assert_int_equal(
	    heap_image_seal(&sealed->image, heap, IMAGE_FD, copy_max_bytes),
	    OK);
	assert_int_equal(sealed->image.pristine != NULL,
	    sealed->image.bytes <= copy_max_bytes);
	sealed->copy = malloc(sealed->mapped_bytes);
	assert_non_null(sealed->copy);
	memcpy(sealed->copy, heap, sealed->mapped_bytes);
}

static void
unseal(struct sealed *sealed)
{
	free(sealed->copy);
	(void)close(sealed->fd);
	if (sealed->image.pristine != NULL)
		(void)munmap((void *)(uintptr_t)sealed->image.pristine,
		    sealed->image.bytes);
	heap_close(sealed->heap);
}

/* Allocations until about `bytes` are used or none fits. */
static void
dirty(struct heap *heap, size_t bytes, uint64_t *state)
{
	void *last = NULL;

	while (heap_used_bytes(heap) < bytes) {
		size_t len = 1 + next_random(state) % 9000;
		void *block = heap_alloc(heap, len);

		if (block == NULL)
			break;
		memset(block, 0xEE, len);
		if (next_random(state) % 3 == 0)
			heap_free(heap, last);
		last = next_random(state) % 2 == 0
			   ? heap_realloc(heap, block, len * 2)
			   : block;
		if (last == NULL)
			last = block;
	}
	assert_true(heap_is_sound(heap));
}

static void
assert_pristine(const struct sealed *sealed)
{
	assert_true(heap_is_sound(sealed->heap));
	assert_memory_equal(sealed->heap, sealed->copy, sealed->mapped_bytes);
}

static void
check_restoring(size_t copy_max_bytes)
{
	static const size_t amounts[] = {60000, 200000, LIMIT / 2, LIMIT * 2};
	uint64_t state = 88172645463325252u;
	struct sealed sealed;

	seal(&sealed, open_used_heap(), copy_max_bytes);
	assert_pristine(&sealed);
	for (size_t round = 0; round < 40; round++) {
		dirty(sealed.heap, amounts[round % 4], &state);
		heap_image_restore(&sealed.image);
		assert_pristine(&sealed);
	}
	unseal(&sealed);
}

static void
test_copying_restores_every_byte(void **unused)
{
	(void)unused;
	check_restoring(LIMIT);
}

static void
test_dropping_pages_restores_every_byte(void **unused)
{
	(void)unused;
	check_restoring(0);
}

static void
test_a_full_heap_is_all_image(void **unused)
{
	struct heap *heap = heap_open(65536);
	struct sealed sealed;
	void *last = NULL;

	(void)unused;
	for (void *block = heap_alloc(heap, 16); block != NULL;
	     block = heap_alloc(heap, 16))
		last = block;
	seal(&sealed, heap, LIMIT);
	assert_int_equal(sealed.image.bytes, sealed.mapped_bytes);
	memset(last, 1, 16);
	heap_free(heap, last);
	heap_image_restore(&sealed.image);
	assert_pristine(&sealed);
	unseal(&sealed);
}

static void
test_the_file_cannot_change(void **unused)
{
	struct sealed sealed;
	const int seals =
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	(void)unused;
	seal(&sealed, open_used_heap(), 0);
	assert_int_equal(fcntl(sealed.fd, F_GET_SEALS) & seals, seals);
	assert_int_equal(pwrite(sealed.fd, "x", 1, 0), -1);
	assert_ptr_equal(
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, sealed.fd, 0),
	    MAP_FAILED);
	/* Writes to the heap stay in this process. */
	memset(heap_alloc(sealed.heap, 1000), 'x', 1000);
	heap_image_restore(&sealed.image);
	assert_pristine(&sealed);
	/* And do not fill the file behind the image. */
	assert_int_equal(lseek(sealed.fd, 0, SEEK_HOLE), sealed.image.bytes);
	unseal(&sealed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_copying_restores_every_byte),
	    cmocka_unit_test(test_dropping_pages_restores_every_byte),
	    cmocka_unit_test(test_a_full_heap_is_all_image),
	    cmocka_unit_test(test_the_file_cannot_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
