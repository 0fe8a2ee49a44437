/*
 * Questions to a gateway: which context of the link each goes out by, and
 * the queue of those that wait for one. Each gateway has its own.
 *
 * A question belongs to a range of contexts (a slot's own one, the host-call
 * share, ...). While the session is not welcome only control questions leave.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_ASK_H
#define POSTERN_ASK_H

#include <stdbool.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/err.h"
#include "engine/front/front_limits.h"
#include "proto/message.h"

enum ask_state { ASK_IDLE, ASK_QUEUED, ASK_OUT };

/* One question, embedded in its owner and used again and again. */
struct ask {
	TAILQ_ENTRY(ask) link; /* while queued */
	enum ask_state state;
	struct asks *asks; /* while queued or out: of that gateway */
	unsigned first;    /* the contexts it may use */
	unsigned count;
	unsigned context; /* while out */
	bool control;     /* leaves also without a session */
	int timeout_ms;
	struct buf bytes;
	/* Exactly once per ask_send(); the ask is idle again by then. */
	void (*answered)(void *owner, enum err err, struct span bytes);
	void *owner;
};

TAILQ_HEAD(ask_queue, ask);

/* What takes questions away and leaves answers in the inbox: nng's link
 * (link_client.h says how), or the local host that stands in for a gateway. */
struct ask_carrier {
	void *owner;
	void (*ask)(
	    void *owner, unsigned context, struct span bytes, int timeout_ms);
	void (*cancel)(void *owner, unsigned context);
};

struct asks {
	struct ask_carrier carrier;
	bool open; /* the session is welcome */
	struct ask_queue queue;
	bool busy[FRONT_CONTEXTS_MAX];         /* a question is out by it */
	bool cancelled[FRONT_CONTEXTS_MAX];    /* its loss is our own doing */
	struct ask *asker[FRONT_CONTEXTS_MAX]; /* NULL: nobody cares any more */
};

void asks_init(struct asks *asks);

/* Lets questions out (true) or keeps them queued (false). */
void asks_open(struct asks *asks, bool open);

/* Whether an answer of ERR_LOST for this context is due to ask_cancel(). */
bool asks_is_cancelled(const struct asks *asks, unsigned context);

/* What the link gave back for a context. */
void asks_answered(
    struct asks *asks, unsigned context, enum err err, struct span bytes);

void ask_init(struct ask *ask, unsigned first, unsigned count,
    void (*answered)(void *owner, enum err err, struct span bytes),
    void *owner);

/* Encodes and sends or queues; the ask must be idle. `timeout_ms` 0: as long
 * as the connection lives. Errors of message_encode(): then nothing is sent. */
enum err
ask_send(struct asks *asks, struct ask *ask, const struct message *message,
    int timeout_ms, struct err_detail *detail) MUST_USE;

/* The owner wants no answer any more; the ask is idle afterwards. One that is
 * out keeps its context busy until the gateway answers, as it also keeps its
 * place in the gateway's count. */
void ask_drop(struct ask *ask);

/* Has one that is out come back as lost. */
void ask_cancel(struct ask *ask);

/* Frees the bytes; the ask must be idle. */
void ask_fini(struct ask *ask);

#endif
