/*
 * Text for terminals: nothing in it steers one, whatever bytes came; and the
 * tables that are made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/encoding.h"
#include "gateway/ctl/ctl_table.h"
#include "gateway/ctl/ctl_text.h"

#define TEXT_BYTES ((size_t)1 << 16)

static void
expect_clean(const char *text, bool keep_lines, const char *clean)
{
	struct buf out;

	buf_init(&out, TEXT_BYTES);
	ctl_text_clean(&out, span_str(text), keep_lines);
	assert_string_equal(buf_cstr(&out), clean);
	buf_fini(&out);
}

static void
test_letters_stay(void **state)
{
	(void)state;
	expect_clean("Grüße, 日本 👋\t|", false, "Grüße, 日本 👋\t|");
	expect_clean("two\nlines", true, "two\nlines");
}

static void
test_what_steers_a_terminal_is_shown(void **state)
{
	(void)state;
	expect_clean("\033[31mred\033]0;title\007", false,
	    "\\x1b[31mred\\x1b]0;title\\x07");
	/* C1: CSI in one character */
	expect_clean("\xc2\x9b"
		     "2J",
	    false, "\\x9b2J");
	expect_clean("a\nb\r", false, "a\\x0ab\\x0d");
	expect_clean("a\rb", true, "a\\x0db");
	expect_clean("\177", true, "\\x7f");
}

static void
test_marks_of_direction_are_shown(void **state)
{
	(void)state;
	expect_clean("user\xe2\x80\xae"
		     "nimda",
	    false, "user\\u{202e}nimda");
	expect_clean("\xe2\x81\xa6x", false, "\\u{2066}x");
}

static void
test_bytes_that_are_no_text_are_shown(void **state)
{
	(void)state;
	expect_clean("a\xff"
		     "b\xc3",
	    false, "a\\xffb\\xc3");
	expect_clean("\xc0\x9b", false, "\\xc0\\x9b");
	expect_clean("\xed\xa0\x80", false, "\\xed\\xa0\\x80");
}

static void
assert_harmless(struct span text)
{
	struct buf out;
	struct span rest;

	buf_init(&out, TEXT_BYTES);
	ctl_text_clean(&out, text, false);
	rest = buf_span(&out);
	while (rest.len > 0) {
		uint32_t c = 0;
		size_t len = utf8_next(rest, &c);

		assert_true(len > 0);
		assert_true(c == '\t' || c >= 0x20);
		assert_false(c >= 0x7f && c < 0xa0);
		assert_false(c >= 0x202a && c <= 0x202e);
		rest = span_of(rest.data + len, rest.len - len);
	}
	buf_fini(&out);
}

static void
test_no_bytes_come_through(void **state)
{
	static const char sample[] = "a\033[2Jb\xc2\x9b"
				     "1m\xe2\x80\xae"
				     "c\xf0\x9f\x91\x8b\n\r\177";
	uint8_t bytes[sizeof sample];
	size_t len = sizeof sample - 1;

	(void)state;
	for (size_t cut = 0; cut <= len; cut++)
		assert_harmless(span_of(sample, cut));
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(bytes, sample, len);
		bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
		assert_harmless(span_of(bytes, len));
	}
}

static void
test_widths_are_columns(void **state)
{
	(void)state;
	ctl_text_setup();
	assert_int_equal(ctl_text_width(span_str("abc")), 3);
	assert_int_equal(ctl_text_width(span_str("Grüße")), 5);
	assert_int_equal(ctl_text_width(span_str("日本")), 4);
	/* e and a combining acute */
	assert_int_equal(ctl_text_width(span_str("e\xcc\x81")), 1);
}

static void
expect_table(const char *const *cells, size_t count, const char *text)
{
	static const char *const headings[] = {"ID", "NAME", "X"};
	struct ctl_table *table = ctl_table_new(headings, 3);
	struct buf out;

	for (size_t i = 0; i < count; i++)
		ctl_table_add(table, cells[i]);
	buf_init(&out, TEXT_BYTES);
	ctl_table_render(table, &out);
	assert_string_equal(buf_cstr(&out), text);
	buf_fini(&out);
	ctl_table_free(table);
}

static void
test_tables_are_aligned_by_columns(void **state)
{
	static const char *const cells[] = {"日本", "Grüße", "1", "b", NULL,
	    "a longer last one", "", "x\ny", "\033[1m"};

	(void)state;
	ctl_text_setup();
	expect_table(NULL, 0, "ID  NAME  X\n");
	expect_table(cells, 9,
	    "ID    NAME    X\n"
	    "日本  Grüße   1\n"
	    "b     -       a longer last one\n"
	    "-     x\\x0ay  \\x1b[1m\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_letters_stay),
	    cmocka_unit_test(test_what_steers_a_terminal_is_shown),
	    cmocka_unit_test(test_marks_of_direction_are_shown),
	    cmocka_unit_test(test_bytes_that_are_no_text_are_shown),
	    cmocka_unit_test(test_no_bytes_come_through),
	    cmocka_unit_test(test_widths_are_columns),
	    cmocka_unit_test(test_tables_are_aligned_by_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
