/*
 * shadow_compare: where two results differ, and what is shown of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gateway/dispatch/shadow_compare.h"

static struct execution_result
result_of(const char *payload, const char *user)
{
	return (struct execution_result){.code = SCRIPT_OK,
	    .status = 2000,
	    .payload = span_str(payload),
	    .user = span_str(user)};
}

static void
expect(const struct execution_result *live,
    const struct execution_result *draft, const char *what)
{
	const char *found = shadow_compare(live, draft);

	if (what == NULL)
		assert_null(found);
	else
		assert_string_equal(found, what);
}

static void
test_same(void **state)
{
	struct execution_result live =
	    result_of("p", "{\"id\":\"u\",\"age\":5}");
	struct execution_result draft =
	    result_of("p", "{ \"age\": 5, \"id\": \"u\" }");
	struct execution_result none = result_of(NULL, NULL);

	(void)state;
	expect(&live, &live, NULL);
	/* The order of members says nothing. */
	expect(&live, &draft, NULL);
	expect(&none, &none, NULL);
}

static void
test_different(void **state)
{
	struct execution_result live = result_of("{\"a\":1}", "{\"id\":\"u\"}");
	struct execution_result other = live;

	(void)state;
	other.status = 4000;
	expect(&live, &other, "status");
	other = live;
	/* A payload is text to the caller. */
	other.payload = span_str("{\"a\": 1}");
	expect(&live, &other, "payload");
	other.payload = span_of(NULL, 0);
	expect(&live, &other, "payload");
	other = live;
	other.user = span_str("{\"id\":\"v\"}");
	expect(&live, &other, "user");
	other.user = span_str("no JSON");
	expect(&live, &other, "user");
	other.user = span_of(NULL, 0);
	expect(&live, &other, "user");
	other = live;
	other.registration_data = span_str("[1]");
	expect(&live, &other, "registration_data");
}

static void
test_failures(void **state)
{
	struct execution_result live = {
	    .code = SCRIPT_THREW, .message = "Error: one"};
	struct execution_result draft = {
	    .code = SCRIPT_THREW, .message = "Error: two"};
	struct execution_result fine = result_of("p", "{}");

	(void)state;
	expect(&live, &draft, NULL);
	expect(&live, &fine, "code");
	expect(&fine, &live, "code");
}

static void
expect_shown(const struct execution_result *result, const struct realm_idp *idp,
    const char *json)
{
	struct buf out;

	buf_init(&out, 65536);
	shadow_compare_append(&out, result, idp);
	assert_string_equal(buf_cstr(&out), json);
	buf_fini(&out);
}

static void
test_shown_masked(void **state)
{
	const char *const sensitive[] = {"a-secret"};
	const char *const pointers[] = {"/pin"};
	const struct realm_idp idp = {.identifier = "idp",
	    .sensitive_values = {sensitive, 1},
	    .record_mask = {pointers, 1}};
	struct execution_result result = result_of(
	    "{\"pin\":1234,\"t\":\"a-secret\"}", "{\"id\":\"a-secret\"}");
	struct execution_result failed = {
	    .code = SCRIPT_THREW, .message = "Error: one", .line = 3};

	(void)state;
	expect_shown(&result, &idp,
	    "{\"code\":0,\"name\":\"ok\",\"status\":2000,"
	    "\"payload\":\"{\\\"pin\\\":\\\"***\\\",\\\"t\\\":\\\"***\\\"}\","
	    "\"user\":{\"id\":\"***\"},\"registration_data\":null}");
	expect_shown(&failed, &idp,
	    "{\"code\":3001,\"name\":\"threw\",\"message\":\"Error: one\","
	    "\"line\":3}");
}

static void
test_long_is_not_shown(void **state)
{
	const struct realm_idp idp = {.identifier = "idp"};
	char *text = calloc(1, 100001);
	struct execution_result result = result_of(NULL, "{}");

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 100000);
	result.payload = span_str(text);
	expect_shown(&result, &idp, "\"too long to be shown\"");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_different),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_shown_masked),
	    cmocka_unit_test(test_long_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
