/*
 * Audit events: one row of events.def for every decision. Recording never
 * blocks and never fails: events wait in memory (a bounded ring), a thread
 * writes them in batches within EVENT_LINGER_MS, and those that find the ring
 * full are counted as dropped. A crash loses the events of that moment, except
 * those recorded by event_record_now().
 *
 * Threads: any. A NULL log takes events and forgets them (tests).
 */
#ifndef POSTERN_EVENT_H
#define POSTERN_EVENT_H

#include "gateway/http/http.h"
#include "gateway/keys/vault.h"
#include "gateway/store/store.h"

enum event_type {
#define EVENT(symbol, name, doc) symbol,
#include "gateway/oauth/events.def"
#undef EVENT
	EVENT_TYPES
};

/* How long an event may wait for others that share its commit. */
#define EVENT_LINGER_MS 50

/* Everything but type may be absent; copied by the call. */
struct event {
	enum event_type type;
	const char *correlation_id;
	const char *source;
	/* As shown, perhaps by a stranger: kept only if it could be one. */
	struct span client_id;
	const char *sub;
	const char *idp;
	const uint8_t *release; /* DIGEST_BYTES */
	const char *detail;     /* our own words, never a client's */
};

struct event_log; /* process lifetime */

enum err event_log_open(struct store *store, struct event_log **log_r,
    struct err_detail *detail) MUST_USE;

/* Writes what waits; recording goes on to be allowed and is forgotten. */
void event_log_stop(struct event_log *log);

/* With correlation id and source of a request. */
struct event event_of(const struct http_request *http, enum event_type type);

void event_record(struct event_log *log, const struct event *event);

/* Durable when it returns OK: for what an attacker must not be able to lose
 * by crashing us. Waits for a commit. */
enum err
event_record_now(struct event_log *log, const struct event *event) MUST_USE;

/* The stored name, or EVENT_TYPES for a name that there is not. */
const char *event_name(enum event_type type);
enum event_type event_type_of(struct span name);

#endif
