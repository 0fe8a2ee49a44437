/*
 * The one host call a child may have pending: taken from the child, asked of
 * the gateway in the job's name, answered to the child.
 *
 * A call whose connection went while it was out has an unknown effect. Only
 * cache_fetch, which has none, is asked again; otherwise the execution ends
 * with SCRIPT_LOST.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_HOSTCALL_H
#define POSTERN_HOSTCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/front/ask.h"
#include "proto/message.h"

struct execution;

struct hostcall {
	struct execution *execution;
	struct ask ask;
	bool pending;
	enum message_type type;
	struct buf body; /* the child's message, for asking again */
	int64_t since_us;
};

void hostcall_init(struct hostcall *call, struct execution *execution);

/* True for a message a child may ask with. */
bool hostcall_is_one(enum message_type type);

bool hostcall_is_pending(const struct hostcall *call);

/* Takes the child's message; may end the execution. */
void hostcall_begin(struct hostcall *call, struct span body);

/* The execution is over: the answer matters to nobody. */
void hostcall_drop(struct hostcall *call);

#endif
