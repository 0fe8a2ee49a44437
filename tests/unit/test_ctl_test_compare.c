/* What counts as a difference, and how it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/ctl_test_compare.h"

/* An outcome with one of everything. */
static const char outcome_text[] =
    "{\"code\":0,\"name\":\"ok\",\"status\":2001,"
    "\"payload\":\"{\\\"a\\\":[1,{\\\"b\\\":\\\"text\\\"}],\\\"n\\\":1.0}\","
    "\"user\":{\"id\":\"dana\",\"amr\":[\"pwd\"]},"
    "\"log\":[{\"level\":\"info\",\"text\":\"one\"},"
    "{\"level\":\"warn\",\"text\":\"two\"}],"
    "\"calls\":[{\"call\":\"cache_store\",\"request\":{\"key\":\"k\"},"
    "\"answer\":{},\"us\":1},"
    "{\"call\":\"http_request\",\"request\":{\"method\":\"POST\","
    "\"url\":\"https://a.example/\",\"headers\":\"X-Key: v\\nb: c\\n\","
    "\"body\":\"{\\\"q\\\":1}\"},\"answer\":{\"status\":200},\"us\":2}],"
    "\"cache\":{\"k\":{\"value\":\"{\\\"x\\\":1}\",\"ttl_secs\":60},"
    "\"t\":{\"value\":\"text\",\"ttl_secs\":5}},\"diverged\":null}";

static const char failure_text[] =
    "{\"code\":3001,\"name\":\"threw\",\"message\":\"Error: boo\","
    "\"line\":2,\"stack\":\"Error: boo\\n    at execute (x.js:2)\","
    "\"log\":[],\"calls\":[],\"cache\":{},\"diverged\":null}";

static unsigned
differences(const char *expect_text, const char *outcome, struct buf *out)
{
	json_t *expect = json_loads(expect_text, 0, NULL);
	json_t *actual = json_loads(outcome, 0, NULL);
	unsigned count;

	if (expect == NULL || actual == NULL)
		fail_msg("no JSON: %s", expect_text);
	buf_init(out, 65536);
	count = ctl_test_compare(expect, actual, out);
	json_decref(expect);
	json_decref(actual);
	return count;
}

static void
assert_same(const char *expect, const char *outcome)
{
	struct buf out;
	unsigned count = differences(expect, outcome, &out);

	if (count != 0)
		fail_msg("%s:\n%s", expect, buf_cstr(&out));
	buf_fini(&out);
}

static void
assert_told(const char *expect, const char *outcome, const char *told)
{
	struct buf out;
	unsigned count = differences(expect, outcome, &out);
	const char *text = buf_cstr(&out);

	if (count != 1 || strcmp(text, told) != 0)
		fail_msg("%s: %u differences:\n%s", expect, count, text);
	buf_fini(&out);
}

