/*
 * One request and its answer on one worker thread. Private to gateway/http.
 */
#ifndef POSTERN_HTTP_EXCHANGE_H
#define POSTERN_HTTP_EXCHANGE_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/buf.h"
#include "gateway/http/http.h"
#include "gateway/http/http_source.h"

struct http_watch;
struct mg_connection;

/* What all exchanges of one server share; read-only while it serves. */
struct http_site {
	struct http_config config; /* strings and routes are the caller's */
	struct http_proxies proxies;
	struct http_watch *watch;
};

/* What one worker keeps from request to request, so that one needs no large
 * allocation. Wiped in between: it held secrets. */
struct http_worker {
	struct arena *arena;
	struct buf body; /* of the response */
	struct buf out;  /* the response as sent */
	int socket;      /* see http_body.h; -1 on a new connection */
	bool is_fresh;   /* the connection's first request is to come */
};

/* NULL: out of memory. */
struct http_worker *http_worker_new(const struct http_config *config);
void http_worker_free(struct http_worker *worker); /* NULL is fine */

/* Answers a request that civetweb parsed. Returns the status. */
int http_exchange_run(const struct http_site *site, struct http_worker *worker,
    struct mg_connection *conn, bool is_draining);

/* Answers one that civetweb refused with `status`. */
void http_exchange_refuse(const struct http_site *site,
    struct http_worker *worker, struct mg_connection *conn, int status);

#endif
