/*
 * The latest log lines of executions, for whoever watches: a bounded ring that
 * forgets the oldest, and a wait for the next. What it holds was masked before.
 * In memory only; the lasting log is the process's.
 *
 * Numbers rise over restarts too (the first one is the wall clock's), so a
 * watcher goes on after one where it was.
 *
 * Threads: any. One mutex, held for linking one line or for copying a page.
 */
#ifndef POSTERN_LIVE_LOG_H
#define POSTERN_LIVE_LOG_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* Some hundred executions whose log is at its limit. */
#define LIVE_LOG_LINES_MAX 8192
#define LIVE_LOG_BYTES_MAX ((size_t)8 * 1024 * 1024)

/* Lines of one answer, all of each: beyond it the watcher asks again. */
#define LIVE_LOG_PAGE_LINES 1000
#define LIVE_LOG_PAGE_BYTES ((size_t)1024 * 1024)

/* Beyond so many at a time nobody more may wait: each holds a thread of the
 * admin listener. */
#define LIVE_LOG_WATCHERS_MAX 8

struct live_log;

/* NULL: out of memory. */
struct live_log *live_log_new(void);
void live_log_free(struct live_log *live); /* NULL is fine */

/* Nobody waits any more: for a process that ends. */
void live_log_stop(struct live_log *live);

#define LIVE_LOG_ERROR 4 /* the highest level */

struct live_line {
	unsigned level; /* 0 trace .. 4 error */
	bool cut;
	struct span text; /* masked */
};

/* Copies; without memory the line is lost. NULL is fine: nobody watches. */
void live_log_add(struct live_log *live, const struct execution *execution,
    const struct live_line *line);

struct live_log_query {
	bool has_after;
	uint64_t after;      /* lines numbered above it; none: only new ones */
	struct span idp;     /* absent: of all */
	int64_t deadline_us; /* monotonic; how long to wait for a line */
};

/*
 * Appends {"lines":[..],"next":N,"lost":N}: what there is, else what comes
 * before the deadline. `lost` lines were forgotten before they were asked for.
 * ERR_FULL: too many wait already.
 */
enum err live_log_read(struct live_log *live,
    const struct live_log_query *query, struct buf *out) MUST_USE;

#endif
