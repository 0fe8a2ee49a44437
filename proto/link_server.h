/*
 * The gateway's end of the link: one nng raw REP socket per gateway, which
 * any number of engines dial. It moves bytes; what they mean is dispatch's.
 *
 * Traps it hides (each was measured): RECVMAXSZ set before listening and read
 * back; 16 receives outstanding with callbacks; raw REP's 64 reply slots a
 * pipe, beyond which frees replies silently (we hold a pipe to
 * LINK_UNANSWERED_MAX; one that passes it is lost for us and not served any
 * more, but not closed: closing a pipe from our end while messages arrive can
 * hang nng's reaper for good); an ipc listener that dies when a peer vanishes
 * mid-handshake (link_server_check() rebuilds it).
 *
 * Who may connect over ipc: the kernel decides at connect(), by the mode of the
 * socket (0660) and of its directory, so our own user, root, and who is of the
 * group. The peer's uid is read before its first message; a connection whose
 * uid cannot be read is closed. Over tls+tcp: who shows a certificate that
 * serves clients and is of our authority (link_tls.h). Which engine it is, its
 * identity key proves (dispatch).
 *
 * Threads: callbacks run on nng's threads and must not block; every function
 * here may be called from any thread, also from the callbacks.
 */
#ifndef POSTERN_LINK_SERVER_H
#define POSTERN_LINK_SERVER_H

#include <stdint.h>

#include "common/err.h"
#include "common/span.h"
#include "proto/link_pipe.h"
#include "proto/link_tls.h"

/* 64 reply slots a pipe in raw REP, less a quarter for safety. */
#define LINK_UNANSWERED_MAX 48

/* Two networks and a socket are usual; each costs a descriptor or two. */
#define LINK_LISTENERS_MAX 8

struct link_server;

/* One unanswered request: owned by whoever holds it, given up by answering. */
struct link_request;

struct link_server_handlers {
	void *user;
	/* A request of a pipe. The callee owns `request` and answers it once,
	 * now or later, from any thread. `bytes` is valid until then. */
	void (*received)(
	    void *user, struct link_request *request, struct span bytes);
	/* The pipe is gone: no more of it will come, answers go nowhere (they
	 * must still be given, to free the request). Called once a pipe. */
	void (*pipe_lost)(void *user, uint32_t pipe);
};

/* Without a listener yet. After an error the process is expected to exit. */
enum err link_server_open(const struct link_server_handlers *handlers,
    struct link_server **server_r, struct err_detail *detail) MUST_USE;

/*
 * Listens at a URL too, LINK_LISTENERS_MAX of them in all (ERR_LIMIT).
 * ipc:///path: the directory of the socket must exist; the socket gets mode
 * 0660 and replaces one that a dead process left; ERR_EXISTS: another gateway
 * serves it. tls+tcp://HOST:PORT: needs `tls`. ERR_INVALID, ERR_IO with a
 * sentence naming the URL or file. After an error the process is expected to
 * exit.
 */
enum err link_server_listen(struct link_server *server, const char *url,
    const struct link_tls *tls, struct err_detail *detail) MUST_USE;

/* New certificates and authorities for connections that come from now on;
 * those there are stay. On an error the old ones stay in use. */
enum err link_server_reload(
    struct link_server *server, struct err_detail *detail) MUST_USE;

/* The pipe a request came by; never 0. Valid until it is answered. */
uint32_t link_request_pipe(const struct link_request *request);

/* Who is at the other end, for people: an address and port, or a uid. Empty if
 * the pipe is gone. */
void link_request_peer(
    const struct link_request *request, char peer_r[LINK_PEER_BYTES]);

/* Sends the answer and frees the request; `bytes` is copied. An answer that
 * cannot be delivered is dropped: pipe_lost() tells. */
void link_answer(struct link_request *request, struct span bytes);

/* Frees the request without an answer (only while stopping or when its pipe is
 * known to be lost: the peer would wait for ever). */
void link_request_drop(struct link_request *request);

/*
 * Self-request through each ipc listener (dials it like an engine, sends
 * `ping`, waits up to `timeout_ms` for the answer); rebuilds the listener when
 * there is none. Looks whether each tls+tcp listener begins TLS; rebuilds none
 * of those (link_remote.h). Blocks:
 * call it from a thread of yours, about once a second. OK: they answer.
 * ERR_LOST: one did not and was rebuilt. ERR_TIMEOUT: a tls+tcp one did not.
 * ERR_IO: rebuilding failed, or cannot tell; call again.
 *
 * Pipes that work stay over a rebuild. A peer whose connection a dead listener
 * took without ever serving it believes that it is connected; it must redial
 * when its hello is not answered.
 */
enum err link_server_check(struct link_server *server, struct span ping,
    int timeout_ms, struct err_detail *detail) MUST_USE;

/* Takes no more connections: socket files go, pipes stay, so results still
 * come in and answers still go out. The process ends by _exit: nothing is ever
 * freed (nng_close while running hangs or crashes in this version). */
void link_server_quiesce(struct link_server *server);

#endif
