/*
 * The listener: civetweb's options and callbacks, start and end. Every request
 * is answered from begin_request, so nothing of civetweb's own (files, CGI,
 * listings, authentication) can ever be reached. Not what happens to a request
 * (http_exchange.c). Runs on the caller's thread; callbacks on the workers.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <civetweb.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/http/http.h"
#include "gateway/http/http_exchange.h"
#include "gateway/http/http_gate.h"
#include "gateway/http/http_probe.h"
#include "gateway/http/http_socket.h"
#include "gateway/http/http_watch.h"

/* The whole head: a client assertion or a long bearer token fits, with the
 * headers that proxies add. */
#define HEAD_MAX_BYTES 16384

/* For the head, which a proxy on this host sends in one piece. */
#define HEAD_MAX_MS 2000

/* An idle connection holds a thread, so it is not for long; a proxy opens a
 * new one in microseconds. */
#define KEEP_ALIVE_MS 5000

/* Accepted connections that wait for a thread. */
#define CONNECTION_QUEUE 64

/* While draining, for connections on their way to a worker. */
#define LOOK_AGAIN_MS 5

/* civetweb's thread_type of init_thread. */
#define THREAD_IS_WORKER 1

/* Where civetweb listens for the moment in which it gets a kept socket. */
#define STAND_IN "127.0.0.1:0"

/* Longest decimal of an option's number. */
#define NUMBER_BYTES 24

struct http_server {
	struct http_site site;
	struct mg_context *ctx;
	unsigned port;
	pthread_mutex_t mutex; /* guards the next three */
	pthread_cond_t idle;   /* monotonic; signalled when running is 0 */
	/* Requests, and connections whose first request is still to come: who
	 * was let in is served, also while draining. */
	unsigned running;
	unsigned held; /* connections that have a worker */
	bool is_draining;
	bool is_shut; /* the gate: who is in is all there will be */
	_Atomic uint64_t answered;
	struct http_listen listen; /* port 0 until it is known */
	struct http_gate gate;
};

/* Every number is made into text for civetweb. */
struct option_numbers {
	char threads[NUMBER_BYTES];
	char queue[NUMBER_BYTES];
	char head_bytes[NUMBER_BYTES];
	char head_ms[NUMBER_BYTES];
	char keep_alive_ms[NUMBER_BYTES];
};

static struct http_server *
server_of(const struct mg_connection *conn)
{
	return mg_get_user_data(mg_get_context(conn));
}

/* False: draining. */
static bool
enter(struct http_server *server)
{
	bool is_draining;

	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	server->running++;
	is_draining = server->is_draining;
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
	return !is_draining;
}

static void
leave(struct http_server *server)
{
	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	CHECK(server->running > 0);
	if (--server->running == 0 && server->is_draining)
		CHECK(pthread_cond_signal(&server->idle) == 0);
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
}

/* False: it finds us draining. Counted. */
static bool
admit(struct http_server *server, struct http_worker *worker)
{
	bool is_open;

	if (!worker->is_fresh)
		return enter(server);
	worker->is_fresh = false; /* on_connection() counted it */
	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	is_open = !server->is_draining || server->is_shut;
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
	return is_open;
}

static int
on_request(struct mg_connection *conn)
{
	struct http_server *server = server_of(conn);
	struct http_worker *worker = mg_get_thread_pointer(conn);
	bool is_open = admit(server, worker);
	int status = http_exchange_run(&server->site, worker, conn, !is_open);

	atomic_fetch_add(&server->answered, 1);
	leave(server);
	return status; /* above 0: civetweb has nothing more to do */
}

static int
on_error(struct mg_connection *conn, int status, const char *message)
{
	struct http_server *server = server_of(conn);
	struct http_worker *worker = mg_get_thread_pointer(conn);

	(void)message; /* may quote the request */
	(void)admit(server, worker);
	http_exchange_refuse(&server->site, worker, conn, status);
	leave(server);
	return 0;
}

/* civetweb's sentences can quote a request with its credentials; what matters
 * of a request is in our own line. */
