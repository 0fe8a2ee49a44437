/*
 * The gateway's end of the link: requests in, answers out, pipes that come
 * and go; see link_server.h. Not the listeners (link_listener.c of ipc,
 * link_remote.c of tls+tcp), not the
 * counting (link_pipe.c), not what a message means (gateway/dispatch).
 * Runs on nng's threads, and on those that answer or check.
 */
#include "proto/link_server.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "proto/link_listener.h"
#include "proto/link_options.h"
#include "proto/link_pipe.h"
#include "proto/link_probe.h"
#include "proto/link_remote.h"

/* Receives outstanding at a time. Measured: 16 cost a quarter of one. */
#define RECEIVERS 16

struct receiver {
	struct link_server *server;
	nng_aio *aio;
};

struct link_request {
	struct link_server *server;
	uint32_t pipe;
	nng_msg *message; /* the request, later the answer; owned */
	nng_aio *aio; /* sends the answer; kept when the request is reused */
	struct link_request *next_free;
};

/* Lives as long as the process. */
struct link_server {
	struct link_server_handlers handlers;
	nng_socket socket;
	struct link_pipes pipes;
	atomic_bool quiet; /* no new pipes */
	struct receiver receivers[RECEIVERS];

	pthread_mutex_t free_lock;
	struct link_request *free_requests; /* under free_lock */

	pthread_mutex_t check_lock; /* held while checking or rebuilding */
	struct link_listener locals[LINK_LISTENERS_MAX]; /* under check_lock */
	unsigned local_count;
	struct link_remote remotes[LINK_LISTENERS_MAX]; /* under check_lock */
	unsigned remote_count;
};

/* ---- requests ----------------------------------------------------------- */

static void
request_free(struct link_request *request)
{
	struct link_server *server = request->server;

	nng_msg_free(request->message);
	request->message = NULL;
	pthread_mutex_lock(&server->free_lock);
	request->next_free = server->free_requests;
	server->free_requests = request;
	pthread_mutex_unlock(&server->free_lock);
}

/* nng took the answer, or could not: then it is still the aio's. */
static void
answer_done(void *user)
{
	struct link_request *request = user;

	if (nng_aio_result(request->aio) != 0)
		request->message = nng_aio_get_msg(request->aio);
	request_free(request);
}

/* NULL: out of memory. */
static struct link_request *
request_allocate(struct link_server *server)
{
	struct link_request *request = calloc(1, sizeof *request);

	if (request == NULL)
		return NULL;
	if (nng_aio_alloc(&request->aio, answer_done, request) != 0) {
		free(request);
		return NULL;
	}
	nng_aio_set_timeout(request->aio, LINK_SEND_TIMEOUT_MS);
	request->server = server;
	return request;
}

/* NULL: out of memory. */
static struct link_request *
request_new(struct link_server *server, uint32_t pipe, nng_msg *message)
{
	struct link_request *request;

	pthread_mutex_lock(&server->free_lock);
	request = server->free_requests;
	if (request != NULL)
		server->free_requests = request->next_free;
	pthread_mutex_unlock(&server->free_lock);
	if (request == NULL)
		request = request_allocate(server);
	if (request == NULL)
		return NULL;
	request->pipe = pipe;
	request->message = message;
	return request;
}

uint32_t
link_request_pipe(const struct link_request *request)
{
	return request->pipe;
}

void
link_request_peer(
    const struct link_request *request, char peer_r[LINK_PEER_BYTES])
{
	link_pipe_peer(&request->server->pipes, request->pipe, peer_r);
}

void
link_request_drop(struct link_request *request)
{
	(void)!link_pipe_answered(&request->server->pipes, request->pipe);
	request_free(request);
}

void
link_answer(struct link_request *request, struct span bytes)
{
	struct link_server *server = request->server;

	CHECK(bytes.len <= MESSAGE_MAX_BYTES);
	if (!link_pipe_answered(&server->pipes, request->pipe)) {
		request_free(request);
		return;
	}
	/* The header stays: it holds the way back. */
	nng_msg_clear(request->message);
	if (nng_msg_append(request->message, bytes.data, bytes.len) != 0) {
		/* The peer's time-out for the question tells it. */
		log_error("link answer lost: out of memory",
		    LOG_UINT("pipe", request->pipe));
		request_free(request);
		return;
	}
	nng_aio_set_msg(request->aio, request->message);
	request->message = NULL;
	nng_send_aio(server->socket, request->aio);
}

/* ---- receiving ---------------------------------------------------------- */

static void
delivered(struct link_server *server, uint32_t pipe)
{
	if (link_pipe_delivered(&server->pipes, pipe))
		server->handlers.pipe_lost(server->handlers.user, pipe);
}

