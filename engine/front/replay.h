/*
 * An execution that is told what an earlier one was told: its host calls are
 * answered from that one's recording (recording.h), in order and with nothing
 * touched outside, its random numbers and its clock are that one's. A host
 * call that the earlier run did not make, or not then, ends it as diverged.
 *
 * For shadow runs, whose job brings the recording along. Not the replay of a
 * local engine, which reads recordings as JSON (local_call.h).
 *
 * Threads: the main one.
 */
#ifndef POSTERN_REPLAY_H
#define POSTERN_REPLAY_H

#include <stdbool.h>

#include "common/buf.h"
#include "proto/message.h"

struct hostcall;

/* All zero: an execution of its own. */
struct replay {
	bool is_on;
	bool has_diverged;
	struct span rest;  /* frames not given yet, in the job's bytes */
	struct span seed;  /* likewise */
	struct span clock; /* likewise, or in `stopped` */
	struct buf stopped;
};

/* `recording` absent: an execution of its own. ERR_INVALID: it is no whole
 * recording. */
enum err replay_begin(struct replay *replay, struct span recording) MUST_USE;
void replay_end(struct replay *replay);

/* Seed and clock, where there is a replay; they live as long as it. */
void replay_fill_run(const struct replay *replay, struct msg_run *run);

/* The recorded answer to this very message, borrowed from the recording.
 * False: the next call recorded is another, or was never answered. */
bool
replay_take(struct replay *replay, struct span body, struct message *reply_r);

/* Answers the child's message, or ends its execution. False: there is no
 * replay, it is for others to answer. */
bool replay_answer(struct hostcall *call, struct span body);

#endif
