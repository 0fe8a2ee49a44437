/*
 * Members cut out of compact JSON; no read beyond the text whatever it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runner/json_members.h"

static const char good[] =
    "{\"status\":2000,\"user\":{\"id\":\"a\\\"}\",\"status\":1},"
    "\"list\":[1,{\"x\":[]}],\"text\":\"a,b\\\\\",\"last\":null}";

static void
assert_member(const char *name, const char *expected)
{
	struct span value = json_members_get(span_str(good), name);

	if (expected == NULL)
		assert_false(span_present(value));
	else
		assert_true(span_is(value, expected));
}

static void
test_values_stay_text(void **state)
{
	(void)state;
	assert_member("status", "2000");
	assert_member("user", "{\"id\":\"a\\\"}\",\"status\":1}");
	assert_member("list", "[1,{\"x\":[]}]");
	assert_member("text", "\"a,b\\\\\"");
	assert_member("last", "null");
	assert_member("id", NULL);
	assert_member("x", NULL);
}

static void
look_into_copy(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct span value;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	value = json_members_get(span_of(copy, len), "last");
	if (span_present(value))
		assert_true(
		    value.data > copy && value.data + value.len < copy + len);
	(void)json_members_kind(span_of(copy, len));
	free(copy);
}

static void
test_mutations(void **state)
{
	char bytes[sizeof good];
	size_t len = sizeof good - 1;

	(void)state;
	memcpy(bytes, good, sizeof good);
	for (size_t cut = 0; cut <= len; cut++)
		look_into_copy(bytes, cut);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
		look_into_copy(bytes, len);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_stay_text),
	    cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