static void
deliver(struct link_server *server, uint32_t pipe, nng_msg *message)
{
	struct link_server_handlers *handlers = &server->handlers;
	struct link_request *request = request_new(server, pipe, message);

	if (request == NULL) {
		log_error(
		    "link request lost: out of memory", LOG_UINT("pipe", pipe));
		nng_msg_free(message);
		(void)!link_pipe_answered(&server->pipes, pipe);
		link_pipe_refuse(&server->pipes, pipe);
	} else {
		handlers->received(handlers->user, request,
		    span_of(nng_msg_body(message), nng_msg_len(message)));
	}
	delivered(server, pipe);
}

static void
take_message(struct link_server *server, nng_msg *message)
{
	uint32_t pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(message));

	switch (link_pipe_request(&server->pipes, pipe)) {
	case LINK_PIPE_DELIVER:
		deliver(server, pipe, message);
		return;
	case LINK_PIPE_REFUSE:
		log_warn("link pipe ignored: too many unanswered requests",
		    LOG_UINT("pipe", pipe),
		    LOG_INT("limit", LINK_UNANSWERED_MAX));
		delivered(server, pipe);
		break;
	case LINK_PIPE_IGNORE:
		break;
	}
	nng_msg_free(message);
}

static void
receive_done(void *user)
{
	struct receiver *receiver = user;
	int rv = nng_aio_result(receiver->aio);

	if (rv == NNG_ECLOSED)
		return; /* the process is ending */
	if (rv == 0)
		take_message(receiver->server, nng_aio_get_msg(receiver->aio));
	else
		log_error(
		    "link receive failed", LOG_STR("error", nng_strerror(rv)));
	nng_recv_aio(receiver->server->socket, receiver->aio);
}

/* ---- pipes -------------------------------------------------------------- */

/* Who is at the other end; NULL, or why it may not be there. */
static const char *
know_peer(nng_pipe pipe, char peer_r[LINK_PEER_BYTES])
{
	char text[INET6_ADDRSTRLEN] = "";
	nng_sockaddr address;
	bool is_verified = false;
	uint64_t uid = 0;

	if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) != 0)
		return "its address is unknown";
	if (address.s_family == NNG_AF_IPC) {
		if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) != 0)
			return "its user is unknown";
		(void)snprintf(peer_r, LINK_PEER_BYTES, "uid %" PRIu64, uid);
		return NULL;
	}
	if (nng_pipe_get_bool(pipe, NNG_OPT_TLS_VERIFIED, &is_verified) != 0 ||
	    !is_verified)
		return "its certificate was not verified";
	if (address.s_family == NNG_AF_INET) {
		(void)inet_ntop(
		    AF_INET, &address.s_in.sa_addr, text, sizeof text);
		(void)snprintf(peer_r, LINK_PEER_BYTES, "%s:%u", text,
		    ntohs(address.s_in.sa_port));
		return NULL;
	}
	(void)inet_ntop(AF_INET6, address.s_in6.sa_addr, text, sizeof text);
	(void)snprintf(peer_r, LINK_PEER_BYTES, "[%s]:%u", text,
	    ntohs(address.s_in6.sa_port));
	return NULL;
}

/* Before nng reads a byte of its first message. Who may connect is the
 * kernel's decision, by the mode of the socket and its directory, or TLS's; we
 * want to know who it was. */
static void
pipe_arriving(nng_pipe pipe, nng_pipe_ev event, void *user)
{
	struct link_server *server = user;
	uint32_t id = (uint32_t)nng_pipe_id(pipe);
	char peer[LINK_PEER_BYTES] = "";
	const char *reason;

	(void)event;
	reason = know_peer(pipe, peer);
	if (reason == NULL && atomic_load(&server->quiet))
		reason = "stopping";
	if (reason == NULL &&
	    !link_pipe_add(&server->pipes, id,
		nng_listener_id(nng_pipe_listener(pipe)), peer))
		reason = "too many connections";
	if (reason != NULL) {
		log_warn("link pipe refused", LOG_STR("reason", reason),
		    LOG_STR("peer", peer));
		nng_pipe_close(pipe);
		return;
	}
	log_debug("link pipe", LOG_UINT("pipe", id), LOG_STR("peer", peer));
}

static void
pipe_left(nng_pipe pipe, nng_pipe_ev event, void *user)
{
	struct link_server *server = user;
	uint32_t id = (uint32_t)nng_pipe_id(pipe);

	(void)event;
	if (link_pipe_lose(&server->pipes, id))
		server->handlers.pipe_lost(server->handlers.user, id);
}

/* ---- opening, checking, stopping ---------------------------------------- */

static int
open_socket(struct link_server *server)
{
	int rv = nng_rep0_open_raw(&server->socket);

	if (rv == 0)
		rv = nng_socket_set_size(
		    server->socket, NNG_OPT_RECVMAXSZ, LINK_RECEIVE_MAX_BYTES);
	if (rv == 0)
		rv = nng_socket_set_ms(
		    server->socket, NNG_OPT_SENDTIMEO, LINK_SEND_TIMEOUT_MS);
	if (rv == 0)
		rv = nng_pipe_notify(
		    server->socket, NNG_PIPE_EV_ADD_PRE, pipe_arriving, server);
	if (rv == 0)
		rv = nng_pipe_notify(
		    server->socket, NNG_PIPE_EV_REM_POST, pipe_left, server);
	for (unsigned i = 0; rv == 0 && i < RECEIVERS; i++) {
		server->receivers[i].server = server;
		rv = nng_aio_alloc(&server->receivers[i].aio, receive_done,
		    &server->receivers[i]);
	}
	return rv;
}

