/*
 * record: what is kept of executions, how much of it, and what it shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gateway/dispatch/record.h"
#include "proto/frame.h"

#define KEEP 3

static const char *const secrets[] = {"hunter22"};
static const char *const pointers[] = {"/password", "/list/1/pin"};
static const struct release release = {.idp = "One"};
static struct realm_idp idp;
static struct vault *vault;

/* Fresh settings and an empty store for each test. */
static int
set_up(void **state)
{
	idp = (struct realm_idp){.identifier = "One",
	    .record_mode = RECORD_ALL,
	    .record_keep = KEEP,
	    .properties_json = "{\"secret\":\"hunter22\",\"key\":null}",
	    .sensitive_values = {secrets, 1},
	    .record_mask = {pointers, 2}};
	assert_int_equal(vault_open_passing(&vault, NULL), OK);
	*state = record_store_new(vault);
	return *state == NULL;
}

static int
clean_up(void **state)
{
	record_store_free(*state);
	vault_close(vault);
	return 0;
}

static struct execution
execution_of(const char *correlation_id)
{
	return (struct execution){.idp = &idp,
	    .release = &release,
	    .kind = SCRIPT_COMPLETE,
	    .correlation_id = correlation_id};
}

static void
add(struct record_store *records, const char *correlation_id,
    enum script_code code, enum record_origin origin)
{
	const struct execution x = execution_of(correlation_id);
	const struct execution_result r = {
	    .code = code, .message = "why", .attempts = 1};

	record_add(records, &x, &r, origin);
}

static bool
has(struct record_store *records, const char *correlation_id)
{
	struct buf out;
	enum err err;

	buf_init(&out, RECORD_MAX_BYTES);
	err = record_get(records, span_str(correlation_id), &out);
	assert_int_equal(err == OK, out.len > 0);
	buf_fini(&out);
	return err == OK;
}

/* Correlation ids of the list, by their order. */
static void
expect_list(struct record_store *records, size_t max, const char *const *ids)
{
	struct buf out;
	char *text, *at;

	buf_init(&out, RECORD_MAX_BYTES);
	record_list(records,
	    &(struct record_query){.idp = span_str("One"), .max = max}, &out);
	buf_append_char(&out, '\0');
	text = at = (char *)out.data;
	for (; *ids != NULL; ids++) {
		char member[64];

		(void)snprintf(
		    member, sizeof member, "\"correlation_id\":\"%s\"", *ids);
		at = strstr(at, member);
		assert_non_null(at);
		at += strlen(member);
	}
	assert_null(strstr(at, "\"correlation_id\""));
	assert_null(strstr(text, "\"stack\""));
	buf_fini(&out);
}

static void
test_modes(void **state)
{
	idp.record_mode = RECORD_OFF;
	add(*state, "off", SCRIPT_THREW, RECORD_NEW);
	assert_false(has(*state, "off"));
	idp.record_mode = RECORD_FAILURES;
	add(*state, "good", SCRIPT_OK, RECORD_NEW);
	add(*state, "bad", SCRIPT_THREW, RECORD_NEW);
	assert_false(has(*state, "good"));
	assert_true(has(*state, "bad"));
	idp.record_mode = RECORD_ALL;
	add(*state, "good", SCRIPT_OK, RECORD_NEW);
	assert_true(has(*state, "good"));
	idp.record_keep = 0;
	add(*state, "none", SCRIPT_THREW, RECORD_NEW);
	assert_false(has(*state, "none"));
}

static void
test_failures_outlive_successes(void **state)
{
	static const char *const all[] = {"s4", "s3", "s2", "f1", NULL};
	static const char *const two[] = {"s4", "s3", NULL};
	static const char *const nothing[] = {NULL};
	char id[16];

	expect_list(*state, 10, nothing);
	add(*state, "f1", SCRIPT_TIMEOUT, RECORD_NEW);
	for (int i = 0; i <= 4; i++) {
		(void)snprintf(id, sizeof id, "s%d", i);
		add(*state, id, SCRIPT_OK, RECORD_NEW);
	}
	expect_list(*state, 10, all);
	expect_list(*state, 2, two);
	expect_list(*state, 0, nothing);
	assert_false(has(*state, "s1"));
}

