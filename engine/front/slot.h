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
 *
 * Where there are several gateways each has an equal part of the slots, its
 * own. A slot is never offered twice at a time: a gateway that has taken a
 * ticket may answer it at any moment, and then there would be two jobs for
 * one slot. While a gateway is away its slots go to the others; when it is back
 * they return, those with an execution after it, the others at once (the
 * borrower gets a hello, which voids its tickets).
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
	struct uplink *home;   /* the gateway whose slot it is */
	struct uplink *uplink; /* where its ticket or job is of */
	struct ask ask;        /* ticket or result */
	struct timer again;
	bool carries_ticket; /* the result that is out offers the slot again */
	int64_t sent_us;     /* when that left */
	bool is_settled; /* the gateway has it, though it keeps the ticket */
	struct execution execution;
};

/* How many executions at a time: `configured`, or by the cores when 0. */
unsigned slot_count(int64_t configured, int64_t cores);

enum err slots_init(struct front *front) MUST_USE;

/* A session is there: tickets and kept results go out. */
void slots_resume(struct front *front, const struct uplink *uplink);

/* Slots of a gateway that is away offer themselves to others; results that it
 * has not come back for within FRONT_DRAIN_RESULTS_MS are dropped. */
void slots_lend(struct front *front, const struct uplink *home);

/* Whether `uplink` has tickets of slots that are `home`'s. */
bool slots_are_lent(const struct front *front, const struct uplink *uplink,
    const struct uplink *home);

/* Another gateway boot: what is in hand means nothing to it. */
void slots_forget(struct front *front, const struct uplink *uplink);

/* Frames of running_job for all jobs in hand, for hello.running. */
void slots_append_running(
    const struct front *front, const struct uplink *uplink, struct buf *out);

/* Executions live now. */
unsigned slots_live(const struct front *front);

/* The gateway answered what left at `asked_us`: it has the results that went
 * well before. */
void slots_settle(
    struct front *front, const struct uplink *uplink, int64_t asked_us);

/* Jobs in hand whose result their gateway does not have. One that has heard
 * that we drain answered after the last result with a ticket went out, so it
 * has that too, though it keeps the ticket. */
unsigned slots_owed(const struct front *front);

/* Whether a job may still come as an answer. */
bool slots_offered(const struct front *front);

/* Before a hello on a live connection, where the gateway forgets tickets
 * without an answer: they come back as lost, results are sent again. */
void slots_take_back(struct front *front, const struct uplink *uplink);

/* From execution.c: it has ended with a result; it is gone without one. */
void slot_ended(struct slot *slot);
void slot_freed(struct slot *slot);

#endif
