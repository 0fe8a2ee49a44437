/* Arena: alignment, zeroing, the maximum, reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/arena.h"

static void
memory_is_aligned_and_zeroed(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	assert_non_null(arena);
	for (size_t bytes = 0; bytes < 300; bytes++) {
		uint8_t *memory = arena_alloc(arena, bytes);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % 16, 0);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xA5, bytes);
	}
	arena_free(arena);
	arena_free(NULL);
}

static void
reset_memory_is_zeroed_again(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	uint8_t *first, *again;

	(void)state;
	first = arena_alloc(arena, 100);
	assert_non_null(first);
	memset(first, 0xA5, 100);
	assert_non_null(arena_alloc(arena, 100000));
	arena_reset(arena);
	again = arena_alloc(arena, 100);
	assert_ptr_equal(again, first);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	arena_free(arena);
}

static void
the_maximum_holds(void **state)
{
	struct arena *arena = arena_new(100000);
	size_t got = 0;

	(void)state;
	assert_null(arena_alloc(arena, 100001));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - 8));
	while (arena_alloc(arena, 1000) != NULL)
		got += 1000;
	assert_in_range(got, 90000, 100000);
	arena_reset(arena);
	assert_non_null(arena_alloc(arena, 99984));
	assert_null(arena_alloc(arena, 17));
	assert_non_null(arena_alloc(arena, 16));
	arena_free(arena);
}

static void
copies_are_terminated(void **state)
{
	struct arena *arena = arena_new(1000);
	struct span copy;

	(void)state;
	assert_string_equal(arena_strdup(arena, "text"), "text");
	assert_string_equal(
	    arena_copy_str(arena, span_of("textual", 4)), "text");
	assert_string_equal(arena_copy_str(arena, span_str(NULL)), "");
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 7), "a-7");
	assert_false(span_present(arena_copy(arena, span_str(NULL))));
	copy = arena_copy(arena, span_of("", 0));
	assert_true(span_present(copy));
	assert_int_equal(copy.len, 0);
	assert_true(span_is(arena_copy(arena, span_str("xy")), "xy"));
	assert_false(span_present(arena_copy(arena, span_of("", SIZE_MAX))));
	assert_null(arena_printf(arena, "%2000d", 1));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_aligned_and_zeroed),
	    cmocka_unit_test(reset_memory_is_zeroed_again),
	    cmocka_unit_test(the_maximum_holds),
	    cmocka_unit_test(copies_are_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
