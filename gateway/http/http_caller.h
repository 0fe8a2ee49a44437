/*
 * A connection of this process to one of its own listeners. Private to
 * gateway/http. Threads: any; it belongs to whoever opened it.
 */
#ifndef POSTERN_HTTP_CALLER_H
#define POSTERN_HTTP_CALLER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct http_caller {
	int fd;
	unsigned own_port;
	int64_t until_us; /* monotonic: nothing waits longer */
};

/* A socket bound to a port of its own, not yet connected. */
enum err http_caller_open(const char *listen, int64_t until_us,
    struct http_caller *caller_r, struct err_detail *detail) MUST_USE;

/* Connects it to `port` of the address of `listen` (ADDRESS:PORT). */
enum err http_caller_connect(const struct http_caller *caller,
    const char *listen, unsigned port, struct err_detail *detail) MUST_USE;

enum err http_caller_send(
    const struct http_caller *caller, const char *text, size_t len) MUST_USE;

/* What the peer sends, up to its end or `bytes`; not terminated. */
enum err http_caller_receive(const struct http_caller *caller, char *text_r,
    size_t bytes, size_t *len_r) MUST_USE;

void http_caller_close(struct http_caller *caller);

#endif
