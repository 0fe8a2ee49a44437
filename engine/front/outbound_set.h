/*
 * What the requests of one identity provider share among themselves and with
 * nobody else: libcurl's multi handle (connections, DNS answers, CA store) and
 * TLS sessions; and how libcurl's sockets reach the front's loop.
 *
 * A set belongs to (identity provider, certificate authorities, allow-list):
 * connections judged under others are not used again. Threads: the main one.
 */
#ifndef POSTERN_OUTBOUND_SET_H
#define POSTERN_OUTBOUND_SET_H

#include <curl/curl.h>

#include "common/err.h"
#include "common/span.h"

struct front;
struct outbound;
struct outbound_call;
struct outbound_set;
struct outbound_sets;

/* The engine's settings, as libcurl wants them. */
struct outbound_limits {
	const char *ca; /* NULL: the system's */
	int64_t connect_ms;
	int64_t total_ms;
	unsigned per_host;          /* running, of one set */
	unsigned host_share;        /* running and waiting, of all sets */
	struct curl_slist *resolve; /* NULL: none */
};

const struct outbound_limits *outbound_limits(const struct outbound *outbound);

/* `ended` is told about each hop that is over; it may start the next. */
enum err outbound_sets_open(struct front *front,
    void (*ended)(struct outbound_call *call, CURLcode code),
    struct outbound_sets **sets_r, struct err_detail *detail) MUST_USE;

/* The set, made if there is none; the least recently used idle one may go.
 * NULL: out of memory. */
struct outbound_set *outbound_sets_get(struct outbound_sets *sets,
    struct span idp, struct span ca_pem, struct span allow);

/* A call names its set from outbound_set_enter() until outbound_set_leave(). */
void outbound_set_enter(struct outbound_set *set);
void outbound_set_leave(struct outbound_set *set);

CURLSH *outbound_set_share(struct outbound_set *set);

/* Hands the handle to libcurl, or takes it back. Not from its callbacks. */
enum err outbound_set_start(struct outbound_set *set, CURL *easy) MUST_USE;
void outbound_set_stop(struct outbound_set *set, CURL *easy);

#endif
