/*
 * A request of the gateway to itself, for whoever must know that it answers.
 * Threads: any that may block.
 */
#ifndef POSTERN_HTTP_PROBE_H
#define POSTERN_HTTP_PROBE_H

#include <stdint.h>

#include "common/err.h"

struct http_server;

/* Requests that a listener has answered since it opened. */
uint64_t http_answered(const struct http_server *server);

/*
 * GET `path` of the listener at `listen` (ADDRESS:PORT; its port is `port`),
 * over TCP like anybody's. OK: it answered 200 within `timeout_ms`. ERR_STATE:
 * it answered something else. ERR_TIMEOUT, ERR_IO, ERR_LOST: it did not.
 */
enum err http_probe(const char *listen, unsigned port, const char *path,
    int64_t timeout_ms, struct err_detail *detail) MUST_USE;

#endif
