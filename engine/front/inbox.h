/*
 * Where nng's threads leave what the gateway answered, for the main thread.
 *
 * Each context has one question out at a time, so one cell a context holds
 * everything that can arrive and nothing is ever dropped.
 *
 * Threads: inbox_answered() and inbox_connected() on nng's, the rest on the
 * main one. The cells are guarded by the inbox's mutex; the event descriptor
 * wakes the loop.
 */
#ifndef POSTERN_INBOX_H
#define POSTERN_INBOX_H

#include <stdbool.h>

#include "common/err.h"
#include "common/span.h"

struct inbox;

/* What inbox_deliver() calls, on the main thread. */
struct inbox_sink {
	void *owner;
	/* `bytes` is valid during the call. */
	void (*answered)(
	    void *owner, unsigned context, enum err err, struct span bytes);
	/* The connection went. Answers that came over it may still follow. */
	void (*lost)(void *owner);
	/* There is a new connection. */
	void (*up)(void *owner);
};

/* NULL: out of memory or descriptors. Lives as long as the process. */
struct inbox *inbox_new(unsigned contexts);

/* Becomes readable when there is something to deliver. */
int inbox_event_fd(const struct inbox *inbox);

/* For struct link_client_handlers; `user` is the inbox. */
void
inbox_answered(void *user, unsigned context, enum err err, struct span bytes);
void inbox_connected(void *user, bool up);

void inbox_deliver(struct inbox *inbox, const struct inbox_sink *sink);

#endif
