/*
 * One job from its arrival to its result: waiting for a child, running in it
 * within its limits, ended with a result that the slot delivers.
 *
 *	NONE --begin--> WAITING --start--> RUNNING --> ENDED --clear--> NONE
 *	                   +------ no template ---------^
 *
 * Embedded in its slot. The engine does not parse what a script computed: an
 * outcome is passed on as bytes.
 * Threads: the main one.
 */
#ifndef POSTERN_EXECUTION_H
#define POSTERN_EXECUTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/script_code.h"
#include "common/trace.h"
#include "engine/front/ask.h"
#include "engine/front/front.h"
#include "engine/front/hostcall.h"
#include "engine/front/outbound.h"
#include "engine/front/recording.h"
#include "engine/front/replay.h"
#include "proto/message.h"

struct slot;
struct template_entry;
struct worker;

#define EXECUTION_ERROR_BYTES 1025

enum execution_state {
	EXECUTION_NONE,
	EXECUTION_WAITING,
	EXECUTION_RUNNING,
	EXECUTION_ENDED
};

struct execution {
	enum execution_state state;
	struct front *front;
	struct slot *slot;

	/* The job; `job`'s spans point into job_bytes. */
	struct buf job_bytes;
	struct msg_job job;
	int64_t arrived_us;

	TAILQ_ENTRY(execution) waiting; /* in its entry, while WAITING */
	struct template_entry *entry;   /* while WAITING and RUNNING */
	struct worker *worker;          /* while RUNNING */

	int64_t started_us;    /* `run` was sent; 0: never */
	struct timer deadline; /* for a template, then wall time */
	struct timer cpu;      /* the earliest it can have used its CPU */
	struct timer ack_due;
	struct ask ack;
	struct hostcall call;
	uint64_t host_calls;
	int64_t host_call_us;
	struct buf calls;           /* frames of call_made */
	struct trace_context trace; /* its span */
	struct buf log;             /* frames of log_line */
	bool log_is_full;
	struct recording recording;
	struct replay replay;

	/* How it ended; set once ENDED. */
	enum script_code code;
	char error[EXECUTION_ERROR_BYTES];
	struct buf outcome;
	bool cold;
	int64_t cpu_us;
	int64_t run_us;
};

void execution_init(
    struct execution *execution, struct front *front, struct slot *slot);

/* Takes a job message in; the slot has nothing else in hand. An error: it is
 * no job, and nothing was begun. */
enum err execution_begin(struct execution *execution, struct span job,
    struct err_detail *detail) MUST_USE;

/* From template_pool: here is a child. */
void execution_start(struct execution *execution, struct worker *worker);

/* Ends it with a code and the engine's sentence, killing its child; the slot
 * delivers. No effect on one that has ended. */
void execution_end(
    struct execution *execution, enum script_code code, const char *sentence);

/* The gateway gave it up: no result, the slot is free again. */
void execution_abandon(struct execution *execution);

/* Kills what runs and forgets everything; nobody is told. */
void execution_clear(struct execution *execution);

/* From hostcall.c: one is over. `error` absent: it was answered. */
void execution_note_call(struct execution *execution, uint64_t call,
    int64_t duration_us, struct span error);

/* From worker.c. `status` NULL: killed, but not reaped in time. */
void execution_frame(struct execution *execution, struct span body);
void execution_out_of_turn(struct execution *execution, struct span body);
void execution_child_died(struct execution *execution, const int *status);

bool execution_is_live(const struct execution *execution);

/* The result message of one that ended; borrows its bytes. */
void
execution_result(const struct execution *execution, struct message *message_r);

#endif
