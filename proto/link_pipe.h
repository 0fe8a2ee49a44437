/*
 * What the gateway's end of the link counts for each pipe (connection): the
 * requests that wait for their answer, and the calls into the owner's
 * `received` that are under way, so that the loss of a pipe is announced once
 * and after the last of them.
 *
 * Threads: any; the lock is inside.
 */
#ifndef POSTERN_LINK_PIPE_H
#define POSTERN_LINK_PIPE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* Engines (and probes) connected to a gateway at a time. */
#define LINK_PIPES_MAX 256

/* An address and port, or "uid " and a number, terminated. */
#define LINK_PEER_BYTES 64

struct link_pipe {
	uint32_t id; /* nng's; 0: the place is free */
	int listener_id;
	char peer[LINK_PEER_BYTES]; /* who it is, for people */
	unsigned unanswered;
	unsigned deliveries; /* calls of received() under way */
	bool is_refused;     /* what it still sends is dropped */
	bool is_lost;        /* nng removed it */
	bool is_told;        /* its loss was announced */
};

struct link_pipes {
	pthread_mutex_t lock;
	struct link_pipe places[LINK_PIPES_MAX];
};

enum link_pipe_verdict {
	LINK_PIPE_DELIVER, /* counted; link_pipe_delivered() is due */
	LINK_PIPE_IGNORE,  /* the pipe is gone or refused */
	LINK_PIPE_REFUSE /* just passed its limit; link_pipe_delivered() is due
			  */
};

void link_pipes_init(struct link_pipes *pipes);

/* False: there are LINK_PIPES_MAX already. */
bool link_pipe_add(struct link_pipes *pipes, uint32_t id, int listener_id,
    const char *peer) MUST_USE;

/* Empty if the pipe is gone. */
void link_pipe_peer(
    struct link_pipes *pipes, uint32_t id, char peer_r[LINK_PEER_BYTES]);

/* A request came by the pipe. */
enum link_pipe_verdict
link_pipe_request(struct link_pipes *pipes, uint32_t id) MUST_USE;

/*
 * From now on as good as lost: what it sends is dropped unanswered, so its
 * peer hangs up and dials anew. It is not closed from our end: closing a pipe
 * while messages arrive can hang nng 1.5.2's reaper for good. To be called
 * while a delivery of the pipe is under way.
 */
void link_pipe_refuse(struct link_pipes *pipes, uint32_t id);

/* received() returned. True: the pipe went meanwhile; announce it. */
bool link_pipe_delivered(struct link_pipes *pipes, uint32_t id) MUST_USE;

/* A request is given up. False: the pipe is gone, an answer has no way. */
bool link_pipe_answered(struct link_pipes *pipes, uint32_t id) MUST_USE;

/* nng removed the pipe. True: announce it now; false: a delivery is under way
 * and will, or it was never added. */
bool link_pipe_lose(struct link_pipes *pipes, uint32_t id) MUST_USE;

/* How many pipes of a listener live. */
unsigned link_pipe_count(struct link_pipes *pipes, int listener_id);

#endif
