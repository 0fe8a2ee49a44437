/*
 * Recordings: what they hold, that they open as themselves only, and that an
 * engine's bytes never break the JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/dispatch/record.h"
#include "gateway/dispatch/record_job.h"
#include "proto/clock_readings.h"
#include "proto/frame.h"

static const char *const secrets[] = {"hunter22"};
static const struct release release = {
    .idp = "One", .limits = {.wall_ms = 5000, .host_calls = 20}};
static const struct realm_idp idp = {.identifier = "One",
    .record_mode = RECORD_FAILURES,
    .record_keep = 3,
    .properties_json = "{\"secret\":\"hunter22\",\"signing\":null}",
    .sensitive_values = {secrets, 1}};
static const struct execution execution = {.idp = &idp,
    .release = &release,
    .kind = SCRIPT_COMPLETE,
    .correlation_id = "x",
    .data = {(const uint8_t *)"a\"\n", 3},
    .registration_data = {(const uint8_t *)"{\"r\":1}", 7}};

static void
add_frame(struct buf *out, const struct message *message)
{
	assert_int_equal(frame_append(out, message, NULL), OK);
}

/* cache_fetch and its value, http_request whose answer came in two parts, a
 * call that was never answered. */
static void
add_calls(struct buf *out)
{
	struct message fetch = {.type = MSG_CACHE_FETCH};
	struct message value = {.type = MSG_CACHE_VALUE};
	struct message request = {.type = MSG_HTTP_REQUEST};
	struct message response = {.type = MSG_HTTP_RESPONSE};
	struct message more = {.type = MSG_HTTP_MORE};
	struct message body = {.type = MSG_HTTP_BODY};

	fetch.cache_fetch.key = span_str("k");
	value.cache_value.found = true;
	value.cache_value.value = span_str("v");
	request.http_request.method = span_str("GET");
	request.http_request.url = span_str("https://a.example/");
	response.http_response.status = 200;
	response.http_response.headers = span_str("");
	response.http_response.body_bytes = 4;
	response.http_response.body = span_str("ab");
	body.http_body.body = span_str("cd");
	add_frame(out, &fetch);
	add_frame(out, &value);
	add_frame(out, &request);
	add_frame(out, &response);
	add_frame(out, &more);
	add_frame(out, &body);
	add_frame(out, &fetch);
}

static void
add_recorded(struct buf *out, const char *incomplete)
{
	struct message message = {.type = MSG_RECORDED};
	struct clock_writer writer = {.run_count = 0};
	struct buf clock;

	buf_init(&clock, CLOCK_READINGS_MAX_BYTES);
	clock_writer_add(&writer, 1700000000000, &clock);
	clock_writer_add(&writer, 1700000000001, &clock);
	clock_writer_add(&writer, 1700000000001, &clock);
	clock_writer_flush(&writer, &clock);
	message.recorded.seed = span_of("0123456789abcdef0123456789abcdef", 32);
	message.recorded.started_ms = 1699999999999;
	message.recorded.clock = buf_span(&clock);
	if (incomplete != NULL)
		message.recorded.incomplete = span_str(incomplete);
	add_frame(out, &message);
	buf_fini(&clock);
}

static struct execution_result
failure(struct buf *outcome)
{
	struct message message = {.type = MSG_OUTCOME};
	struct execution_result r = {.code = SCRIPT_THREW,
	    .message = "Error: ***",
	    .stack = "***",
	    .attempts = 1};

	message.outcome.code = SCRIPT_THREW;
	message.outcome.message = span_str("Error: hunter22");
	message.outcome.stack = span_str("at hunter22");
	message.outcome.line = 4;
	assert_int_equal(message_encode(&message, outcome, NULL), OK);
	r.failure = buf_span(outcome);
	return r;
}

static json_t *
parsed(const struct buf *text)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text->data, text->len,
	    JSON_REJECT_DUPLICATES, &error);

	if (root == NULL)
		fail_msg("%s: %.*s", error.text, SPAN_ARG(buf_span(text)));
	return root;
}

static void
expect(const json_t *object, const char *key, const char *json)
{
	char *text = json_dumps(
	    json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, json);
	free(text);
}

