/*
 * A slot: one execution at a time, pulled by a ticket on the slot's own
 * context of the link and delivered on the same, where the answer is the next
 * job.
 *
 *	IDLE --ticket--> ASKING --job--> HELD --ended--> ENDED --delivered-+
 *	  ^                 |                              (next job: HELD) |
 *	  +-----------------+-- done, go_away, lost <-----------------------+
 *
 * A result is kept until the gateway has answered it, across connections of
 * one gateway boot.
 * Threads: the main one.
 */
#ifndef POSTERN_SLOT_H
#define POSTERN_SLOT_H

#include <stdbool.h>

#include "common/buf.h"
#include "engine/front/ask.h"
#include "engine/front/execution.h"
#include "engine/front/front.h"

enum slot_state {
	SLOT_IDLE,   /* nothing in hand, no ticket out */
	SLOT_ASKING, /* a ticket is queued or out */
	SLOT_HELD,   /* an execution is live */
	SLOT_ENDED   /* a result is to be delivered or is out */
};

struct slot {
	enum slot_state state;
	struct front *front;
	struct ask ask; /* ticket or result */
	struct timer again;
	bool carries_ticket; /* the result that is out offers the slot again */
	struct execution execution;
};

/* How many executions at a time: `configured`, or by the cores when 0. */
unsigned slot_count(int64_t configured, int64_t cores);

enum err slots_init(struct front *front) MUST_USE;

/* A session is there: tickets and kept results go out. */
void slots_resume(struct front *front);

/* Another gateway boot: what is in hand means nothing to it. */
void slots_forget(struct front *front);

/* Frames of running_job for all jobs in hand, for hello.running. */
void slots_append_running(const struct front *front, struct buf *out);

/* Executions live now. */
unsigned slots_live(const struct front *front);

/* Jobs in hand whose result the gateway does not have. `was_heard`: it has
 * answered something we said after the last result with a ticket went out, so
 * it has that too, though it keeps the ticket. */
unsigned slots_owed(const struct front *front, bool was_heard);

/* Whether a job may still come as an answer. */
bool slots_offered(const struct front *front);

/* Before a hello on a live connection, where the gateway forgets tickets
 * without an answer: they come back as lost, results are sent again. */
void slots_take_back(struct front *front);

/* From execution.c: it has ended with a result; it is gone without one. */
void slot_ended(struct slot *slot);
void slot_freed(struct slot *slot);

#endif
