/*
 * HTTP requests of scripts, carried out by libcurl inside the front's loop.
 *
 * Each identity provider has a set of its own (connections, TLS sessions, DNS
 * answers), so that nothing of one reaches another. What a script may reach is
 * judged twice: the URL before anything happens, and each address at the
 * moment a socket to it is opened, so a DNS answer cannot change in between.
 * Redirections are followed here, each judged anew.
 *
 * At most settings->http_per_host requests of a set to one host and port are
 * under way and as many again wait. All sets together have no more of either
 * at one host than three quarters of the slots, since who waits holds a slot
 * too: a slow host leaves slots to the others. One more fails with `limit`.
 *
 * Threads: the main one. libcurl resolves names on threads of its own, which
 * a cancelled request leaves behind rather than waits for.
 */
#ifndef POSTERN_OUTBOUND_H
#define POSTERN_OUTBOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "common/trace.h"

#define OUTBOUND_ERROR_BYTES    32
#define OUTBOUND_SENTENCE_BYTES 400

struct front;
struct outbound;
struct outbound_call;

/* How it ended. `error` is a short name (connect, timeout, tls, refused,
 * too_large, limit, redirect, response, invalid), or "" for an answer. */
struct outbound_answer {
	char error[OUTBOUND_ERROR_BYTES];
	char sentence[OUTBOUND_SENTENCE_BYTES]; /* printable ASCII */
	unsigned status;
	struct span headers; /* header_lines.h */
	struct buf *body;    /* may be taken by swapping it out */
};

/* What to send. All spans are the caller's and outlive the call. */
struct outbound_order {
	struct span idp;
	struct span allow; /* allow_list.h */
	struct span correlation_id;
	const struct trace_context *trace; /* the execution's span */
	struct span method;
	struct span url;
	struct span headers;
	struct span body;       /* absent: none */
	struct span client_pem; /* certificate and key; absent: none */
	struct span ca_pem;     /* authorities; absent: the engine's */
	bool no_redirects;
	int64_t total_ms;
	size_t body_max; /* of the answer, decoded */
	/* Once, from the loop; not after outbound_cancel(). */
	void (*done)(void *owner, const struct outbound_answer *answer);
	void *owner;
};

enum err outbound_open(struct front *front, struct err_detail *detail) MUST_USE;

/*
 * Checks and judges; nothing leaves yet. NULL: it may not or cannot be sent,
 * `answer_r` says why.
 */
struct outbound_call *outbound_prepare(struct outbound *outbound,
    const struct outbound_order *order, struct outbound_answer *answer_r);

/* The host it goes to, for the gateway's grant. */
const char *outbound_host(const struct outbound_call *call);

/* Sends it, or lets it wait for its turn. */
void outbound_send(struct outbound_call *call);

/* Gives it up, in whatever state. */
void outbound_cancel(struct outbound_call *call); /* NULL is fine */

#endif
