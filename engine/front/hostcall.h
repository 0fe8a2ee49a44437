/*
 * The one host call a child may have pending: taken from the child, asked of
 * the gateway in the job's name or carried out here (HTTP, keyed CRYPTO: see
 * hostcall_outside.c), answered to the child.
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
struct keyed_task;
struct outbound_call;
struct secret;

/* What a pending call waits for. */
enum hostcall_wait {
	HOSTCALL_GATEWAY, /* the gateway carries it out */
	HOSTCALL_KEYS,    /* keys_get is out */
	HOSTCALL_INTENT,  /* http_intent is out: nothing has left yet */
	HOSTCALL_WORK     /* it is being done here */
};

struct hostcall {
	struct execution *execution;
	struct ask ask;
	bool pending;
	enum message_type type;
	struct buf body; /* the child's message, for asking again */
	int64_t since_us;
	enum hostcall_wait wait;

	/* Calls carried out here. */
	struct outbound_call *http;
	struct secret *client_pem; /* lent to `http` */
	struct buf http_ca;        /* lent to `http`; empty: the engine's */
	struct keyed_task *keyed;
	struct buf http_body; /* of the last answer, as far as not given yet */
	size_t http_given;
};

void hostcall_init(struct hostcall *call, struct execution *execution);

/* True for a message a child may ask with. */
bool hostcall_is_one(enum message_type type);

bool hostcall_is_pending(const struct hostcall *call);

/* Takes the child's message; may end the execution. */
void hostcall_begin(struct hostcall *call, struct span body);

/* The execution is over: the answer matters to nobody. */
void hostcall_drop(struct hostcall *call);

/* ---- between hostcall.c and hostcall_outside.c ----------------------------
 */

/* Answers the child; the call is not pending any more. */
void hostcall_reply(struct hostcall *call, const struct message *reply);
void
hostcall_fail(struct hostcall *call, const char *error, const char *sentence);

/* Sends a question to the gateway in the call's name. False: it did not
 * encode, and the execution has ended. */
bool hostcall_question(struct hostcall *call, const struct message *question,
    enum hostcall_wait wait);

/* True: a call that is carried out here. */
bool hostcall_is_outside(enum message_type type);

/* Begins such a call, or goes on with it after keys came. */
void
hostcall_outside_begin(struct hostcall *call, const struct message *message);

/* The gateway's answer to keys_get or http_intent. */
void
hostcall_outside_answered(struct hostcall *call, const struct message *answer);

/* An HTTP request is over; the body is taken out of the answer. */
struct outbound_answer;
void hostcall_outside_http_done(
    struct hostcall *call, const struct outbound_answer *answer);

/* http_more: the next part of the last answer's body. */
void hostcall_outside_more(struct hostcall *call);

void hostcall_outside_init(struct hostcall *call);
void hostcall_outside_drop(struct hostcall *call);

#endif
