/*
 * replay: answers come from the recording in order, to the very same calls;
 * whatever a recording's bytes are, they are read within their bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/front/replay.h"
#include "proto/clock_readings.h"
#include "proto/frame.h"

#define STARTED_MS 1700000000123

static const uint8_t seed[32] = {1, 2, 3};

static void
append(struct buf *frames, const struct message *message)
{
	assert_int_equal(frame_append(frames, message, NULL), OK);
}

static struct message
fetch_of(const char *key)
{
	struct message message = {.type = MSG_CACHE_FETCH};

	message.cache_fetch.key = span_str(key);
	return message;
}

static struct message
value_of(const char *value)
{
	struct message message = {.type = MSG_CACHE_VALUE};

	message.cache_value.found = true;
	message.cache_value.value = span_str(value);
	return message;
}

static struct message
recorded(const char *incomplete)
{
	struct message message = {.type = MSG_RECORDED};

	message.recorded.seed = span_of(seed, sizeof seed);
	message.recorded.started_ms = STARTED_MS;
	message.recorded.incomplete = span_str(incomplete);
	return message;
}

/* Two calls with their answers. */
static void
make_recording(struct buf *frames)
{
	const struct message messages[] = {fetch_of("a"), value_of("1"),
	    fetch_of("b"), value_of("2"), recorded(NULL)};

	buf_init(frames, 65536);
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		append(frames, &messages[i]);
}

/* The child's bytes of a call, in a buffer of its own. */
static void
encode(const struct message *message, struct buf *body)
{
	buf_init(body, 4096);
	assert_int_equal(message_encode(message, body, NULL), OK);
}

static bool
take(struct replay *replay, const char *key, struct message *reply_r)
{
	struct message call = fetch_of(key);
	struct buf body;
	bool taken;

	encode(&call, &body);
	taken = replay_take(replay, buf_span(&body), reply_r);
	buf_fini(&body);
	return taken;
}

static void
test_answers_in_order(void **state)
{
	struct message reply;
	struct replay replay;
	struct buf frames;

	(void)state;
	make_recording(&frames);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), OK);
	assert_false(take(&replay, "b", &reply));
	assert_true(take(&replay, "a", &reply));
	assert_true(span_is(reply.cache_value.value, "1"));
	assert_false(take(&replay, "a", &reply));
	assert_true(take(&replay, "b", &reply));
	assert_true(span_is(reply.cache_value.value, "2"));
	assert_false(take(&replay, "b", &reply));
	replay_end(&replay);
	buf_fini(&frames);
}

static void
test_seed_and_clock(void **state)
{
	struct msg_run run = {.host_calls = 1};
	struct clock_reader reader;
	struct replay replay;
	struct buf frames;
	int64_t ms;

	(void)state;
	make_recording(&frames);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), OK);
	replay_fill_run(&replay, &run);
	assert_true(span_equal(run.seed, span_of(seed, sizeof seed)));
	clock_reader_init(&reader, run.clock);
	assert_true(clock_reader_next(&reader, &ms));
	assert_true(ms == STARTED_MS);
	replay_end(&replay);
	buf_fini(&frames);
}

static void
test_none(void **state)
{
	struct msg_run run = {.host_calls = 1};
	struct replay replay;

	(void)state;
	assert_int_equal(replay_begin(&replay, span_of(NULL, 0)), OK);
	assert_false(replay.is_on);
	replay_fill_run(&replay, &run);
	assert_false(span_present(run.seed));
	replay_end(&replay);
}

static void
test_what_is_no_recording(void **state)
{
	struct message whole = recorded(NULL), cut = recorded("too large");
	struct message call = fetch_of("a");
	struct replay replay;
	struct buf frames;

	(void)state;
	buf_init(&frames, 4096);
	assert_int_equal(replay_begin(&replay, span_str("")), ERR_INVALID);
	replay_end(&replay);
	append(&frames, &call);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), ERR_INVALID);
	replay_end(&replay);
	append(&frames, &whole);
	append(&frames, &call);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), ERR_INVALID);
	replay_end(&replay);
	buf_reset(&frames);
	append(&frames, &cut);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), ERR_INVALID);
	replay_end(&replay);
	buf_fini(&frames);
}

/* Another engine's word: only what answers a call reaches the child. */
static void
test_no_other_message_is_an_answer(void **state)
{
	struct message call = fetch_of("a"), last = recorded(NULL), reply;
	struct message fork = {.type = MSG_TEMPLATE_FORK};
	struct replay replay;
	struct buf frames;

	(void)state;
	buf_init(&frames, 4096);
	append(&frames, &call);
	append(&frames, &fork);
	append(&frames, &last);
	assert_int_equal(replay_begin(&replay, buf_span(&frames)), OK);
	assert_false(take(&replay, "a", &reply));
	replay_end(&replay);
	buf_fini(&frames);
}

/* Exactly as long as they are, so that ASan sees a step beyond. */
static void
try_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct message reply;
	struct replay replay;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	if (replay_begin(&replay, span_of(copy, len)) == OK &&
	    take(&replay, "a", &reply))
		(void)take(&replay, "b", &reply);
	replay_end(&replay);
	free(copy);
}

static void
test_flipped_and_cut(void **state)
{
	struct buf frames;

	(void)state;
	make_recording(&frames);
	for (size_t len = 0; len < frames.len; len++)
		try_bytes(frames.data, len);
	for (size_t bit = 0; bit < frames.len * 8; bit++) {
		frames.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		try_bytes(frames.data, frames.len);
		frames.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf_fini(&frames);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers_in_order),
	    cmocka_unit_test(test_seed_and_clock),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_what_is_no_recording),
	    cmocka_unit_test(test_no_other_message_is_an_answer),
	    cmocka_unit_test(test_flipped_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
