/*
 * The ring of the latest log lines; see live_log.h. Not here: reading what an
 * engine sent, masking (outcomes.c).
 */
#include "gateway/dispatch/live_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/json_text.h"

#define US_OF_SECOND 1000000

/* HTTP's correlation ids, and REALM.md's identifiers, terminated. */
#define CORRELATION_ID_BYTES 65
#define IDP_BYTES            65

struct kept_line {
	char at[CLOCK_ISO_BYTES];
	char correlation_id[CORRELATION_ID_BYTES];
	char idp[IDP_BYTES];
	enum script_kind kind;
	unsigned level;
	bool cut;
	size_t len;
	uint8_t text[];
};

struct live_log {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t news;  /* a line came, or stopping was set */
	struct kept_line *lines[LIVE_LOG_LINES_MAX]; /* number % MAX */
	uint64_t first; /* number of the oldest kept */
	uint64_t next;  /* of the line to come */
	uint64_t began; /* of the first of this process */
	size_t bytes;
	unsigned watchers;
	bool stopping;
};

struct live_log *
live_log_new(void)
{
	struct live_log *live = calloc(1, sizeof *live);
	pthread_condattr_t monotonic;

	if (live == NULL)
		return NULL;
	CHECK(pthread_mutex_init(&live->lock, NULL) == 0);
	CHECK(pthread_condattr_init(&monotonic) == 0);
	CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&live->news, &monotonic) == 0);
	(void)pthread_condattr_destroy(&monotonic);
	live->began = (uint64_t)clock_wall_secs() * US_OF_SECOND;
	live->first = live->began;
	live->next = live->began;
	return live;
}

static struct kept_line **
place_of(struct live_log *live, uint64_t number)
{
	return &live->lines[number % LIVE_LOG_LINES_MAX];
}

/* Locked; there is a line. */
static void
forget_oldest(struct live_log *live)
{
	struct kept_line **place = place_of(live, live->first++);

	live->bytes -= sizeof **place + (*place)->len;
	free(*place);
	*place = NULL;
}

void
live_log_free(struct live_log *live)
{
	if (live == NULL)
		return;
	while (live->first < live->next)
		forget_oldest(live);
	(void)pthread_cond_destroy(&live->news);
	(void)pthread_mutex_destroy(&live->lock);
	free(live);
}

void
live_log_stop(struct live_log *live)
{
	pthread_mutex_lock(&live->lock);
	live->stopping = true;
	pthread_cond_broadcast(&live->news);
	pthread_mutex_unlock(&live->lock);
}

/* NULL: out of memory. */
static struct kept_line *
line_new(const struct execution *x, const struct live_line *line)
{
	struct kept_line *kept = calloc(1, sizeof *kept + line->text.len);

	if (kept == NULL)
		return NULL;
	clock_iso_now(kept->at);
	(void)snprintf(kept->correlation_id, sizeof kept->correlation_id, "%s",
	    x->correlation_id);
	(void)snprintf(kept->idp, sizeof kept->idp, "%s", x->idp->identifier);
	kept->kind = x->kind;
	kept->level = line->level;
	kept->cut = line->cut;
	kept->len = line->text.len;
	if (kept->len > 0)
		memcpy(kept->text, line->text.data, kept->len);
	return kept;
}

void
live_log_add(struct live_log *live, const struct execution *execution,
    const struct live_line *line)
{
	struct kept_line *kept;
	size_t bytes;

	if (live == NULL)
		return;
	kept = line_new(execution, line);
	if (kept == NULL)
		return;
	bytes = sizeof *kept + kept->len;
	pthread_mutex_lock(&live->lock);
	while (live->first < live->next &&
	       (live->next - live->first == LIVE_LOG_LINES_MAX ||
		   live->bytes + bytes > LIVE_LOG_BYTES_MAX))
		forget_oldest(live);
	*place_of(live, live->next++) = kept;
	live->bytes += bytes;
	if (live->watchers > 0)
		pthread_cond_broadcast(&live->news);
	pthread_mutex_unlock(&live->lock);
}

/* ---- watching ----------------------------------------------------------- */

static void
append_line(struct buf *out, uint64_t number, const struct kept_line *line)
{
	static const char *const levels[] = {
	    "trace", "debug", "info", "warn", "error"};
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_int(out, &first, "number", (int64_t)number);
	json_append_member_str(out, &first, "at", span_str(line->at));
	json_append_member_str(
	    out, &first, "correlation_id", span_str(line->correlation_id));
	json_append_member_str(out, &first, "idp", span_str(line->idp));
	json_append_member_str(
	    out, &first, "script", span_str(script_kind_name(line->kind)));
	json_append_member_str(out, &first, "level",
	    span_str(levels[line->level <= 4 ? line->level : 2]));
	json_append_member_str(
	    out, &first, "text", span_of(line->text, line->len));
	json_append_member_raw(
	    out, &first, "cut", span_str(line->cut ? "true" : "false"));
	buf_append_char(out, '}');
}

struct page {
	struct span idp;
	uint64_t next; /* the first line not looked at */
	uint64_t lost;
	unsigned count;
	struct buf *out;
};

/* Lines from page->next on, as many as an answer has room for. Locked. */
static void
take_lines(struct live_log *live, struct page *page)
{
	size_t start = page->out->len;

	if (page->next < live->first) {
		/* What an earlier process had is nobody's to count. */
		if (page->next >= live->began)
			page->lost += live->first - page->next;
		page->next = live->first;
	}
	while (page->next < live->next && page->count < LIVE_LOG_PAGE_LINES &&
	       page->out->len - start < LIVE_LOG_PAGE_BYTES) {
		const struct kept_line *line = *place_of(live, page->next);

		if (!span_present(page->idp) || span_is(page->idp, line->idp)) {
			if (page->count++ > 0)
				buf_append_char(page->out, ',');
			append_line(page->out, page->next, line);
		}
		page->next++;
	}
}

/* Locked. */
static void
wait_for_lines(struct live_log *live, struct page *page, int64_t deadline_us)
{
	struct timespec until = clock_timespec_of_us(deadline_us);
	int waited = 0;

	live->watchers++;
	while (page->count == 0 && waited == 0 && !live->stopping) {
		waited =
		    pthread_cond_timedwait(&live->news, &live->lock, &until);
		take_lines(live, page);
	}
	live->watchers--;
}

/* Locked. */
static uint64_t
start_of(const struct live_log *live, const struct live_log_query *query)
{
	/* Beyond the end: the clock was put back between two processes. */
	if (!query->has_after || query->after >= live->next)
		return live->next;
	return query->after + 1;
}

enum err
live_log_read(
    struct live_log *live, const struct live_log_query *query, struct buf *out)
{
	struct page page = {.idp = query->idp, .out = out};
	enum err err = OK;

	buf_append_str(out, "{\"lines\":[");
	pthread_mutex_lock(&live->lock);
	page.next = start_of(live, query);
	take_lines(live, &page);
	if (page.count == 0 && clock_mono_us() < query->deadline_us) {
		if (live->watchers < LIVE_LOG_WATCHERS_MAX)
			wait_for_lines(live, &page, query->deadline_us);
		else
			err = ERR_FULL;
	}
	pthread_mutex_unlock(&live->lock);
	buf_printf(out, "],\"next\":%llu,\"lost\":%llu}",
	    (unsigned long long)(page.next - 1), (unsigned long long)page.lost);
	return err;
}
