/*
 * What an execution was told, kept while it runs: its host calls and their
 * answers, what its clock said, its seed. With it the execution can be run
 * again (messages.def: result.recording).
 *
 * Bounded: an execution that was told more is marked as not to be replayed.
 * One that nobody wants recorded costs a look at `wanted` per host call.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_RECORDING_H
#define POSTERN_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "proto/message.h"

/* messages.def: job.record. */
enum recording_wanted {
	RECORDING_NONE,
	RECORDING_OF_FAILURE, /* and of what is small */
	RECORDING_ALWAYS
};

/* A recording of this size goes with every result that may be found wrong
 * only by the gateway: copying it costs less than asking. */
#define RECORDING_SMALL_BYTES 16384

struct recording {
	enum recording_wanted wanted;
	const char *incomplete; /* why, a literal; NULL: it is whole */
	struct buf frames;      /* calls and answers; then `recorded` */
	struct buf clock;
	uint8_t seed[32];
	uint64_t started_ms;
};

void recording_init(struct recording *recording);

/* Of one run, with the seed it was sent. */
void recording_begin(
    struct recording *recording, uint64_t wanted, const uint8_t seed[32]);

/* The child's message, as it came. */
void recording_call(struct recording *recording, struct span body);
void
recording_answer(struct recording *recording, const struct message *answer);
void
recording_clock(struct recording *recording, const struct msg_clock_read *read);

/* The run is over, once: `frames` is what goes into its result, if it is not
 * empty. */
void recording_end(struct recording *recording, bool failed);

/* The same without the calls, for a result that had no room for them. */
struct span recording_shrink(struct recording *recording);

/* Forgets and wipes. */
void recording_clear(struct recording *recording);

#endif
