/*
 * The ring of audit events and the thread that empties it into the store.
 * Not here: which decisions are events (their makers), the table
 * (store_event.c), the API (events_endpoint.c).
 */
#include "gateway/oauth/event.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/store/store_event.h"

/* Events that may wait: a second of a busy gateway's. */
#define RING_MAX 4096

/* Rows of one operation: half a millisecond for those in its group. */
#define BATCH_MAX 64

/* The identifiers' own limits (SPEC), and the NUL. */
#define CLIENT_ID_BYTES 129
#define SUB_BYTES       256
#define IDP_BYTES       65
#define SOURCE_BYTES    48
#define DETAIL_BYTES    96

/* An event of its own: nothing borrowed. Empty strings are absent. */
struct kept_event {
	enum event_type type;
	int64_t at;
	char correlation_id[HTTP_CORRELATION_ID_MAX + 1];
	char client_id[CLIENT_ID_BYTES];
	char sub[SUB_BYTES];
	char idp[IDP_BYTES];
	char source[SOURCE_BYTES];
	char detail[DETAIL_BYTES];
	uint8_t release[DIGEST_BYTES];
	bool has_release;
};

struct event_log {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the four below */
	pthread_cond_t work;  /* something waits, or stopping was set */
	struct kept_event ring[RING_MAX];
	unsigned first;
	unsigned count;
	bool stopping;

	/* The thread's own. */
	struct kept_event batch[BATCH_MAX];
};

static const char *const names[EVENT_TYPES] = {
#define EVENT(symbol, name, doc) [symbol] = name,
#include "gateway/oauth/events.def"
#undef EVENT
};

const char *
event_name(enum event_type type)
{
	CHECK(type < EVENT_TYPES);
	return names[type];
}

enum event_type
event_type_of(struct span name)
{
	enum event_type type = 0;

	while (type < EVENT_TYPES && !span_is(name, names[type]))
		type++;
	return type;
}

/* ---- keeping ------------------------------------------------------------ */

/* What REALM.md lets a client id be: a stranger's text is no audit entry. */
static bool
could_be_client_id(struct span id)
{
	static const char others[] = "._~-";

	for (size_t i = 0; i < id.len; i++) {
		uint8_t c = id.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') &&
		    memchr(others, c, sizeof others - 1) == NULL)
			return false;
	}
	return id.len > 0 && id.len < CLIENT_ID_BYTES;
}

static void
keep_text(char *out_r, size_t bytes, const char *text)
{
	snprintf(out_r, bytes, "%s", text == NULL ? "" : text);
}

static void
keep(const struct event *event, struct kept_event *kept_r)
{
	kept_r->type = event->type;
	kept_r->at = clock_wall_secs();
	keep_text(kept_r->correlation_id, sizeof kept_r->correlation_id,
	    event->correlation_id);
	kept_r->client_id[0] = '\0';
	if (could_be_client_id(event->client_id))
		snprintf(kept_r->client_id, sizeof kept_r->client_id, "%.*s",
		    SPAN_ARG(event->client_id));
	keep_text(kept_r->sub, sizeof kept_r->sub, event->sub);
	keep_text(kept_r->idp, sizeof kept_r->idp, event->idp);
	keep_text(kept_r->source, sizeof kept_r->source, event->source);
	keep_text(kept_r->detail, sizeof kept_r->detail, event->detail);
	kept_r->has_release = event->release != NULL;
	if (kept_r->has_release)
		memcpy(kept_r->release, event->release, DIGEST_BYTES);
}

static const char *
text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static struct store_event
row_of(const struct kept_event *kept)
{
	return (struct store_event){
	    .at = kept->at,
	    .type = names[kept->type],
	    .correlation_id = text_or_null(kept->correlation_id),
	    .client_id = text_or_null(kept->client_id),
	    .sub = text_or_null(kept->sub),
	    .idp = text_or_null(kept->idp),
	    .source = text_or_null(kept->source),
	    .detail = text_or_null(kept->detail),
	    .release = kept->has_release ? span_of(kept->release, DIGEST_BYTES)
					 : span_of(NULL, 0),
	};
}

