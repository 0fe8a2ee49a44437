/*
 * Header fields as lines of "name: value\n": what scripts send, checked, and
 * what servers answered, in the same form. Threads: any.
 */
#ifndef POSTERN_HEADER_LINES_H
#define POSTERN_HEADER_LINES_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

struct header_line {
	struct span name;
	struct span value;
};

/* Takes the next line off. ERR_NOT_FOUND: the end. ERR_INVALID: no token, or a
 * value with control bytes (RFC 9110 section 5). */
enum err
header_lines_next(struct span *lines, struct header_line *line_r) MUST_USE;

/* ASCII case is ignored. */
bool header_lines_is(struct span name, const char *expected);

/* A field that belongs to Postern or to the connection: hop-by-hop fields,
 * Host, Content-Length, Accept-Encoding, traceparent, ... */
bool header_lines_is_ours(struct span name);

/* A field that must not follow a redirection to another origin. */
bool header_lines_is_credential(struct span name);

/*
 * A line as libcurl hands it over. Appends it with its name in lower case and
 * its value as UTF-8 (bytes that are none are taken for Latin-1); a status
 * line or an empty one appends nothing.
 */
void header_lines_append_received(struct buf *out, struct span line);

#endif