static void
test_what_is_as_expected(void **state)
{
	static const char *const fine[] = {
	    "{}",
	    "{\"status\":2001}",
	    "{\"status\":\"2xxx\"}",
	    "{\"payload\":{\"a\":[1,{\"b\":\"text\"}],\"n\":1}}",
	    "{\"payload\":{\"$includes\":{\"n\":{\"$any\":\"number\"}}}}",
	    "{\"payload\":{\"$match\":\"text\"}}",
	    "{\"payload\":{\"$includes\":{\"a\":{\"$includes\":[1]}}}}",
	    "{\"user\":{\"id\":{\"$match\":\"^d.n\"},\"amr\":[\"pwd\"]}}",
	    "{\"user\":{\"$equals\":{\"id\":\"dana\",\"amr\":[\"pwd\"]}}}",
	    "{\"registration_data\":null}",
	    "{\"cache\":{\"k\":{\"x\":1},\"t\":\"text\",\"none\":null}}",
	    "{\"cache\":{\"t\":{\"value\":\"text\",\"ttl_secs\":5}}}",
	    "{\"cache\":{\"k\":{\"$json\":{\"x\":1}}}}",
	    "{\"calls\":[\"cache_store\",\"http_request\"]}",
	    "{\"log\":[\"one\",{\"$match\":\"^t\"}]}",
	    "{\"log\":{\"$includes\":[\"two\"]}}",
	    "{\"log\":[{\"level\":\"info\",\"text\":\"one\"},"
	    "{\"level\":\"warn\",\"text\":\"two\"}]}",
	    "{\"log\":{\"$equals\":[{\"level\":\"info\",\"text\":\"one\"},"
	    "{\"level\":\"warn\",\"text\":\"two\"}]}}",
	    "{\"http\":[{\"method\":\"POST\",\"url\":\"https://a.example/\","
	    "\"headers\":{\"x-key\":\"v\"},\"body\":{\"q\":1},"
	    "\"status\":200}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
		assert_same(fine[i], outcome_text);
	assert_same("{\"error\":\"threw\"}", failure_text);
	assert_same("{\"error\":3001}", failure_text);
	assert_same("{\"error\":{\"message\":{\"$match\":\"boo\"},\"line\":2}}",
	    failure_text);
}

static void
test_what_is_not(void **state)
{
	(void)state;
	assert_told(
	    "{\"status\":2000}", outcome_text, "status\n  - 2000\n  + 2001\n");
	assert_told("{\"status\":\"4xxx\"}", outcome_text,
	    "status\n  - \"4xxx\"\n  + 2001\n");
	assert_told("{\"payload\":{\"a\":[1,{\"b\":\"other\"}],\"n\":1}}",
	    outcome_text, "payload.a[1].b\n  - \"other\"\n  + \"text\"\n");
	assert_told("{\"payload\":{\"a\":{\"$any\":true}}}", outcome_text,
	    "payload.n\n  - (nothing)\n  + 1.0\n");
	assert_told("{\"user\":{\"id\":\"dana\",\"amr\":[\"pwd\",\"otp\"]}}",
	    outcome_text, "user.amr[1]\n  - \"otp\"\n  + (nothing)\n");
	assert_told("{\"user\":{\"$any\":\"string\"}}", outcome_text,
	    "user\n  - {\"$any\": \"string\"}\n"
	    "  + {\"id\": \"dana\", \"amr\": [\"pwd\"]}\n");
	assert_told("{\"cache\":{\"t\":null}}", outcome_text,
	    "cache.t\n  - (nothing)\n  + \"text\"\n");
	assert_told("{\"log\":{\"$includes\":[\"two\",\"one\"]}}", outcome_text,
	    "log: item 2 is not among\n  - \"one\"\n"
	    "  + [\"one\", \"two\"]\n");
	assert_told("{\"http\":[]}", outcome_text,
	    "http[0]\n  - (nothing)\n  + {\"method\": \"POST\", \"url\": "
	    "\"https://a.example/\", \"headers\": \"X-Key: v\\nb: c\\n\", "
	    "\"body\": \"{\\\"q\\\":1}\"}\n");
	assert_told("{\"error\":\"timeout\"}", failure_text,
	    "error\n  - \"timeout\"\n  + \"threw\"\n");
	assert_told("{\"status\":2000}", failure_text,
	    "the execution failed: threw (3001)\n  Error: boo\n"
	    "  | Error: boo\n  |     at execute (x.js:2)\n");
	assert_told("{\"error\":\"threw\"}", outcome_text,
	    "error\n  - \"threw\"\n  + \"ok\"\n");
	assert_told("{}", "{\"id\":1,\"error\":\"seed: wrong\"}",
	    "the case cannot be run\n  seed: wrong\n");
	assert_told("{}", "{\"code\":0,\"diverged\":\"call 1\"}",
	    "the run differs from the recorded one\n  call 1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_as_expected),
	    cmocka_unit_test(test_what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
