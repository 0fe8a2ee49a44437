/* JSON text: escaping, commas, depth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "common/json_text.h"

static void
expect_quoted(const char *text, size_t len, const char *json)
{
	struct buf out;

	buf_init(&out, 1000);
	json_append_string(&out, span_of(text, len));
	assert_string_equal(buf_cstr(&out), json);
	buf_fini(&out);
}

static void
strings_are_escaped(void **state)
{
	(void)state;
	expect_quoted("", 0, "\"\"");
	expect_quoted("a/b", 3, "\"a/b\"");
	expect_quoted("\"\\", 2, "\"\\\"\\\\\"");
	expect_quoted("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	expect_quoted("\0\x1f", 2, "\"\\u0000\\u001F\"");
	expect_quoted("\xE2\x82\xAC", 3, "\"\xE2\x82\xAC\"");
	expect_quoted("a\xFFz", 3, "\"a\xEF\xBF\xBDz\"");
	expect_quoted("\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
	expect_quoted(
	    "\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void
members_have_commas_between(void **state)
{
	struct buf out;
	bool first = true;

	(void)state;
	buf_init(&out, 1000);
	buf_append_char(&out, '{');
	json_append_member_str(&out, &first, "a", span_str("x"));
	json_append_member_int(&out, &first, "b", INT64_MIN);
	json_append_member_raw(&out, &first, "c", span_str("[1]"));
	json_append_member_str(&out, &first, "d", span_str(NULL));
	json_append_key(&out, &first, "e\"");
	buf_append_str(&out, "{}}");
	assert_string_equal(buf_cstr(&out),
	    "{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":[1],\"d\":null,"
	    "\"e\\\"\":{}}");
	buf_fini(&out);
}

static void
depth_looks_outside_strings(void **state)
{
	static const struct {
		const char *text;
		size_t depth;
	} cases[] = {
	    {"", 0},
	    {"1", 0},
	    {"[]", 1},
	    {"[[],[[]]]", 3},
	    {"{\"a\":[{\"b\":1}]}", 3},
	    {"[\"[[[[\"]", 1},
	    {"[\"\\\"[[[[\"]", 1},
	    {"[\"\\\\\"[[]]]", 3}, /* the backslash is escaped */
	    {"\"[[[", 0},
	    {"\"\\", 0},
	    {"]]]][[", 2},
	    {"[[", 2},
	};
	char *deep = malloc(1000000);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
		    json_depth(span_str(cases[i].text)), cases[i].depth);
	assert_non_null(deep);
	memset(deep, '[', 1000000);
	assert_int_equal(json_depth(span_of(deep, 1000000)), 1000000);
	free(deep);
}

static void
depth_of_flipped_and_cut_text(void **state)
{
	static const char sample[] = "{\"a\":[1,\"\\\"[\",{\"b\":[]}]}";
	const size_t len = sizeof sample - 1;

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		char *copy = malloc(cut == 0 ? 1 : cut);

		assert_non_null(copy);
		memcpy(copy, sample, cut);
		assert_in_range(json_depth(span_of(copy, cut)), 0, 4);
		for (size_t bit = 0; bit < cut * 8; bit++) {
			copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
			assert_in_range(json_depth(span_of(copy, cut)), 0, cut);
			copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		}
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strings_are_escaped),
	    cmocka_unit_test(members_have_commas_between),
	    cmocka_unit_test(depth_looks_outside_strings),
	    cmocka_unit_test(depth_of_flipped_and_cut_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
