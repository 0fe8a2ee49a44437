/*
 * Who sent a request, and the id that follows it through every log: from the
 * peer, or from the headers of a proxy that the operator trusts.
 *
 * Private to gateway/http. Threads: any; a list is immutable once parsed.
 */
#ifndef POSTERN_HTTP_SOURCE_H
#define POSTERN_HTTP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/trace.h"
#include "common/span.h"
#include "gateway/http/http_guard.h"

/* IPv6; an IPv4 address is mapped (::ffff:a.b.c.d), so that the two spellings
 * of one peer are equal. */
struct http_address {
	uint8_t bytes[16];
};

struct http_proxies {
	struct http_address *items; /* owned */
	size_t count;
};

/* Comma-separated addresses. ERR_INVALID names the one that is none. */
enum err http_proxies_parse(const char *list, struct http_proxies *proxies_r,
    struct err_detail *detail) MUST_USE;
void http_proxies_fini(struct http_proxies *proxies);

/* `peer` is the text of the connection's remote address. */
bool http_proxies_trust(const struct http_proxies *proxies, const char *peer);

/*
 * The peer; or, where it is trusted, the right-most entry of X-Forwarded-For
 * that is not: what stands left of it, the client may have written itself.
 * In the arena; NULL when it is full.
 */
const char *http_source_find(const struct http_proxies *proxies,
    const char *peer, const struct http_head *head, struct arena *arena);

/* The proxy's X-Correlation-Id if it is well-formed, else 128 random bits in
 * hex. `head` NULL: there is none. In the arena; NULL when it is full. */
const char *http_correlation_find(const struct http_proxies *proxies,
    const char *peer, const struct http_head *head, struct arena *arena);

/* The request's span: beneath the one that a trusted proxy's traceparent
 * names, else a trace of its own. */
void http_trace_find(const struct http_proxies *proxies, const char *peer,
    const struct http_head *head, const char *correlation_id,
    struct trace_context *trace_r);

#endif
