/*
 * Answers from a recording; see replay.h. Runs on the main thread.
 */
#include "engine/front/replay.h"

#include "engine/front/execution.h"
#include "engine/front/hostcall.h"
#include "proto/clock_readings.h"
#include "proto/frame.h"

/* One reading of a clock. */
#define STOPPED_BYTES 32

/* The last frame. */
static enum err
find_recorded(struct span frames, struct msg_recorded *recorded_r)
{
	struct message message;
	struct span body;

	while (frame_next(&frames, &body) == OK) {
		if (message_peek(body) != MSG_RECORDED)
			continue;
		if (frames.len != 0 ||
		    message_decode(body, SENDER_ENGINE, &message, NULL) != OK)
			return ERR_INVALID;
		*recorded_r = message.recorded;
		return OK;
	}
	return ERR_INVALID;
}

enum err
replay_begin(struct replay *replay, struct span recording)
{
	struct clock_writer writer = {0};
	struct msg_recorded recorded = {0};
	enum err err;

	*replay = (struct replay){.is_on = span_present(recording)};
	buf_init(&replay->stopped, STOPPED_BYTES);
	if (!replay->is_on)
		return OK;
	err = find_recorded(recording, &recorded);
	if (err != OK || span_present(recorded.incomplete))
		return ERR_INVALID;
	replay->rest = recording;
	replay->seed = recorded.seed;
	replay->clock = recorded.clock;
	if (span_present(recorded.clock))
		return OK;
	/* The earlier run never looked: the hour is that of its start. */
	clock_writer_add(
	    &writer, (int64_t)recorded.started_ms, &replay->stopped);
	clock_writer_flush(&writer, &replay->stopped);
	replay->clock = buf_span(&replay->stopped);
	return buf_status(&replay->stopped);
}

void
replay_end(struct replay *replay)
{
	buf_fini(&replay->stopped);
	*replay = (struct replay){.is_on = false};
}

void
replay_fill_run(const struct replay *replay, struct msg_run *run)
{
	if (!replay->is_on)
		return;
	run->seed = replay->seed;
	run->clock = replay->clock;
}

/* What a child may be answered with: a recording has been in the hands of
 * another engine. */
static bool
is_answer(enum message_type type)
{
	static const enum message_type answers[] = {MSG_CACHE_VALUE,
	    MSG_CALL_FAILED, MSG_CALL_DONE, MSG_HTTP_RESPONSE, MSG_HTTP_BODY,
	    MSG_JWT_VERIFIED, MSG_JWT_SIGNED, MSG_PASSWORD_VERDICT};

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		if (answers[i] == type)
			return true;
	return false;
}

bool
replay_take(struct replay *replay, struct span body, struct message *reply_r)
{
	struct span rest = replay->rest;
	struct span asked, answer;

	if (frame_next(&rest, &asked) != OK || !span_equal(asked, body) ||
	    frame_next(&rest, &answer) != OK ||
	    !is_answer(message_peek(answer)) ||
	    message_decode(answer, SENDER_FRONT, reply_r, NULL) != OK)
		return false;
	replay->rest = rest;
	return true;
}

bool
replay_answer(struct hostcall *call, struct span body)
{
	struct execution *execution = call->execution;
	struct replay *replay = &execution->replay;
	struct message reply;

	if (!replay->is_on)
		return false;
	if (replay_take(replay, body, &reply)) {
		hostcall_reply(call, &reply);
		return true;
	}
	replay->has_diverged = true;
	execution_end(execution, SCRIPT_LOST,
	    "the recorded run did not make this host call here");
	return true;
}
