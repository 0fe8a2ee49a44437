/*
 * How often one source may fail: counts 4xxx outcomes per (client, IdP,
 * source) in a window, so that calling init again is no way around a
 * transaction's attempts (429 too_many_attempts).
 *
 * In memory, bounded: when the table is full the entry nearest its window's
 * end makes room. Threads: any.
 */
#ifndef POSTERN_ATTEMPT_LIMIT_H
#define POSTERN_ATTEMPT_LIMIT_H

#include <stdint.h>

struct attempt_limit;

/* Who is counted; the strings are borrowed for the call. */
struct attempt_source {
	const char *client_id;
	const char *idp;
	const char *source;
};

struct attempt_limit *attempt_limit_new(void);
void attempt_limit_free(struct attempt_limit *limit);

/* 0: may go on; else seconds until the window of this source ends. `most` 0:
 * no limit. */
int64_t attempt_limit_check(struct attempt_limit *limit,
    const struct attempt_source *source, int64_t most);

void attempt_limit_count(struct attempt_limit *limit,
    const struct attempt_source *source, int64_t window_secs);

#endif
