/*
 * One HTTP exchange after another with one gateway, as one API client.
 *
 * TLS is always verified; http goes to this host only, unless it was allowed.
 * No redirection is followed, no proxy used; an answer is read up to a bound.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_HTTP_H
#define POSTERN_CTL_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "gateway/ctl/ctl_profile.h"

#define CTL_HTTP_ETAG_BYTES 160

struct ctl_http;

struct ctl_request {
	const char *method;
	const char *path;     /* below the URL, begins with "/" */
	struct span body;     /* JSON; absent: none */
	const char *if_match; /* NULL: none */
	const int *file;      /* takes the body of a 200; NULL: the answer */
	const char *activity; /* "applying": for the progress line */
	int64_t timeout_ms;   /* for all of it */
	size_t answer_max_bytes;
};

struct ctl_answer {
	long status;
	bool is_json;
	char etag[CTL_HTTP_ETAG_BYTES]; /* "" without one */
	struct buf body;                /* owned */
};

/*
 * `profile` is borrowed. ERR_INVALID: the URL is none that may be called,
 * detail says why; ERR_NOMEM.
 */
enum err ctl_http_open(const struct ctl_profile *profile, bool insecure_http,
    struct ctl_http **http_r, struct err_detail *detail) MUST_USE;
void ctl_http_close(struct ctl_http *http); /* NULL is fine */

/*
 * ERR_LOST: nobody is there; ERR_TIMEOUT, ERR_UNKNOWN_FATE: no answer, or not
 * all of it; ERR_LIMIT: a larger answer than allowed,
 * ERR_DENIED: TLS does not show that it is the gateway, ERR_STATE:
 * interrupted. `answer_r` is to be freed in every case.
 */
enum err ctl_http_send(struct ctl_http *http, const struct ctl_request *request,
    struct ctl_answer *answer_r, struct err_detail *detail) MUST_USE;
void ctl_answer_fini(struct ctl_answer *answer);

#endif
