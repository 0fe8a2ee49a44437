/* Frames: whole, cut, several, impossible; nothing left of a failed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/frame.h"

#define NUMBERS 3

/* Frames of ack messages for the jobs 0 to NUMBERS - 1. */
static void
append_acks(struct buf *out)
{
	struct message message = {.type = MSG_ACK};

	for (uint64_t i = 0; i < NUMBERS; i++) {
		message.ack.job = i;
		message.ack.attempt = 1;
		assert_int_equal(frame_append(out, &message, NULL), OK);
	}
}

static void
frames_come_out_as_they_went_in(void **state)
{
	struct message message;
	struct span cursor, body;
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	append_acks(&buf);
	cursor = buf_span(&buf);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		assert_int_equal(frame_next(&cursor, &body), OK);
		assert_int_equal(
		    message_decode(body, SENDER_ENGINE, &message, NULL), OK);
		assert_int_equal(message.type, MSG_ACK);
		assert_int_equal(message.ack.job, i);
	}
	assert_int_equal(cursor.len, 0);
	assert_int_equal(frame_next(&cursor, &body), ERR_NOT_FOUND);
	buf_fini(&buf);
}

static void
a_cut_frame_waits_for_more(void **state)
{
	struct span cursor, body;
	struct buf buf;
	unsigned whole;
	enum err err;

	(void)state;
	buf_init(&buf, 1000);
	append_acks(&buf);
	for (size_t len = 0; len <= buf.len; len++) {
		cursor = span_of(buf.data, len);
		whole = 0;
		while ((err = frame_next(&cursor, &body)) == OK)
			whole++;
		assert_int_equal(err, ERR_NOT_FOUND);
		assert_int_equal(whole, len * NUMBERS / buf.len);
		assert_ptr_equal(cursor.data + cursor.len, buf.data + len);
	}
	buf_fini(&buf);
}

static void
an_impossible_length_ends_the_stream(void **state)
{
	static const uint8_t headers[][FRAME_HEADER_BYTES] = {
	    {0, 0, 0, 0}, {0, 0x10, 0, 1}, {0xff, 0xff, 0xff, 0xff}};
	const uint8_t largest[FRAME_HEADER_BYTES] = {0, 0x10, 0, 0};
	struct span cursor, body;

	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		cursor = span_of(headers[i], FRAME_HEADER_BYTES);
		assert_int_equal(frame_next(&cursor, &body), ERR_LIMIT);
	}
	cursor = span_of(largest, sizeof largest);
	assert_int_equal(frame_next(&cursor, &body), ERR_NOT_FOUND);
}

static void
a_failed_frame_leaves_nothing(void **state)
{
	struct message bad = {.type = MSG_ACK, .ack = {.attempt = UINT64_MAX}};
	struct message good = {.type = MSG_DONE};
	struct err_detail detail = {{0}};
	struct buf buf;
	size_t len;

	(void)state;
	buf_init(&buf, 20);
	assert_int_equal(frame_append(&buf, &good, &detail), OK);
	len = buf.len;
	assert_int_equal(frame_append(&buf, &bad, &detail), ERR_LIMIT);
	assert_int_equal(buf.len, len);
	assert_int_equal(buf_status(&buf), OK);
	bad.ack.attempt = 1;
	assert_int_equal(frame_append(&buf, &bad, &detail), ERR_LIMIT);
	assert_int_equal(buf.len, len);
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_come_out_as_they_went_in),
	    cmocka_unit_test(a_cut_frame_waits_for_more),
	    cmocka_unit_test(an_impossible_length_ends_the_stream),
	    cmocka_unit_test(a_failed_frame_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