static void
test_amending_replaces(void **state)
{
	static const char *const once[] = {"x", NULL};

	add(*state, "x", SCRIPT_OK, RECORD_NEW);
	add(*state, "x", SCRIPT_BAD_RESULT, RECORD_AMENDED);
	expect_list(*state, 10, once);
	add(*state, "new", SCRIPT_BAD_RESULT, RECORD_AMENDED);
	assert_true(has(*state, "new"));
}

static void
add_frame(struct buf *out, struct message *message)
{
	assert_int_equal(frame_append(out, message, NULL), OK);
}

static void
test_shows_log_and_calls_masked(void **state)
{
	struct message line = {.type = MSG_LOG_LINE};
	struct message call = {.type = MSG_CALL_MADE};
	const struct execution x = execution_of("x");
	struct execution_result r = {.code = SCRIPT_THREW, .message = "why"};
	struct buf log, calls, out;
	const char *text;

	buf_init(&log, 65536);
	buf_init(&calls, 65536);
	buf_init(&out, RECORD_MAX_BYTES);
	line.log_line.level = 4;
	line.log_line.text = span_str("it is hunter22\"");
	add_frame(&log, &line);
	call.call_made.call = MSG_CACHE_TAKE;
	call.call_made.duration_us = 7;
	call.call_made.error = span_str("limit");
	add_frame(&calls, &call);
	r.log_frames = buf_span(&log);
	r.call_frames = buf_span(&calls);
	record_add(*state, &x, &r, RECORD_NEW);
	assert_int_equal(record_get(*state, span_str("x"), &out), OK);
	buf_append_char(&out, '\0');
	text = (const char *)out.data;
	assert_non_null(strstr(text,
	    "\"log\":[{\"level\":\"error\",\"text\":\"it is ***\\\"\","
	    "\"cut\":false}]"));
	assert_non_null(
	    strstr(text, "\"calls\":[{\"call\":\"cache_take\",\"us\":7,"
			 "\"error\":\"limit\"}]"));
	assert_non_null(strstr(text, "\"message\":\"why\""));
	buf_fini(&log);
	buf_fini(&calls);
	buf_fini(&out);
}

/* An engine's frames are hostile: cut at each place and with each bit turned
 * they may lose lines, never the record's bounds. */
