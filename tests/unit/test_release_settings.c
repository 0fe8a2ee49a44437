/*
 * release_settings: the smallest change of a document that makes the limits of
 * a release.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/config/release_settings.h"

/* As the schema has them. */
static const struct script_limits usual = {
    .wall_ms = 5000,
    .cpu_ms = 1000,
    .heap_mib = 32,
    .executions_per_process = 1,
    .host_calls = 20,
    .source_kib = 256,
    .data_kib = 64,
    .result_kib = 64,
    .log_kib = 16,
    .http_body_kib = 1024,
    .cache_value_kib = 64,
    .cache_entries = 10000,
};

static void
expect_patch(const struct script_limits *limits, const char *realm,
    const char *idp, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(release_settings_patch(
			     limits, span_str(realm), span_str(idp), &out),
	    OK);
	assert_string_equal(buf_cstr(&out), expected);
	buf_fini(&out);
}

static void
test_nothing_to_change(void **state)
{
	(void)state;
	expect_patch(&usual, "{}", "{\"type\":\"one_step\"}", "{}");
	/* What is said needlessly stays. */
	expect_patch(&usual, "{}", "{\"script\":{\"wall_ms\":5000}}", "{}");
	expect_patch(&usual, "{\"script\":{\"wall_ms\":100}}",
	    "{\"script\":{\"wall_ms\":5000}}", "{}");
}

static void
test_other_than_the_realm(void **state)
{
	struct script_limits limits = usual;

	(void)state;
	limits.wall_ms = 2000;
	expect_patch(&limits, "{}", "{}", "{\"script\":{\"wall_ms\":2000}}");
	expect_patch(&limits, "{}", "{\"script\":{\"wall_ms\":7}}",
	    "{\"script\":{\"wall_ms\":2000}}");
	expect_patch(&usual, "{\"script\":{\"wall_ms\":100,\"log_kib\":1}}",
	    "{}", "{\"script\":{\"wall_ms\":5000,\"log_kib\":16}}");
}

static void
test_back_to_the_realm(void **state)
{
	struct script_limits limits = usual;

	(void)state;
	expect_patch(
	    &usual, "{}", "{\"script\":{\"wall_ms\":7}}", "{\"script\":null}");
	limits.heap_mib = 8;
	expect_patch(&limits, "{}",
	    "{\"script\":{\"heap_mib\":8,\"wall_ms\":7}}",
	    "{\"script\":{\"wall_ms\":null}}");
}

static void
test_no_document(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(
	    release_settings_patch(&usual, span_str("{"), span_str("{}"), &out),
	    ERR_CORRUPT);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_to_change),
	    cmocka_unit_test(test_other_than_the_realm),
	    cmocka_unit_test(test_back_to_the_realm),
	    cmocka_unit_test(test_no_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