/* Failing here ends the process (it is not ready yet), so what was opened is
 * left to it: nng_close is not safe. */
enum err
link_server_open(const struct link_server_handlers *handlers,
    struct link_server **server_r, struct err_detail *detail)
{
	struct link_server *server = calloc(1, sizeof *server);
	int rv;

	if (server == NULL)
		return ERR_NOMEM;
	server->handlers = *handlers;
	link_pipes_init(&server->pipes);
	pthread_mutex_init(&server->free_lock, NULL);
	pthread_mutex_init(&server->check_lock, NULL);
	atomic_init(&server->quiet, false);
	rv = open_socket(server);
	if (rv != 0)
		return err_set(
		    detail, ERR_IO, "engines' socket: %s", nng_strerror(rv));
	for (unsigned i = 0; i < RECEIVERS; i++)
		nng_recv_aio(server->socket, server->receivers[i].aio);
	*server_r = server;
	return OK;
}

/* With check_lock held. */
static enum err
listen_local(
    struct link_server *server, const char *url, struct err_detail *detail)
{
	struct link_listener *listener = &server->locals[server->local_count];
	enum err err;

	err = link_listener_init(listener, url, detail);
	if (err != OK)
		return err;
	err = link_listener_claim(listener, detail);
	if (err != OK)
		return err;
	listener->socket = server->socket;
	listener->pipes = &server->pipes;
	err = link_listener_start(listener, detail);
	if (err == OK)
		server->local_count++;
	return err;
}

/* With check_lock held. */
static enum err
listen_remote(struct link_server *server, const char *url,
    const struct link_tls *tls, struct err_detail *detail)
{
	enum err err;

	if (tls == NULL)
		return err_set(
		    detail, ERR_INVALID, "%s: needs certificates", url);
	err = link_remote_start(&server->remotes[server->remote_count],
	    server->socket, url, tls, detail);
	if (err == OK)
		server->remote_count++;
	return err;
}

enum err
link_server_listen(struct link_server *server, const char *url,
    const struct link_tls *tls, struct err_detail *detail)
{
	enum err err;

	pthread_mutex_lock(&server->check_lock);
	if (server->local_count + server->remote_count >= LINK_LISTENERS_MAX)
		err = err_set(detail, ERR_LIMIT,
		    "%s: there are %d listeners already", url,
		    LINK_LISTENERS_MAX);
	else if (strncmp(url, "tls+tcp://", strlen("tls+tcp://")) == 0)
		err = listen_remote(server, url, tls, detail);
	else
		err = listen_local(server, url, detail);
	pthread_mutex_unlock(&server->check_lock);
	return err;
}

enum err
link_server_reload(struct link_server *server, struct err_detail *detail)
{
	enum err err = OK;

	pthread_mutex_lock(&server->check_lock);
	for (unsigned i = 0; i < server->remote_count && err == OK; i++)
		err = link_remote_reload(&server->remotes[i], detail);
	pthread_mutex_unlock(&server->check_lock);
	return err;
}

static enum err
check_listener(struct link_listener *listener, struct span ping, int timeout_ms,
    struct err_detail *detail)
{
	struct err_detail why = {{0}};
	enum err err;

	link_listener_sweep(listener);
	if (link_probe_ask(listener->path, ping, timeout_ms, &why) == OK)
		return OK;
	err = link_listener_start(listener, detail);
	if (err != OK)
		return err;
	return err_set(detail, ERR_LOST, "%s; rebuilt", why.text);
}

enum err
link_server_check(struct link_server *server, struct span ping, int timeout_ms,
    struct err_detail *detail)
{
	enum err err = OK, one;

	pthread_mutex_lock(&server->check_lock);
	for (unsigned i = 0; i < server->local_count; i++) {
		if (atomic_load(&server->quiet))
			break;
		one = check_listener(
		    &server->locals[i], ping, timeout_ms, detail);
		if (one != OK)
			err = one;
	}
	for (unsigned i = 0; i < server->remote_count; i++) {
		one =
		    link_remote_check(&server->remotes[i], timeout_ms, detail);
		if (one != OK)
			err = one;
	}
	pthread_mutex_unlock(&server->check_lock);
	return err;
}

void
link_server_quiesce(struct link_server *server)
{
	atomic_store(&server->quiet, true);
	pthread_mutex_lock(&server->check_lock);
	for (unsigned i = 0; i < server->local_count; i++)
		link_listener_hide(&server->locals[i]);
	pthread_mutex_unlock(&server->check_lock);
}
