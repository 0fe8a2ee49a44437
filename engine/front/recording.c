/*
 * Keeping what an execution was told; see recording.h. Not what becomes of
 * it: the gateway seals it (gateway/dispatch/record.h).
 * Runs on the main thread.
 */
#include "engine/front/recording.h"

#include <string.h>
#include <sys/time.h>

#include "common/check.h"
#include "proto/clock_readings.h"
#include "proto/frame.h"

/* messages.def: result.recording; room for `recorded` with a full clock is
 * kept free of the calls. */
#define RECORDING_MAX_BYTES 786432
#define RECORDED_MAX_BYTES  (CLOCK_READINGS_MAX_BYTES + 1024)
#define CALLS_MAX_BYTES     (RECORDING_MAX_BYTES - RECORDED_MAX_BYTES)

#define TOO_LARGE         "its host calls and their answers were too large to be kept"
#define TOO_MANY_READINGS "it read the clock too often to keep what it said"
#define NOT_SENT \
	"it was large, and the engine saw no failure that it was needed for"
#define NO_ROOM "the result's message had no room for it"

void
recording_init(struct recording *recording)
{
	*recording = (struct recording){.wanted = RECORDING_NONE};
	buf_init(&recording->frames, RECORDING_MAX_BYTES);
	buf_init(&recording->clock, CLOCK_READINGS_MAX_BYTES);
}

void
recording_begin(
    struct recording *recording, uint64_t wanted, const uint8_t seed[32])
{
	struct timeval now;

	recording->wanted = (enum recording_wanted)wanted;
	if (recording->wanted == RECORDING_NONE)
		return;
	(void)gettimeofday(&now, NULL);
	recording->started_ms =
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
	memcpy(recording->seed, seed, sizeof recording->seed);
}

void
recording_clear(struct recording *recording)
{
	buf_wipe(&recording->frames);
	buf_wipe(&recording->clock);
	explicit_bzero(recording->seed, sizeof recording->seed);
	recording->incomplete = NULL;
	recording->wanted = RECORDING_NONE;
}

static bool
takes_calls(const struct recording *recording)
{
	return recording->wanted != RECORDING_NONE &&
	       recording->incomplete == NULL;
}

/* Calls without their answers are of no use: none is kept. */
static void
give_up(struct recording *recording, const char *why)
{
	buf_wipe(&recording->frames);
	recording->incomplete = why;
}

void
recording_call(struct recording *recording, struct span body)
{
	uint8_t header[FRAME_HEADER_BYTES];

	if (!takes_calls(recording))
		return;
	if (recording->frames.len + sizeof header + body.len >
	    CALLS_MAX_BYTES) {
		give_up(recording, TOO_LARGE);
		return;
	}
	header[0] = (uint8_t)(body.len >> 24);
	header[1] = (uint8_t)(body.len >> 16);
	header[2] = (uint8_t)(body.len >> 8);
	header[3] = (uint8_t)body.len;
	buf_append(&recording->frames, header, sizeof header);
	buf_append_span(&recording->frames, body);
}

void
recording_answer(struct recording *recording, const struct message *answer)
{
	if (!takes_calls(recording))
		return;
	if (frame_append(&recording->frames, answer, NULL) != OK ||
	    recording->frames.len > CALLS_MAX_BYTES)
		give_up(recording, TOO_LARGE);
}

void
recording_clock(struct recording *recording, const struct msg_clock_read *read)
{
	if (recording->wanted == RECORDING_NONE)
		return;
	buf_append_span(&recording->clock, read->readings);
	if (recording->clock.failed || read->cut)
		give_up(recording, TOO_MANY_READINGS);
}

static void
append_recorded(struct recording *recording)
{
	struct message message = {.type = MSG_RECORDED};

	message.recorded.seed =
	    span_of(recording->seed, sizeof recording->seed);
	message.recorded.started_ms = recording->started_ms;
	if (recording->clock.len > 0)
		message.recorded.clock = buf_span(&recording->clock);
	if (recording->incomplete != NULL)
		message.recorded.incomplete = span_str(recording->incomplete);
	if (frame_append(&recording->frames, &message, NULL) != OK)
		buf_wipe(&recording->frames); /* no memory: no recording */
}

void
recording_end(struct recording *recording, bool failed)
{
	if (recording->wanted == RECORDING_NONE)
		return;
	if (recording->wanted == RECORDING_OF_FAILURE && !failed &&
	    recording->frames.len > RECORDING_SMALL_BYTES)
		give_up(recording, NOT_SENT);
	append_recorded(recording);
}

struct span
recording_shrink(struct recording *recording)
{
	if (recording->wanted == RECORDING_NONE)
		return (struct span){NULL, 0};
	give_up(recording, NO_ROOM);
	append_recorded(recording);
	return recording->frames.len == 0 ? (struct span){NULL, 0}
					  : buf_span(&recording->frames);
}
