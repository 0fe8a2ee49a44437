/*
 * Audit events: what was decided, for whom, when. Appended in batches, read in
 * pages by number, dropped by age and by count.
 */
#ifndef POSTERN_STORE_EVENT_H
#define POSTERN_STORE_EVENT_H

#include "gateway/store/store.h"

/* A row. Strings are the caller's, or borrowed for the length of `each`; NULL
 * where the event has none. */
struct store_event {
	uint64_t number; /* given by the store; ignored when appended */
	int64_t at;      /* wall-clock seconds */
	const char *type;
	const char *correlation_id;
	const char *client_id;
	const char *sub;
	const char *idp;
	const char *source;
	const char *detail;
	struct span release; /* hash; may be absent */
};

/* One durable operation for all of them. */
enum err store_event_append(struct store *store,
    const struct store_event *events, unsigned count) MUST_USE;

/* One event inside an operation of its maker's, on the writer thread. */
enum err store_event_put(
    struct store_writer *writer, const struct store_event *event) MUST_USE;

/* Which events: NULL and 0 stand for any. */
struct store_event_filter {
	bool newest_first;
	uint64_t after;  /* oldest first: only numbers above this */
	uint64_t before; /* newest first: only numbers below this, if not 0 */
	const char *type;
	const char *client_id;
	const char *sub;
	const char *idp;
	int64_t from;  /* at or after */
	int64_t until; /* before */
	unsigned limit;
};

/*
 * Calls `each` for at most `limit` events and says in *next_r which number to
 * go on after (or before); 0: there is no more. A page examines a bounded
 * number of rows, so it may be empty and still have a next.
 */
enum err
store_event_each(struct store *store, const struct store_event_filter *filter,
    void (*each)(void *user, const struct store_event *event), void *user,
    uint64_t *next_r) MUST_USE;

/* Drops, of the oldest `batch` events, those from before `since` and those
 * beyond the newest `keep_max`. */
enum err store_event_expire(struct store *store, int64_t since,
    uint64_t keep_max, unsigned batch, unsigned *deleted_r) MUST_USE;

#endif