static int
on_message(const struct mg_connection *conn, const char *message)
{
	if (conn == NULL)
		log_debug("http library", LOG_STR("message", message));
	return 1;
}

static void *
on_thread_start(const struct mg_context *ctx, int thread_type)
{
	const struct http_server *server = mg_get_user_data(ctx);
	struct http_worker *worker;

	if (thread_type != THREAD_IS_WORKER)
		return NULL;
	worker = http_worker_new(&server->site.config);
	CHECK(worker != NULL); /* before the process is ready: may die */
	if (server->site.config.worker_begins != NULL)
		server->site.config.worker_begins();
	return worker;
}

static void
on_thread_end(const struct mg_context *ctx, int thread_type, void *worker)
{
	(void)ctx;
	if (thread_type == THREAD_IS_WORKER)
		http_worker_free(worker);
}

/* A worker serves one connection at a time, from here to its end. */
static int
on_connection(const struct mg_connection *conn, void **conn_data)
{
	struct http_worker *worker = mg_get_thread_pointer(conn);
	struct http_server *server = server_of(conn);

	worker->socket = -1;
	worker->is_fresh = true;
	*conn_data = NULL;
	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	server->held++;
	server->running++;
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
	return 0;
}

static void
on_connection_end(const struct mg_connection *conn)
{
	struct http_worker *worker = mg_get_thread_pointer(conn);
	struct http_server *server = server_of(conn);

	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	CHECK(server->held > 0);
	server->held--;
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
	if (worker->is_fresh)
		leave(server);
	worker->is_fresh = false;
}

static const struct mg_callbacks callbacks = {
    .begin_request = on_request,
    .http_error = on_error,
    .log_message = on_message,
    .init_thread = on_thread_start,
    .exit_thread = on_thread_end,
    .init_connection = on_connection,
    .connection_close = on_connection_end,
};

static void
print_number(char text_r[NUMBER_BYTES], int64_t number)
{
	(void)snprintf(text_r, NUMBER_BYTES, "%lld", (long long)number);
}

static void
print_numbers(const struct http_config *config, struct option_numbers *numbers)
{
	int64_t head_ms =
	    config->request_ms < HEAD_MAX_MS ? config->request_ms : HEAD_MAX_MS;

	print_number(numbers->threads, config->threads);
	print_number(numbers->queue, CONNECTION_QUEUE);
	print_number(numbers->head_bytes, HEAD_MAX_BYTES);
	print_number(numbers->head_ms, head_ms);
	print_number(numbers->keep_alive_ms, KEEP_ALIVE_MS);
}

static enum err
start_civetweb(struct http_server *server, struct err_detail *detail)
{
	struct option_numbers numbers;
	char text[256] = "";
	const char *options[] = {"listening_ports",
	    server->gate.taken < 0 ? server->site.config.listen : STAND_IN,
	    "num_threads", numbers.threads, "connection_queue", numbers.queue,
	    "max_request_size", numbers.head_bytes, "request_timeout_ms",
	    numbers.head_ms, "keep_alive_timeout_ms", numbers.keep_alive_ms,
	    "enable_keep_alive", "yes", "tcp_nodelay", "1", "decode_url", "no",
	    "decode_query_string", "no", "allow_sendfile_call", "no",
	    "enable_directory_listing", "no", NULL};
	struct mg_init_data init = {
	    .callbacks = &callbacks,
	    .user_data = server,
	    .configuration_options = options,
	};
	struct mg_error_data error = {
	    .text = text,
	    .text_buffer_size = sizeof text,
	};
	struct mg_server_port port = {0};

	print_numbers(&server->site.config, &numbers);
	server->ctx = mg_start2(&init, &error);
	if (server->ctx == NULL)
		return err_set(detail, ERR_IO, "cannot listen on %s (%s)",
		    server->site.config.listen, text);
	CHECK(mg_get_server_ports(server->ctx, 1, &port) == 1);
	server->port = (unsigned)port.port;
	return OK;
}