static void
test_holds_everything(void **state)
{
	struct buf frames, outcome, out;
	struct execution_result r;
	const json_t *job, *expected;
	json_t *root;

	(void)state;
	buf_init(&frames, 65536);
	buf_init(&outcome, 65536);
	buf_init(&out, RECORD_JOB_MAX_BYTES);
	r = failure(&outcome);
	add_calls(&frames);
	add_recorded(&frames, NULL);
	r.recording = buf_span(&frames);
	assert_null(record_job_append(&out, &execution, &r));
	assert_memory_equal(
	    out.data, RECORD_JOB_BEGIN, strlen(RECORD_JOB_BEGIN));
	root = parsed(&out);
	job = json_object_get(root, "job");
	expect(job, "data", "\"a\\\"\\n\"");
	expect(job, "registration_data", "{\"r\":1}");
	expect(job, "properties", "{\"secret\":\"hunter22\"}");
	expect(job, "keys", "{\"signing\":\"\"}");
	expect(job, "clock", "[1700000000000,[1700000000001,2]]");
	expect(job, "seed",
	    "\"3031323334353637383961626364656630313233343536373839"
	    "616263646566\"");
	expect(job, "calls",
	    "[{\"call\":\"cache_fetch\",\"request\":{\"key\":\"k\"},"
	    "\"answer\":{\"found\":true,\"value\":\"v\"}},"
	    "{\"call\":\"http_request\",\"request\":{\"method\":\"GET\","
	    "\"url\":\"https://a.example/\"},\"answer\":{\"status\":200,"
	    "\"headers\":\"\",\"body_bytes\":4,\"body\":\"abcd\"}},"
	    "{\"call\":\"cache_fetch\",\"request\":{\"key\":\"k\"}}]");
	expect(root, "complete", "true");
	expect(root, "sensitive", "[\"secret\"]");
	expected = json_object_get(root, "expected");
	expect(expected, "message", "\"Error: hunter22\"");
	expect(expected, "stack", "\"at hunter22\"");
	expect(expected, "line", "4");
	json_decref(root);
	buf_fini(&frames);
	buf_fini(&outcome);
	buf_fini(&out);
}

static void
expect_incomplete(const struct execution *x, struct span frames)
{
	const struct execution_result r = {
	    .code = SCRIPT_TIMEOUT, .recording = frames, .attempts = 1};
	struct buf out;
	json_t *root;

	buf_init(&out, RECORD_JOB_MAX_BYTES);
	assert_non_null(record_job_append(&out, x, &r));
	root = parsed(&out);
	expect(root, "complete", "false");
	assert_true(json_is_string(json_object_get(root, "incomplete")));
	json_decref(root);
	buf_fini(&out);
}

static void
test_says_what_is_missing(void **state)
{
	struct execution x = execution;
	struct buf frames;

	(void)state;
	buf_init(&frames, 65536);
	expect_incomplete(&x, (struct span){NULL, 0});
	add_recorded(&frames, "too much");
	expect_incomplete(&x, buf_span(&frames));
	buf_reset(&frames);
	add_recorded(&frames, NULL);
	x.registration_data = span_str("{\"a\":1},\"b\":{");
	expect_incomplete(&x, buf_span(&frames));
	x.registration_data = span_str("{\"a\":1,\"a\":2}");
	expect_incomplete(&x, buf_span(&frames));
	buf_fini(&frames);
}

/* Whatever an engine sends, what comes out is JSON. */
static void
test_hostile_frames(void **state)
{
	struct execution_result r = {.code = SCRIPT_THREW, .attempts = 1};
	struct buf frames, out;

	(void)state;
	buf_init(&frames, 65536);
	buf_init(&out, RECORD_JOB_MAX_BYTES);
	add_calls(&frames);
	add_recorded(&frames, NULL);
	for (size_t len = 0; len < frames.len; len++) {
		r.recording = span_of(frames.data, len);
		buf_reset(&out);
		(void)!record_job_append(&out, &execution, &r);
		json_decref(parsed(&out));
	}
	r.recording = buf_span(&frames);
	for (size_t bit = 0; bit < frames.len * 8; bit++) {
		frames.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		buf_reset(&out);
		(void)!record_job_append(&out, &execution, &r);
		json_decref(parsed(&out));
		frames.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	buf_fini(&frames);
	buf_fini(&out);
}

static void
test_sealed(void **state)
{
	struct record_store *records;
	struct execution_result r;
	struct vault *vault;
	struct buf frames, outcome, out;
	struct record_of of;

	(void)state;
	buf_init(&frames, 65536);
	buf_init(&outcome, 65536);
	buf_init(&out, RECORD_JOB_MAX_BYTES);
	assert_int_equal(vault_open_passing(&vault, NULL), OK);
	records = record_store_new(vault);
	r = failure(&outcome);
	add_recorded(&frames, NULL);
	r.recording = buf_span(&frames);
	record_add(records, &execution, &r, RECORD_NEW);
	assert_int_equal(
	    record_open(records, span_str("y"), &of, &out), ERR_NOT_FOUND);
	assert_int_equal(record_open(records, span_str("x"), &of, &out), OK);
	assert_string_equal(of.idp, "One");
	assert_int_equal(of.kind, SCRIPT_COMPLETE);
	assert_non_null(strstr(buf_cstr(&out), "hunter22"));
	buf_reset(&out);
	assert_int_equal(record_get(records, span_str("x"), &out), OK);
	assert_null(strstr(buf_cstr(&out), "hunter22"));
	assert_non_null(strstr(buf_cstr(&out), "\"replayable\":true"));
	record_store_free(records);
	vault_close(vault);
	buf_fini(&frames);
	buf_fini(&outcome);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holds_everything),
	    cmocka_unit_test(test_says_what_is_missing),
	    cmocka_unit_test(test_hostile_frames),
	    cmocka_unit_test(test_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
