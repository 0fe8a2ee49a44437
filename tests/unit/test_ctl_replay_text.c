/*
 * Outcomes as text, what is masked in them, and recordings as tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/ctl_replay_test.h"
#include "gateway/ctl/ctl_replay_text.h"
#include "gateway/ctl/ctl_test_file.h"

static json_t *
parsed(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static void
assert_text(const char *outcome, const char *calls, const char *expected)
{
	json_t *document = parsed(outcome);
	json_t *list = calls == NULL ? NULL : parsed(calls);
	struct buf out;

	buf_init(&out, 65536);
	ctl_replay_append(&out, document, list);
	assert_string_equal(buf_cstr(&out), expected);
	buf_fini(&out);
	json_decref(document);
	json_decref(list);
}

static void
test_outcomes(void **state)
{
	(void)state;
	assert_text("{\"code\":0,\"name\":\"ok\",\"status\":2000,"
		    "\"payload\":\"{\\\"a\\\":1}\",\"user\":{\"id\":\"u\"},"
		    "\"log\":[{\"level\":\"info\",\"text\":\"a\\nb\"}]}",
	    NULL,
	    "code: 0 ok\n"
	    "status: 2000\n"
	    "payload: {\n    \"a\": 1\n  }\n"
	    "user: {\n    \"id\": \"u\"\n  }\n"
	    "log info: a\n  b\n");
	assert_text("{\"code\":3001,\"name\":\"threw\",\"message\":\"m\","
		    "\"file\":\"f.js\",\"line\":3,\"stack\":\"m\\n at f\","
		    "\"status\":null,\"log\":[]}",
	    NULL,
	    "code: 3001 threw\nmessage: m\nat: f.js:3\n"
	    "stack: m\n   at f\n");
}

/* Time is no part of a call; nor is how a local engine calls one that was
 * never answered. */
static void
test_calls(void **state)
{
	(void)state;
	assert_text("{\"code\":0,\"name\":\"ok\"}",
	    "[{\"call\":\"cache_fetch\",\"request\":{\"key\":\"k\"},"
	    "\"answer\":{\"value\":\"v\",\"found\":true},\"us\":7},"
	    "{\"call\":\"http_request\",\"request\":{},"
	    "\"error\":{\"error\":\"timeout\",\"sentence\":\"s\"}},"
	    "{\"call\":\"cache_take\",\"request\":{},"
	    "\"error\":{\"error\":\"unanswered\",\"sentence\":\"s\"}}]",
	    "code: 0 ok\n"
	    "call 1: cache_fetch\n"
	    "  asked {\"key\":\"k\"}\n"
	    "  answer {\"found\":true,\"value\":\"v\"}\n"
	    "call 2: http_request\n"
	    "  asked {}\n"
	    "  error {\"error\":\"timeout\",\"sentence\":\"s\"}\n"
	    "call 3: cache_take\n"
	    "  asked {}\n");
}

static void
assert_masked(const char *document, bool by_name, const char *expected)
{
	json_t *recording = parsed(
	    "{\"sensitive\":[\"key\",\"pin\"],\"job\":{\"properties\":{"
	    "\"key\":\"hunter\\\"22\",\"pin\":\"123\",\"url\":\"https\"}}}");
	json_t *value = parsed(document);
	json_t *masked = ctl_replay_masked(value, recording, by_name);
	char *text = json_dumps(masked, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, expected);
	free(text);
	json_decref(masked);
	json_decref(value);
	json_decref(recording);
}

static void
test_masking(void **state)
{
	(void)state;
	assert_masked("{\"a\":[\"is hunter\\\"22!\",\"https 1234\"],"
		      "\"hunter\\\"22\":\"\\u0068unter\\\"22\"}",
	    false, "{\"a\":[\"is ***!\",\"https 1234\"],\"***\":\"***\"}");
	assert_masked(
	    "{\"key\":\"hunter\\\"22\"}", true, "{\"key\":\"sensitive-key\"}");
}

/* A test file that is made of a recording is one that `postern test` reads as
 * the same job and the same expectation. */
static void
test_written_tests_read_back(void **state)
{
	json_t *job =
	    parsed("{\"data\":\"a: \\\"b\\\"\\n\\u00e9\",\"properties\":"
		   "{\"p\":\"v\"},\"keys\":{\"k\":\"\"},\"seed\":\"01\","
		   "\"clock\":[1700000000000,[1700000000001,3]],"
		   "\"limits\":{\"wall_ms\":50},\"calls\":[{\"call\":"
		   "\"cache_fetch\",\"request\":{\"key\":\"# k\"},"
		   "\"answer\":{}}]}");
	json_t *outcome =
	    parsed("{\"code\":0,\"status\":2000,\"payload\":\"x\","
		   "\"user\":{\"id\":\"u\",\"$match\":\"no\"},"
		   "\"log\":[{\"level\":\"warn\",\"text\":\"t\"}]}");
	json_t *recording =
	    parsed("{\"script\":\"complete\",\"correlation_id\":\"abc\"}");
	struct ctl_test_file file;
	struct buf text, problems;

	(void)state;
	buf_init(&text, 65536);
	buf_init(&problems, 65536);
	ctl_replay_test_append(&text, recording, job, outcome);
	if (ctl_test_file_read("complete.abc.test.yaml", "f", buf_span(&text),
		&problems, &file) != OK)
		fail_msg("%s\n%s", buf_cstr(&problems), buf_cstr(&text));
	assert_int_equal(file.count, 1);
	assert_string_equal(file.script, "complete.js");
	assert_string_equal(file.cases[0].name, "execution abc");
	for (const char *const *key = (const char *const[]){"data",
		 "properties", "keys", "clock", "limits", "calls", NULL};
	     *key != NULL; key++)
		if (json_equal(json_object_get(file.cases[0].job, *key),
			json_object_get(job, *key)) != 1)
			fail_msg("%s of %s", *key, buf_cstr(&text));
	ctl_test_file_fini(&file);
	buf_fini(&text);
	buf_fini(&problems);
	json_decref(job);
	json_decref(outcome);
	json_decref(recording);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_outcomes),
	    cmocka_unit_test(test_calls),
	    cmocka_unit_test(test_masking),
	    cmocka_unit_test(test_written_tests_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
