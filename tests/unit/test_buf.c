/* Buffer: growth, the maximum, the sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/buf.h"

static void
appends_accumulate(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_true(span_is(buf_span(&buf), ""));
	assert_true(span_present(buf_span(&buf)));
	buf_append_str(&buf, "a");
	buf_append_char(&buf, 'b');
	buf_append(&buf, "cd", 2);
	buf_append(&buf, NULL, 0);
	buf_append_span(&buf, span_str("e"));
	buf_printf(&buf, "%d", 42);
	assert_int_equal(buf_status(&buf), OK);
	assert_true(span_is(buf_span(&buf), "abcde42"));
	assert_string_equal(buf_cstr(&buf), "abcde42");
	assert_int_equal(buf.len, 7);
	buf_consume(&buf, 2);
	assert_string_equal(buf_cstr(&buf), "cde42");
	buf_consume(&buf, 5);
	assert_string_equal(buf_cstr(&buf), "");
	buf_fini(&buf);
	assert_null(buf.data);
}

static void
the_maximum_is_exact_and_sticky(void **state)
{
	struct buf buf;

	(void)state;
	for (size_t max = 0; max < 200; max++) {
		buf_init(&buf, max);
		for (size_t i = 0; i < max; i++)
			buf_append_char(&buf, 'x');
		assert_int_equal(buf_status(&buf), OK);
		assert_non_null(buf_cstr(&buf));
		buf_append_char(&buf, 'y');
		assert_int_equal(buf_status(&buf), ERR_LIMIT);
		buf_append(&buf, "", 0);
		assert_null(buf_cstr(&buf));
		assert_int_equal(buf.len, max);
		buf_reset(&buf);
		assert_int_equal(buf_status(&buf), OK);
		assert_string_equal(buf_cstr(&buf), "");
		buf_fini(&buf);
	}
}

static void
printf_fits_exactly(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 64);
	buf_printf(&buf, "%064d", 1);
	assert_int_equal(buf_status(&buf), OK);
	assert_int_equal(buf.len, 64);
	buf_wipe(&buf);
	buf_init(&buf, 63);
	buf_printf(&buf, "%064d", 1);
	assert_int_equal(buf_status(&buf), ERR_LIMIT);
	buf_fini(&buf);
}

static void
reserve_and_commit(void **state)
{
	struct buf buf;
	uint8_t *room;

	(void)state;
	buf_init(&buf, 10);
	room = buf_reserve(&buf, 8);
	assert_non_null(room);
	memcpy(room, "abc", 3);
	buf_commit(&buf, 3);
	assert_true(span_is(buf_span(&buf), "abc"));
	assert_null(buf_reserve(&buf, 8));
	assert_int_equal(buf_status(&buf), ERR_LIMIT);
	assert_null(buf_reserve(&buf, 1));
	buf_fini(&buf);
	buf_init(&buf, SIZE_MAX);
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_int_equal(buf_status(&buf), ERR_NOMEM);
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(appends_accumulate),
	    cmocka_unit_test(the_maximum_is_exact_and_sticky),
	    cmocka_unit_test(printf_fits_exactly),
	    cmocka_unit_test(reserve_and_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
