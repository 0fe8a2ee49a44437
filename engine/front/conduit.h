/*
 * A framed message stream with a runner process: non-blocking, bounded both
 * ways, and telling which process wrote what.
 *
 * The other end may run native code of an attacker: it may stop reading, send
 * nonsense or pass descriptors (which are dropped by the kernel, as we offer
 * no room for them).
 *
 * Threads: the main one.
 */
#ifndef POSTERN_CONDUIT_H
#define POSTERN_CONDUIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "engine/front/loop.h"
#include "proto/message.h"

struct conduit_events {
	/* One frame's body. `pid`: its writer by the kernel's word, 0 if the
	 * conduit does not ask for it. May close the conduit. */
	void (*frame)(void *owner, struct span body, pid_t pid);
	/* No more will come: end of file, an error or a broken frame. Called
	 * once; the owner closes the conduit. */
	void (*lost)(void *owner, const char *why);
	/* All that was queued has been written. */
	void (*drained)(void *owner);
};

struct conduit {
	struct loop *loop;
	int fd;                    /* -1: closed */
	struct loop_source source; /* forgotten once the conduit is lost: a
				    * hang-up would wake the loop for ever */
	struct buf in;  /* the start of a frame whose rest has not come */
	struct buf out; /* what the other end has not taken yet */
	bool wants_pid;
	bool is_lost; /* `lost` was called */
	const struct conduit_events *events;
	void *owner;
};

/*
 * A socketpair for a runner process: ours is non-blocking and, with
 * `wants_pid`, asks for credentials before the other end can write anything.
 */
enum err conduit_pair(bool wants_pid, int *ours_r, int *theirs_r) MUST_USE;

/* Takes `fd` over, also on failure. */
enum err conduit_open(struct conduit *conduit, struct loop *loop, int fd,
    bool wants_pid, const struct conduit_events *events, void *owner) MUST_USE;

/* Idempotent; also fine on a conduit whose fd was set to -1. */
void conduit_close(struct conduit *conduit);

bool conduit_is_open(const struct conduit *conduit);

/* Writes what the socket takes and queues the rest. ERR_LIMIT: the other end
 * has stopped reading, or the message does not encode. */
enum err conduit_send(struct conduit *conduit, const struct message *message,
    struct err_detail *detail) MUST_USE;

/* Sends a small message with a descriptor. ERR_FULL: not now, wait for
 * `drained`; nothing was sent. The descriptor stays the caller's. */
enum err conduit_send_fd(
    struct conduit *conduit, const struct message *message, int fd) MUST_USE;

/* Delivers all that has arrived, without waiting: for when the writer is
 * known to be dead. */
void conduit_read_all(struct conduit *conduit);

#endif
