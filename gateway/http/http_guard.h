/*
 * The framing guard: is this request's head one that every HTTP parser between
 * the client and us reads alike? What is not, is refused and its connection
 * closed, so nothing can be smuggled past the proxy in front.
 *
 * civetweb is lenient, but it parses in place: it overwrites the ends of names,
 * values and lines with NUL and leaves the rest. So what it forgave is still
 * to be seen in the bytes between the strings it points to. (1.15, measured:
 * "Name: value CR LF" becomes "Name NUL SP* value NUL NUL"; the head's last
 * line is followed by CR NUL.)
 *
 * Private to gateway/http. Threads: any; a pure function.
 */
#ifndef POSTERN_HTTP_GUARD_H
#define POSTERN_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/span.h"

enum http_refusal {
	HTTP_REFUSAL_NONE,
#define HTTP_REFUSAL(symbol, label, problem, description) symbol,
#include "gateway/http/http_refusals.def"
#undef HTTP_REFUSAL
	HTTP_REFUSAL_COUNT
};

struct http_head_field {
	const char *name;
	const char *value;
};

/* All strings point into one buffer that holds the head as civetweb left it.
 * The two bytes after the head's last NUL must be readable. */
struct http_head {
	const char *method;
	const char *path;    /* NULL: not a path */
	const char *query;   /* NULL: no "?" */
	const char *version; /* "1.1": what follows "HTTP/" */
	const struct http_head_field *fields;
	unsigned field_count;
};

/* Values are trimmed; absent where the header was not sent. */
struct http_framing {
	uint64_t content_length; /* 0 without the header; UINT64_MAX: huge */
	bool is_http_1_0;
	bool may_keep; /* the client lets the connection live on */
	bool expects_continue;
	struct span host;
	struct span authorization;
	struct span content_type;
	struct span accept;
	struct span if_match;
	bool has_cookie;
};

/* HTTP_REFUSAL_NONE: the request may be served, and `framing_r` is filled. */
enum http_refusal
http_guard_check(const struct http_head *head, struct http_framing *framing_r);

#endif
