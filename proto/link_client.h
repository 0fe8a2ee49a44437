/*
 * The engine's end of the link to one gateway: one nng REQ socket with a fixed
 * number of contexts, each of which asks one question at a time.
 *
 * Traps it hides: resend off (a script would run twice) and read back;
 * RECVMAXSZ; a context's receive starts only in its send's completion; all
 * time-outs set; RECONNMINT 10 ms, RECONNMAXT 200 ms; a dialer that died
 * (link_client_redial()).
 *
 * Threads: `answered` and `connected` run on nng's threads and must not
 * block; functions may be called from any thread, link_ask() also from them.
 */
#ifndef POSTERN_LINK_CLIENT_H
#define POSTERN_LINK_CLIENT_H

#include <stdint.h>

#include "common/err.h"
#include "common/span.h"
#include "proto/link_tls.h"

struct link_client;

struct link_client_handlers {
	void *user;
	/* Exactly once per link_ask(): OK with the answer's bytes (valid during
	 * the call), ERR_LOST when the connection went while the question was
	 * out (it may or may not have been read), ERR_TIMEOUT. */
	void (*answered)(
	    void *user, unsigned context, enum err err, struct span bytes);
	/* The connection came (true) or went (false). */
	void (*connected)(void *user, bool up);
};

/* `tls` NULL: for ipc:// only. Its server_name NULL: the URL's host must be in
 * the gateway's certificate.
 * Starts dialling in the background; succeeds with nobody listening yet. The
 * gateway drops a connection with more than LINK_UNANSWERED_MAX questions out
 * (link_server.h). After an error the process is expected to exit. */
enum err link_client_open(const char *url, const struct link_tls *tls,
    unsigned contexts, const struct link_client_handlers *handlers,
    struct link_client **client_r, struct err_detail *detail) MUST_USE;

/* Reads the certificate files anew, for the connections that come; the one
 * there is stays. On an error the old ones stay in use. OK without TLS. */
enum err link_client_reload(
    struct link_client *client, struct err_detail *detail) MUST_USE;

/* Asks on an idle context (CHECK: one question at a time); `bytes` is copied.
 * `timeout_ms` 0: waits as long as the connection lives. While there is no
 * connection the question is held and sent when there is one. */
void link_ask(struct link_client *client, unsigned context, struct span bytes,
    int timeout_ms);

/* Gives up a context's question; `answered` still comes, with ERR_LOST. */
void link_cancel(struct link_client *client, unsigned context);

/* Closes the dialer and its connection and dials anew: questions that are out
 * end with ERR_LOST, held ones wait for the new connection. For a dialer that
 * died, and for a connection whose hello is not answered. */
enum err link_client_redial(
    struct link_client *client, struct err_detail *detail) MUST_USE;

#endif