static void
drop(unsigned count)
{
	metric_add(M_EVENTS, "dropped", NULL, count);
}

void
event_record(struct event_log *log, const struct event *event)
{
	bool kept = false;

	CHECK(event->type < EVENT_TYPES);
	if (log == NULL)
		return;
	pthread_mutex_lock(&log->lock);
	if (log->count < RING_MAX && !log->stopping) {
		keep(event, &log->ring[(log->first + log->count) % RING_MAX]);
		kept = true;
		/* Later ones need no wake-up: the thread is awake. */
		if (log->count++ == 0)
			pthread_cond_signal(&log->work);
	}
	pthread_mutex_unlock(&log->lock);
	if (!kept)
		drop(1);
}

struct event
event_of(const struct http_request *http, enum event_type type)
{
	return (struct event){.type = type,
	    .correlation_id = http->correlation_id,
	    .source = http->source};
}

/* ---- writing ------------------------------------------------------------ */

static enum err
write_events(struct store *store, const struct kept_event *kept, unsigned count)
{
	struct store_event rows[BATCH_MAX];
	enum err err;

	for (unsigned i = 0; i < count; i++)
		rows[i] = row_of(&kept[i]);
	err = store_event_append(store, rows, count);
	if (err == OK) {
		metric_add(M_EVENTS, "stored", NULL, count);
		return OK;
	}
	drop(count);
	log_warn("audit events lost", LOG_UINT("count", count),
	    LOG_STR("error", err_sentence(err)));
	return err;
}

enum err
event_record_now(struct event_log *log, const struct event *event)
{
	struct kept_event kept;

	CHECK(event->type < EVENT_TYPES);
	if (log == NULL)
		return OK;
	keep(event, &kept);
	return write_events(log->store, &kept, 1);
}

/* Under the lock: moves the oldest events into the batch. */
static unsigned
take_batch(struct event_log *log)
{
	unsigned count = log->count < BATCH_MAX ? log->count : BATCH_MAX;

	for (unsigned i = 0; i < count; i++)
		log->batch[i] = log->ring[(log->first + i) % RING_MAX];
	log->first = (log->first + count) % RING_MAX;
	log->count -= count;
	return count;
}

/* Under the lock: until something waits, and then for what else comes within
 * the linger time, so that single events do not cost a commit each. */
static void
wait_for_events(struct event_log *log)
{
	struct timespec until;

	while (log->count == 0 && !log->stopping)
		pthread_cond_wait(&log->work, &log->lock);
	until = clock_timespec_of_us(clock_mono_us() + EVENT_LINGER_MS * 1000);
	while (!log->stopping && log->count < BATCH_MAX &&
	       pthread_cond_timedwait(&log->work, &log->lock, &until) == 0)
		continue;
}

static void *
log_main(void *argument)
{
	struct event_log *log = argument;
	unsigned count;
	bool stop;

	do {
		pthread_mutex_lock(&log->lock);
		wait_for_events(log);
		count = take_batch(log);
		stop = log->stopping && log->count == 0;
		pthread_mutex_unlock(&log->lock);
		if (count > 0)
			(void)!write_events(log->store, log->batch, count);
	} while (!stop);
	return NULL;
}

enum err
event_log_open(
    struct store *store, struct event_log **log_r, struct err_detail *detail)
{
	struct event_log *log = calloc(1, sizeof *log);
	pthread_condattr_t attributes;

	if (log == NULL)
		return ERR_NOMEM;
	log->store = store;
	pthread_mutex_init(&log->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&log->work, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&log->thread, NULL, log_main, log) != 0) {
		free(log);
		return err_set(detail, ERR_NOMEM,
		    "the thread of the audit events cannot be started");
	}
	*log_r = log;
	return OK;
}

void
event_log_stop(struct event_log *log)
{
	if (log == NULL)
		return;
	pthread_mutex_lock(&log->lock);
	log->stopping = true;
	pthread_cond_signal(&log->work);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
}