static void
server_init(struct http_server *server, const struct http_config *config)
{
	pthread_condattr_t attributes;

	server->site.config = *config;
	CHECK(pthread_mutex_init(&server->mutex, NULL) == 0);
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&server->idle, &attributes) == 0);
	CHECK(pthread_condattr_destroy(&attributes) == 0);
}

static void
server_free(struct http_server *server)
{
	http_watch_close(server->site.watch);
	http_proxies_fini(&server->site.proxies);
	(void)pthread_cond_destroy(&server->idle);
	(void)pthread_mutex_destroy(&server->mutex);
	free(server);
}

/* Now civetweb listens, there or at the stand-in. */
static enum err
open_gate(struct http_server *server, struct err_detail *detail)
{
	struct http_listen found = server->listen;
	enum err err = OK;

	if (server->gate.taken >= 0)
		err = http_listen_parse(STAND_IN, &found, detail);
	if (err != OK)
		return err;
	found.port = server->port;
	if (server->gate.taken >= 0)
		server->port = server->listen.port;
	return http_gate_open(&server->gate, &found, detail);
}

static enum err
server_start(struct http_server *server, struct err_detail *detail)
{
	struct http_site *site = &server->site;
	enum err err;

	/* civetweb itself would take more forms, "8080" for the world. */
	err = http_listen_parse(site->config.listen, &server->listen, detail);
	if (err == OK)
		err = http_proxies_parse(
		    site->config.trusted_proxy, &site->proxies, detail);
	if (err == OK)
		err = http_watch_open(site->config.threads, &site->watch);
	if (err != OK)
		return err;
	http_gate_take(&server->gate, site->config.name, &server->listen);
	err = start_civetweb(server, detail);
	if (err == OK)
		err = open_gate(server, detail);
	return err;
}

enum err
http_open(const struct http_config *config, struct http_server **server_r,
    struct err_detail *detail)
{
	struct http_server *server = calloc(1, sizeof *server);
	enum err err;

	if (server == NULL)
		return ERR_NOMEM;
	server_init(server, config);
	(void)mg_init_library(MG_FEATURES_DEFAULT);
	err = server_start(server, detail);
	if (err != OK) {
		(void)mg_exit_library();
		server_free(server);
		return err_prefix(detail, err, "%s listener", config->name);
	}
	*server_r = server;
	return OK;
}

uint64_t
http_answered(const struct http_server *server)
{
	return atomic_load(&server->answered);
}

unsigned
http_port(const struct http_server *server)
{
	return server->port;
}

/* Nothing runs, and no connection waits for a worker. Locked. */
static bool
is_idle(const struct http_server *server)
{
	if (server->running > 0)
		return false;
	return !server->is_shut ||
	       http_socket_count((int)server->port) <= server->held;
}

/* True: it got so. Locked. */
static bool
wait_until_idle(struct http_server *server, int64_t until_us)
{
	while (!is_idle(server)) {
		int64_t look_us = clock_mono_us() + LOOK_AGAIN_MS * 1000;
		struct timespec until = clock_timespec_of_us(
		    server->running > 0 || look_us > until_us ? until_us
							      : look_us);

		if (clock_mono_us() >= until_us)
			return false;
		(void)pthread_cond_timedwait(
		    &server->idle, &server->mutex, &until);
	}
	return true;
}

bool
http_drain(struct http_server *server, int64_t grace_ms)
{
	int64_t until_us = clock_mono_us() + grace_ms * 1000;
	bool got_idle;

	CHECK(pthread_mutex_lock(&server->mutex) == 0);
	server->is_shut = http_gate_shut(&server->gate);
	server->is_draining = true;
	got_idle = wait_until_idle(server, until_us);
	CHECK(pthread_mutex_unlock(&server->mutex) == 0);
	if (!got_idle)
		log_warn("requests still running at the end of their grace",
		    LOG_STR("listener", server->site.config.name));
	return got_idle;
}

void
http_close(struct http_server *server)
{
	mg_stop(server->ctx);
	(void)mg_exit_library();
	server_free(server);
}
