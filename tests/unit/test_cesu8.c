/*
 * CESU-8 <-> UTF-8: known pairs, what is refused, and that no mutation of
 * good bytes leads to bad output.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/encoding.h"
#include "engine/runner/cesu8.h"

#define MAX_BYTES 4096

static const struct {
	const char *utf8;
	const char *cesu8;
} pairs[] = {
    {"", ""},
    {"plain", "plain"},
    {"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
    {"\xf0\x9f\x98\x80", "\xed\xa0\xbd\xed\xb8\x80"},
    {"a\xf4\x8f\xbf\xbf"
     "b",
	"a\xed\xaf\xbf\xed\xbf\xbf"
	"b"},
    {"\xef\xbf\xbf", "\xef\xbf\xbf"},
};

static void
assert_buf_is(const struct buf *buf, const char *text)
{
	assert_true(span_equal(buf_span(buf), span_str(text)) ||
		    (buf->len == 0 && *text == '\0'));
}

static void
test_known_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct buf there, back;

		buf_init(&there, MAX_BYTES);
		buf_init(&back, MAX_BYTES);
		assert_int_equal(
		    cesu8_from_utf8(span_str(pairs[i].utf8), &there), OK);
		assert_buf_is(&there, pairs[i].cesu8);
		assert_int_equal(
		    cesu8_to_utf8(span_str(pairs[i].cesu8), &back), OK);
		assert_buf_is(&back, pairs[i].utf8);
		buf_fini(&there);
		buf_fini(&back);
	}
}

static void
test_what_is_no_character(void **state)
{
	static const char *const bad[] = {"\xed\xa0\xbd", "\xed\xb8\x80",
	    "\xed\xb8\x80\xed\xa0\xbd", "\xed\xa0\xbdx", "\x80", "\xff",
	    "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
	    "\xe2\x82", "\xf5\x80\x80\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf out;

		buf_init(&out, MAX_BYTES);
		assert_int_equal(
		    cesu8_to_utf8(span_str(bad[i]), &out), ERR_INVALID);
		buf_reset(&out);
		assert_int_equal(
		    cesu8_from_utf8(span_str(bad[i]), &out), ERR_INVALID);
		buf_reset(&out);
		(void)cesu8_to_utf8_lossy(span_str(bad[i]), MAX_BYTES, &out);
		assert_true(utf8_is_valid(buf_span(&out)));
		assert_non_null(strstr(buf_cstr(&out), "\xef\xbf\xbd"));
		buf_fini(&out);
	}
}

/* Copies of exact size, so that a read beyond the end is seen under ASan. */
static void
convert_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct buf out;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	buf_init(&out, MAX_BYTES);
	if (cesu8_to_utf8(span_of(copy, len), &out) == OK)
		assert_true(utf8_is_valid(buf_span(&out)));
	buf_reset(&out);
	(void)cesu8_to_utf8_lossy(span_of(copy, len), MAX_BYTES, &out);
	assert_true(utf8_is_valid(buf_span(&out)));
	buf_reset(&out);
	assert_int_equal(cesu8_from_utf8(span_of(copy, len), &out) == OK,
	    utf8_is_valid(span_of(copy, len)));
	buf_fini(&out);
	free(copy);
}

static void
test_mutations(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		size_t len = strlen(pairs[i].cesu8);

		memcpy(bytes, pairs[i].cesu8, len);
		for (size_t cut = 0; cut <= len; cut++)
			convert_copy(bytes, cut);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			convert_copy(bytes, len);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void
test_cut_between_characters(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	assert_true(cesu8_to_utf8_lossy(
	    span_str("ab\xed\xa0\xbd\xed\xb8\x80"), 5, &out));
	assert_buf_is(&out, "ab");
	buf_reset(&out);
	assert_false(cesu8_to_utf8_lossy(
	    span_str("ab\xed\xa0\xbd\xed\xb8\x80"), 6, &out));
	assert_buf_is(&out, "ab\xf0\x9f\x98\x80");
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_pairs),
	    cmocka_unit_test(test_what_is_no_character),
	    cmocka_unit_test(test_mutations),
	    cmocka_unit_test(test_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
