/*
 * A tls+tcp:// listener of the gateway, for engines on other hosts.
 *
 * New files are given to the running listener: nng takes a new TLS
 * configuration at any time and uses it for the connections that come from
 * then on, while those there are stay as they are. (One accept is under way
 * with the old configuration; link_remote_reload() connects once by itself to
 * use it up.)
 *
 * Unlike the ipc listener it was never seen to die: 1,000 peers that connect
 * and close, that send garbage, that stop in the middle of a handshake or reset
 * the connection, and 20 that never say anything did not keep it from
 * accepting the next one (test_link_tls repeats that). What was seen once is
 * nng as a whole standing still after its process had (its reaper waiting for
 * an answer on a connection that the peer had closed); no listener helps
 * against that. So its canary only looks whether TLS begins, and rebuilds
 * nothing: who watches this process ends it.
 *
 * Threads: one at a time (link_server.c holds its check_lock).
 */
#ifndef POSTERN_LINK_REMOTE_H
#define POSTERN_LINK_REMOTE_H

#include <nng/nng.h>

#include "common/err.h"
#include "proto/link_tls.h"

struct link_remote {
	char *url;           /* owned, for ever */
	struct link_tls tls; /* of a listener */
	nng_listener listener;
};

/* Listens. ERR_INVALID: the URL or a file; ERR_IO: the address. */
enum err link_remote_start(struct link_remote *remote, nng_socket socket,
    const char *url, const struct link_tls *tls,
    struct err_detail *detail) MUST_USE;

/* Reads the files anew; on an error the old ones stay in use. */
enum err link_remote_reload(
    struct link_remote *remote, struct err_detail *detail) MUST_USE;

/*
 * Whether somebody answers a greeting with TLS: connects and offers nothing
 * that both can speak, which costs the listener no cryptography. ERR_TIMEOUT:
 * it did not in `timeout_ms`. ERR_IO: cannot tell.
 */
enum err link_remote_check(const struct link_remote *remote, int timeout_ms,
    struct err_detail *detail) MUST_USE;

#endif