static void
test_broken_frames(void **state)
{
	struct message line = {.type = MSG_LOG_LINE};
	const struct execution x = execution_of("x");
	struct execution_result r = {.code = SCRIPT_THREW};
	struct buf frames;

	buf_init(&frames, 65536);
	line.log_line.text = span_str("text");
	add_frame(&frames, &line);
	add_frame(&frames, &line);
	for (size_t len = 0; len < frames.len; len++) {
		r.log_frames = r.call_frames = span_of(frames.data, len);
		record_add(*state, &x, &r, RECORD_AMENDED);
		assert_true(has(*state, "x"));
	}
	r.log_frames = r.call_frames = buf_span(&frames);
	for (size_t bit = 0; bit < frames.len * 8; bit++) {
		frames.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		record_add(*state, &x, &r, RECORD_AMENDED);
		assert_true(has(*state, "x"));
		frames.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	buf_fini(&frames);
}

/* The lists of all identity providers, and of failures alone. */
static void
test_lists_of_all(void **state)
{
	struct record_query query = {.max = 10};
	struct realm_idp two = {.identifier = "Two",
	    .record_mode = RECORD_ALL,
	    .record_keep = KEEP};
	struct execution x = execution_of("second");
	const struct execution_result r = {.code = SCRIPT_OK, .attempts = 1};
	struct buf out;
	const char *text;

	buf_init(&out, RECORD_MAX_BYTES);
	add(*state, "first", SCRIPT_THREW, RECORD_NEW);
	x.idp = &two;
	record_add(*state, &x, &r, RECORD_NEW);
	add(*state, "third", SCRIPT_THREW, RECORD_NEW);
	record_list(*state, &query, &out);
	text = buf_cstr(&out);
	assert_true(strstr(text, "third") < strstr(text, "second"));
	assert_true(strstr(text, "second") < strstr(text, "first"));
	buf_reset(&out);
	query.failed_only = true;
	record_list(*state, &query, &out);
	assert_non_null(strstr(buf_cstr(&out), "first"));
	assert_null(strstr(buf_cstr(&out), "second"));
	buf_fini(&out);
}

static void
expect_in_record(struct record_store *records, const char *part)
{
	struct buf out;

	buf_init(&out, RECORD_MAX_BYTES);
	assert_int_equal(record_get(records, span_str("x"), &out), OK);
	if (strstr(buf_cstr(&out), part) == NULL)
		fail_msg("%s\n  is not in\n  %s", part, buf_cstr(&out));
	assert_null(strstr(buf_cstr(&out), "hunter22"));
	assert_null(strstr(buf_cstr(&out), "hunter\\u00322"));
	buf_fini(&out);
}

/* Pointers and sensitive values, in whatever way JSON writes them. */
static void
test_shows_arguments_masked(void **state)
{
	struct execution x = execution_of("x");
	struct execution_result r = {
	    .code = SCRIPT_OK, .status = 2000, .attempts = 1};

	x.data = span_str("{\"password\": {\"a\": 1}, \"user\": \"u\", "
			  "\"list\": [0, {\"pin\": 1234, \"x\": "
			  "\"a hunter\\u00322 b\"}]}");
	x.custom_params = span_str("{\"p\":[\"hunter22\"]}");
	r.payload = span_str("plain hunter22");
	r.user = span_str("{\"id\":\"u\",\"password\":\"x\"}");
	record_add(*state, &x, &r, RECORD_AMENDED);
	expect_in_record(*state,
	    "\"data\":\"{\\\"password\\\":\\\"***\\\",\\\"user\\\":"
	    "\\\"u\\\",\\\"list\\\":[0,{\\\"pin\\\":\\\"***\\\","
	    "\\\"x\\\":\\\"a *** b\\\"}]}\"");
	expect_in_record(*state, "\"custom_params\":{\"p\":[\"***\"]}");
	expect_in_record(*state, "\"payload\":\"plain ***\"");
	expect_in_record(
	    *state, "\"user\":{\"id\":\"u\",\"password\":\"***\"}");
	/* What cannot be read may hold what is pointed at. */
	x.data = span_str("{\"password\": \"x\",}");
	record_add(*state, &x, &r, RECORD_AMENDED);
	expect_in_record(*state, "\"data\":\"***\"");
	x.data = span_str("no JSON at all");
	record_add(*state, &x, &r, RECORD_AMENDED);
	expect_in_record(*state, "\"data\":\"no JSON at all\"");
}

static void
test_all_together_are_bounded(void **state)
{
	static char text[200 * 1024];
	struct message line = {.type = MSG_LOG_LINE};
	struct execution_result r = {.code = SCRIPT_THREW};
	struct buf frames;
	unsigned kept = 0;
	char id[16];

	memset(text, 'x', sizeof text - 1);
	buf_init(&frames, 512 * 1024);
	line.log_line.text = span_str(text);
	add_frame(&frames, &line);
	r.log_frames = buf_span(&frames);
	idp.record_keep = 1000;
	idp.sensitive_values.count = 0;
	add(*state, "good", SCRIPT_OK, RECORD_NEW);
	for (unsigned i = 0; i < 300; i++) {
		const struct execution x = execution_of(id);

		(void)snprintf(id, sizeof id, "%u", i);
		record_add(*state, &x, &r, RECORD_NEW);
	}
	assert_true(has(*state, "299"));
	assert_false(has(*state, "good"));
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(id, sizeof id, "%u", i);
		kept += has(*state, id);
	}
	assert_in_range(kept, 100, RECORDS_MAX_BYTES / sizeof text);
	buf_fini(&frames);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)
	const struct CMUnitTest tests[] = {
	    TEST(test_modes),
	    TEST(test_failures_outlive_successes),
	    TEST(test_amending_replaces),
	    TEST(test_shows_log_and_calls_masked),
	    TEST(test_broken_frames),
	    TEST(test_lists_of_all),
	    TEST(test_shows_arguments_masked),
	    TEST(test_all_together_are_bounded),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
