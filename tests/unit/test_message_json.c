/*
 * Messages as JSON: which fields, and how each kind is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/message_json.h"

static void
assert_json(const struct message *message, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	message_json_append(&out, message);
	assert_string_equal(buf_cstr(&out), expected);
	buf_fini(&out);
}

static void
test_fields(void **state)
{
	struct message message = {.type = MSG_CACHE_STORE};

	(void)state;
	message.cache_store.job = 7;
	message.cache_store.attempt = 1;
	message.cache_store.key = span_str("a\"b");
	message.cache_store.value = span_str("");
	message.cache_store.ttl_secs = 300;
	assert_json(
	    &message, "{\"key\":\"a\\\"b\",\"value\":\"\",\"ttl_secs\":300}");
}

static void
test_absent(void **state)
{
	struct message message = {.type = MSG_CACHE_VALUE};

	(void)state;
	assert_json(&message, "{}");
	message.cache_value.found = true;
	assert_json(&message, "{\"found\":true}");
	assert_json(&(struct message){.type = MSG_CALL_DONE}, "{}");
	assert_json(&(struct message){.type = MSG_NONE}, "{}");
}

static void
test_bytes(void **state)
{
	struct message message = {.type = MSG_HTTP_BODY};

	(void)state;
	message.http_body.body = span_str("{\"a\":\"\xc3\xa9\"}");
	assert_json(&message, "{\"body\":\"{\\\"a\\\":\\\"\xc3\xa9\\\"}\"}");
	message.http_body.body = span_of("\xff\x00", 2);
	assert_json(&message, "{\"body\":{\"base64\":\"/wA=\"}}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
