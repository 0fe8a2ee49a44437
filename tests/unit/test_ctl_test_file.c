/* Test files: what a case becomes, mistakes with their lines, damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/ctl_test_file.h"

static const char good[] =
    "script: complete.js\n"
    "defaults:\n"
    "  properties: {a: one, b: 2}\n"
    "  cache: {k: v}\n"
    "  http:\n"
    "    - {request: GET https://a.example/*, status: 404}\n"
    "cases:\n"
    "  - name: first\n"
    "    payload: {n: 1, t: \"1\", b: true, z: null}\n"
    "    properties: {a: own}\n"
    "    cache: {c: {value: {x: 1}, ttl_secs: 9}}\n"
    "    clock: 2026-01-01T00:00:00Z\n"
    "    seed: 1f\n"
    "    limits: {wall_ms: 100}\n"
    "    http: [{method: POST, url: \"https://b.example/\", body: {k: v}}]\n"
    "    expect:\n"
    "      status: 2000\n"
    "      payload: {a: {$match: \"^x\"}}\n"
    "      http: [{request: POST https://b.example/}]\n"
    "  - name: second\n"
    "    payload: text\n";

static enum err
read_text(const char *text, struct buf *problems, struct ctl_test_file *file)
{
	buf_init(problems, 65536);
	return ctl_test_file_read("complete.test.yaml", "complete.test.yaml",
	    span_str(text), problems, file);
}

static void
assert_member(const json_t *object, const char *key, const char *expected)
{
	char *text = json_dumps(
	    json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void
test_a_case_becomes_a_job(void **state)
{
	struct ctl_test_file file;
	struct buf problems;
	const json_t *job;

	(void)state;
	assert_int_equal(read_text(good, &problems, &file), OK);
	assert_string_equal(file.script, "complete.js");
	assert_int_equal(file.count, 2);
	assert_string_equal(file.cases[0].name, "first");
	assert_int_equal(file.cases[0].line, 8);
	job = file.cases[0].job;
	assert_member(job, "data",
	    "\"{\\\"n\\\":1,\\\"t\\\":\\\"1\\\",\\\"b\\\":true,"
	    "\\\"z\\\":null}\"");
	assert_member(job, "properties", "{\"a\":\"own\",\"b\":\"2\"}");
	assert_member(job, "cache",
	    "{\"c\":{\"ttl_secs\":9,\"value\":\"{\\\"x\\\":1}\"},"
	    "\"k\":{\"value\":\"v\"}}");
	assert_member(job, "clock_ms", "1767225600000");
	assert_member(job, "seed",
	    "\"00000000000000000000000000000000000000000000000000000000000000"
	    "1f\"");
	assert_member(job, "limits", "{\"wall_ms\":100}");
	assert_member(job, "http_fakes",
	    "[{\"method\":\"POST\",\"url\":\"https://b.example/\","
	    "\"body\":{\"k\":\"v\"}},"
	    "{\"method\":\"GET\",\"url\":\"https://a.example/*\","
	    "\"status\":404}]");
	assert_member(
	    file.cases[0].expect, "payload", "{\"a\":{\"$match\":\"^x\"}}");
	job = file.cases[1].job;
	assert_member(job, "data", "\"text\"");
	assert_member(job, "properties", "{\"a\":\"one\",\"b\":\"2\"}");
	assert_int_equal(json_object_size(file.cases[1].expect), 0);
	ctl_test_file_fini(&file);
	buf_fini(&problems);
}

static void
test_the_script_is_that_of_the_name(void **state)
{
	struct ctl_test_file file;
	struct buf problems;

	(void)state;
	buf_init(&problems, 65536);
	assert_int_equal(ctl_test_file_read("init.more.test.yaml", "x",
			     span_str("cases: [{name: a}]"), &problems, &file),
	    OK);
	assert_string_equal(file.script, "init.js");
	ctl_test_file_fini(&file);
	buf_fini(&problems);
}

static void
assert_problem(const char *text, const char *expected)
{
	struct ctl_test_file file;
	struct buf problems;

	assert_int_equal(read_text(text, &problems, &file), ERR_INVALID);
	if (strstr(buf_cstr(&problems), expected) == NULL)
		fail_msg(
		    "%s\n  gives %s\n  not %s", text, problems.data, expected);
	buf_fini(&problems);
}

static void
test_mistakes_have_a_line(void **state)
{
	(void)state;
	assert_problem("", "complete.test.yaml:1: expects cases");
	assert_problem("cases: []", "expects a list of 1 to 10000 cases");
	assert_problem("a: 1\ncases: [{name: x}]", ":1: a: no such key");
	assert_problem("cases:\n- {name: x, nmae: y}", ":2: nmae: no such key");
	assert_problem("cases:\n- {payload: y}", ":2: a case expects a name");
	assert_problem("cases:\n- name: x\n  seed: xyz",
	    ":3: seed: expects 1 to 64 hexadecimal digits");
	assert_problem(
	    "cases:\n- name: x\n  clock: soon", ":3: clock: expects a time");
	assert_problem(
	    "cases:\n- name: x\n  limits: {wall: 1}", ":3: wall: no such key");
	assert_problem("cases:\n- name: x\n  http: [{status: 200}]",
	    "expects a request or a url in each");
	assert_problem("cases:\n- name: x\n  expect: {payload: {$mach: a}}",
	    "$mach: is no pattern");
	assert_problem("cases:\n- name: x\n  expect: {user: {$any: text}}",
	    "$any: expects string, number");
	assert_problem(
	    "cases:\n- name: x\n  expect: {user: {$any: true, a: 1}}",
	    "a pattern stands alone");
	assert_problem("script: ../x.js\ncases: [{name: x}]",
	    "expects the name of a file in this folder");
	assert_problem("cases: [{name: x}, {name: y, name: z}]", "1:");
}

/* Whatever it says: an answer, and nothing left behind (ASan looks). */
static void
read_bytes(const char *bytes, size_t len)
{
	struct ctl_test_file file;
	struct buf problems;

	buf_init(&problems, 65536);
	if (ctl_test_file_read("a.test.yaml", "a", span_of(bytes, len),
		&problems, &file) == OK)
		ctl_test_file_fini(&file);
	else
		assert_true(problems.len > 0);
	buf_fini(&problems);
}

static void
test_damaged_files(void **state)
{
	char copy[sizeof good];

	(void)state;
	for (size_t len = 0; len < sizeof good - 1; len++)
		read_bytes(good, len);
	for (size_t i = 0; i < (sizeof good - 1) * 8; i++) {
		memcpy(copy, good, sizeof good);
		copy[i / 8] = (char)(copy[i / 8] ^ (1 << (i % 8)));
		read_bytes(copy, sizeof good - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_case_becomes_a_job),
	    cmocka_unit_test(test_the_script_is_that_of_the_name),
	    cmocka_unit_test(test_mistakes_have_a_line),
	    cmocka_unit_test(test_damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
