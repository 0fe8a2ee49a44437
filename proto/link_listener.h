/*
 * The gateway's ipc listener and its replacements.
 *
 * A listener binds a socket beside the public path and is then renamed onto
 * it. So the path never lacks a socket, a socket file a dead process left is
 * replaced like any other, nobody connects before the mode is set, and closing
 * an old listener, which unlinks the name it bound, cannot take the new one's
 * socket away. An old listener is closed only when its last pipe is gone:
 * closing it closes its pipes.
 *
 * Threads: one at a time (link_server.c holds its check_lock).
 */
#ifndef POSTERN_LINK_LISTENER_H
#define POSTERN_LINK_LISTENER_H

#include <nng/nng.h>

#include "common/err.h"
#include "proto/link_pipe.h"

/* Replaced listeners kept for their pipes; past it the oldest is closed and
 * its engines dial anew. */
#define LINK_RETIRED_MAX 8

struct link_listener {
	nng_socket socket;
	struct link_pipes *pipes;
	char *path;        /* of the socket file; owned, for ever */
	char *binding_url; /* where a new one binds before it is renamed */
	const char *binding_path; /* in binding_url */
	nng_listener current;
	nng_listener retired[LINK_RETIRED_MAX]; /* oldest first */
	unsigned retired_count;
};

/* The path of an ipc:// URL; ERR_INVALID if it is none or does not fit. */
enum err link_listener_init(struct link_listener *listener, const char *url,
    struct err_detail *detail) MUST_USE;

/* ERR_EXISTS: another process serves the path, or something that is no socket
 * is there. */
enum err link_listener_claim(
    const struct link_listener *listener, struct err_detail *detail) MUST_USE;

/* Starts a listener (`socket` and `pipes` are set by now) and puts it on the
 * path; the one that was there is retired. */
enum err link_listener_start(
    struct link_listener *listener, struct err_detail *detail) MUST_USE;

/* Closes retired listeners whose pipes are gone. */
void link_listener_sweep(struct link_listener *listener);

/* Takes the socket file away: nobody new can connect, pipes stay. */
void link_listener_hide(struct link_listener *listener);

#endif
