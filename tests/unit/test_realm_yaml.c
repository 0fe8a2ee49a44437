/*
 * Files of a realm as hostile bytes: every bit flipped, cut at every offset.
 * What they may say is test_realm_errors.c's matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/encoding.h"
#include "gateway/realm/realm_draft.h"
#include "realm_fixture.h"

/* libfyaml leaks on an unclosed quote; see YAML_QUOTE_PAIRS_MAX. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static const struct {
	const char *path;
	unsigned kind; /* of realm_load_bytes() */
} samples[] = {
    {"realm.yaml", 0},
    {"scopes.yaml", 1},
    {"properties.yaml", 2},
    {"clients/app.yaml", 3},
    {"api-clients/backend.yaml", 4},
    {"idps/TwoStep/idp.yaml", 5},
};

static char *
sample_text(const char *path)
{
	for (size_t i = 0; i < GOOD_FILES; i++) {
		if (strcmp(good_realm[i].path, path) == 0)
			return strdup(good_realm[i].text);
	}
	return NULL;
}

static void
try_bytes(unsigned kind, const char *text, size_t len)
{
	/* A copy of the exact size, so that reading beyond it is seen. */
	char *copy = malloc(len == 0 ? 1 : len);
	struct buf problems;

	assert_non_null(copy);
	memcpy(copy, text, len);
	buf_init(&problems, 1 << 20);
	realm_load_bytes(kind, span_of(copy, len), &problems);
	assert_false(problems.failed);
	assert_true(utf8_is_valid(buf_span(&problems)));
	buf_fini(&problems);
	free(copy);
}

static void
test_bit_flips(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		char *text = sample_text(samples[i].path);
		size_t len = strlen(text);

		for (size_t bit = 0; bit < len * 8; bit++) {
			text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
			try_bytes(samples[i].kind, text, len);
			text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		}
		free(text);
	}
}

static void
test_truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		char *text = sample_text(samples[i].path);

		for (size_t len = 0; len < strlen(text); len++)
			try_bytes(samples[i].kind, text, len);
		free(text);
	}
}

/* Each of these made some YAML library slow or deep. */
static void
test_shapes(void **state)
{
	static const char *const units[] = {"[", "{", "- ", "? ", "{a: ", "\"",
	    "'", "&a ", "*a ", "!!a ", "a: |\n", "%a\n", "\t", "# \n", "-\n",
	    "a: b\n", "--- "};
	size_t len = 200000;
	char *text = malloc(len + 8);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		size_t unit = strlen(units[i]);

		for (size_t at = 0; at < len; at += unit)
			memcpy(text + at, units[i], unit);
		try_bytes(0, text, len);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bit_flips),
	    cmocka_unit_test(test_truncations),
	    cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
