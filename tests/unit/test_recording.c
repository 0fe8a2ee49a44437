/*
 * What the front keeps of an execution, and when it gives that up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/front/recording.h"
#include "proto/frame.h"

static const uint8_t seed[32] = {1, 2, 3};
static struct recording recording;

static void
begin(enum recording_wanted wanted)
{
	recording_init(&recording);
	recording_begin(&recording, wanted, seed);
}

/* A call with an answer of `len` bytes. */
static void
add_call(size_t len)
{
	static char text[300000];
	struct message fetch = {.type = MSG_CACHE_FETCH};
	struct message value = {.type = MSG_CACHE_VALUE};
	struct buf body;

	memset(text, 'x', sizeof text);
	buf_init(&body, MESSAGE_MAX_BYTES);
	fetch.cache_fetch.key = span_str("k");
	assert_int_equal(message_encode(&fetch, &body, NULL), OK);
	value.cache_value.found = true;
	value.cache_value.value = span_of(text, len);
	recording_call(&recording, buf_span(&body));
	recording_answer(&recording, &value);
	buf_fini(&body);
}

/* Frames before the last, which is `recorded`. */
static unsigned
read_frames(struct msg_recorded *recorded_r)
{
	struct span frames = buf_span(&recording.frames);
	struct message message;
	struct span body;
	unsigned count = 0;

	for (;;) {
		assert_int_equal(frame_next(&frames, &body), OK);
		assert_int_equal(message_decode(body,
				     SENDER_CHILD | SENDER_FRONT |
					 SENDER_GATEWAY | SENDER_ENGINE,
				     &message, NULL),
		    OK);
		if (message.type == MSG_RECORDED)
			break;
		count++;
	}
	assert_int_equal(frames.len, 0);
	*recorded_r = message.recorded;
	return count;
}

static void
test_holds_calls_clock_and_seed(void **state)
{
	struct msg_clock_read read = {.readings = span_str("ab")};
	struct msg_recorded recorded;

	(void)state;
	begin(RECORDING_ALWAYS);
	add_call(10);
	recording_clock(&recording, &read);
	add_call(20);
	recording_clock(&recording, &read);
	recording_end(&recording, false);
	assert_int_equal(read_frames(&recorded), 4);
	assert_memory_equal(recorded.seed.data, seed, sizeof seed);
	assert_true(span_is(recorded.clock, "abab"));
	assert_true(recorded.started_ms > 1600000000000);
	assert_false(span_present(recorded.incomplete));
	recording_clear(&recording);
	assert_null(recording.frames.data);
}

static void
test_nothing_where_nothing_is_wanted(void **state)
{
	(void)state;
	begin(RECORDING_NONE);
	add_call(10);
	recording_end(&recording, true);
	assert_null(recording.frames.data);
	assert_false(span_present(recording_shrink(&recording)));
	recording_clear(&recording);
}

/* How many frames of calls go along, and whether it is whole. */
static unsigned
ends_with(
    enum recording_wanted wanted, size_t answer, bool failed, bool *whole_r)
{
	struct msg_recorded recorded;
	unsigned count;

	begin(wanted);
	add_call(answer);
	recording_end(&recording, failed);
	count = read_frames(&recorded);
	*whole_r = !span_present(recorded.incomplete);
	recording_clear(&recording);
	return count;
}

static void
test_large_only_of_failures(void **state)
{
	bool whole;

	(void)state;
	assert_int_equal(
	    ends_with(RECORDING_OF_FAILURE, 100, false, &whole), 2);
	assert_true(whole);
	assert_int_equal(
	    ends_with(RECORDING_OF_FAILURE, 20000, false, &whole), 0);
	assert_false(whole);
	assert_int_equal(
	    ends_with(RECORDING_OF_FAILURE, 20000, true, &whole), 2);
	assert_true(whole);
	assert_int_equal(ends_with(RECORDING_ALWAYS, 20000, false, &whole), 2);
	assert_true(whole);
}

static void
test_gives_up_what_is_too_large(void **state)
{
	struct msg_recorded recorded;

	(void)state;
	begin(RECORDING_ALWAYS);
	for (int i = 0; i < 5; i++)
		add_call(200000);
	recording_end(&recording, true);
	assert_int_equal(read_frames(&recorded), 0);
	assert_true(span_present(recorded.incomplete));
	recording_clear(&recording);
}

static void
test_gives_up_a_cut_clock(void **state)
{
	struct msg_clock_read read = {.readings = span_str("ab"), .cut = true};
	struct msg_recorded recorded;

	(void)state;
	begin(RECORDING_ALWAYS);
	add_call(10);
	recording_clock(&recording, &read);
	recording_end(&recording, true);
	assert_int_equal(read_frames(&recorded), 0);
	assert_true(span_present(recorded.incomplete));
	recording_clear(&recording);
}

static void
test_shrinks(void **state)
{
	struct msg_recorded recorded;

	(void)state;
	begin(RECORDING_ALWAYS);
	add_call(100);
	recording_end(&recording, true);
	assert_true(span_present(recording_shrink(&recording)));
	assert_int_equal(read_frames(&recorded), 0);
	assert_true(span_present(recorded.incomplete));
	recording_clear(&recording);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holds_calls_clock_and_seed),
	    cmocka_unit_test(test_nothing_where_nothing_is_wanted),
	    cmocka_unit_test(test_large_only_of_failures),
	    cmocka_unit_test(test_gives_up_what_is_too_large),
	    cmocka_unit_test(test_gives_up_a_cut_clock),
	    cmocka_unit_test(test_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
