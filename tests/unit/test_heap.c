/*
 * The script's allocator against a model: contents, limits, merging, and the
 * walk over every block after each step of long random sequences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runner/heap.h"

#define LIMIT ((size_t)1 << 20)
#define TIGHT (LIMIT / 4) /* the sequences run into it */
#define SLOTS 256

/* A fixed generator: a failing sequence fails again. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

struct slot {
	unsigned char *data;
	size_t len;
	unsigned char mark;
};

static void
fill(struct slot *slot, void *data, size_t len, uint64_t random)
{
	slot->data = data;
	slot->len = len;
	slot->mark = (unsigned char)random;
	memset(slot->data, slot->mark, len);
}

static void
assert_marked(const struct slot *slot, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(slot->data[i], slot->mark);
}

static void
step(struct heap *heap, struct slot *slots, uint64_t *state)
{
	struct slot *slot = &slots[next_random(state) % SLOTS];
	uint64_t random = next_random(state);
	size_t len = 1 + random % (random % 16 == 0 ? 60000 : 300);
	void *data;

	if (slot->data == NULL) {
		data = heap_alloc(heap, len);
		if (data != NULL)
			fill(slot, data, len, random);
		return;
	}
	assert_marked(slot, slot->len);
	if (random % 3 != 0) {
		heap_free(heap, slot->data);
		slot->data = NULL;
		return;
	}
	data = heap_realloc(heap, slot->data, len);
	if (data == NULL)
		return; /* the old block stays */
	slot->data = data;
	assert_marked(slot, len < slot->len ? len : slot->len);
	fill(slot, data, len, random);
}

static void
test_random_sequences(void **unused)
{
	uint64_t state = 88172645463325252u;

	(void)unused;
	for (int round = 0; round < 4; round++) {
		struct heap *heap = heap_open(TIGHT);
		struct slot slots[SLOTS] = {{NULL, 0, 0}};

		assert_non_null(heap);
		for (int i = 0; i < 20000; i++) {
			step(heap, slots, &state);
			if (i % 16 == 0)
				assert_true(heap_is_sound(heap));
			assert_true(heap_used_bytes(heap) <= TIGHT);
		}
		assert_true(heap_exhausted(heap));
		for (size_t i = 0; i < SLOTS; i++)
			heap_free(heap, slots[i].data);
		assert_int_equal(heap_used_bytes(heap), 0);
		assert_true(heap_is_sound(heap));
		/* All merged again: nearly everything in one piece. */
		assert_non_null(heap_alloc(heap, TIGHT - 8192));
		heap_close(heap);
	}
}

static void
test_exactly_to_the_limit(void **unused)
{
	struct heap *heap = heap_open(LIMIT);
	size_t got = 0;

	(void)unused;
	assert_non_null(heap);
	while (heap_alloc(heap, 1000) != NULL)
		got += 1000;
	assert_true(heap_exhausted(heap));
	assert_true(got > LIMIT / 100 * 97 && got <= LIMIT);
	assert_true(heap_peak_bytes(heap) >= got);
	heap_clear_exhausted(heap);
	assert_false(heap_exhausted(heap));
	assert_true(heap_is_sound(heap));
	heap_reset(heap);
	assert_int_equal(heap_used_bytes(heap), 0);
	assert_int_equal(heap_peak_bytes(heap), 0);
	assert_non_null(heap_alloc(heap, LIMIT / 2));
	heap_close(heap);
}

static void
test_sizes_that_cannot_be(void **unused)
{
	struct heap *heap = heap_open(LIMIT);
	void *block;

	(void)unused;
	assert_null(heap_alloc(heap, 0));
	assert_false(heap_exhausted(heap));
	assert_null(heap_alloc(heap, SIZE_MAX));
	assert_null(heap_alloc(heap, SIZE_MAX - 15));
	assert_null(heap_alloc(heap, LIMIT + 1));
	assert_true(heap_exhausted(heap));
	block = heap_alloc(heap, 24);
	assert_int_equal((uintptr_t)block % 16, 0);
	assert_null(heap_realloc(heap, block, SIZE_MAX));
	assert_ptr_equal(heap_realloc(heap, block, 20), block);
	assert_null(heap_realloc(heap, block, 0));
	assert_int_equal(heap_used_bytes(heap), 0);
	heap_free(heap, NULL);
	heap_close(heap);
	assert_null(heap_open(100));
	assert_null(heap_open(SIZE_MAX));
}

static void
test_growing_takes_the_free_neighbour(void **unused)
{
	struct heap *heap = heap_open(LIMIT);
	char *first = heap_alloc(heap, 100);
	char *second = heap_alloc(heap, 5000);
	char *third = heap_alloc(heap, 100);

	(void)unused;
	memset(first, 'a', 100);
	heap_free(heap, second);
	assert_ptr_equal(heap_realloc(heap, first, 4000), first);
	assert_true(heap_is_sound(heap));
	heap_free(heap, third);
	heap_free(heap, first);
	assert_int_equal(heap_used_bytes(heap), 0);
	heap_close(heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_sequences),
	    cmocka_unit_test(test_exactly_to_the_limit),
	    cmocka_unit_test(test_sizes_that_cannot_be),
	    cmocka_unit_test(test_growing_takes_the_free_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
