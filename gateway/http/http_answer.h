/*
 * A response as bytes: status line, headers and body in one buffer, so that it
 * leaves in one write. Private to gateway/http. Threads: any.
 */
#ifndef POSTERN_HTTP_ANSWER_H
#define POSTERN_HTTP_ANSWER_H

#include <stdbool.h>

#include "common/buf.h"
#include "gateway/http/http.h"

/* The head of an answer; its strings are ours or a route's. */
#define HTTP_ANSWER_HEAD_MAX 4096

struct http_answer {
	const struct http_response *response;
	const char *correlation_id;
	const char *allow; /* for 405; NULL: none */
	bool closes;       /* says "Connection: close" */
	bool is_bodiless;  /* to HEAD: the length without the body */
};

void http_answer_write(struct buf *out, const struct http_answer *answer);

#endif
