/*
 * The table of audit events.
 * Not here: which events there are (gateway/oauth/events.def), when they are
 * written (gateway/oauth/event.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_event.h"

#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* Rows a page looks at: a reading connection is busy for some 20 ms. */
#define EXAMINED_MAX 50000

/* ---- appending ---------------------------------------------------------- */

struct append {
	const struct store_event *events;
	unsigned count;
};

static enum err
insert_event(
    struct sqlite_connection *connection, const struct store_event *event)
{
	struct query query = query_of(connection, SQL_EVENT_INSERT);

	query_bind_int(&query, 1, event->at);
	query_bind_text(&query, 2, event->type);
	query_bind_text(&query, 3, event->correlation_id);
	query_bind_text(&query, 4, event->client_id);
	query_bind_text(&query, 5, event->sub);
	query_bind_text(&query, 6, event->idp);
	query_bind_text(&query, 7, event->source);
	query_bind_text(&query, 8, event->detail);
	query_bind_bytes(&query, 9, event->release);
	return query_run(&query);
}

enum err
store_event_put(struct store_writer *writer, const struct store_event *event)
{
	return insert_event(store_writer_connection(writer), event);
}

static enum err
run_append(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct append *append = user;
	enum err err = OK;

	for (unsigned i = 0; i < append->count && err == OK; i++)
		err = insert_event(connection, &append->events[i]);
	return err;
}

enum err
store_event_append(
    struct store *store, const struct store_event *events, unsigned count)
{
	struct append append = {events, count};

	return store_perform(store, run_append, &append);
}

/* ---- reading ------------------------------------------------------------ */

/* The columns of SQL_EVENTS_OLDEST and SQL_EVENTS_NEWEST. */
enum {
	COLUMN_NUMBER,
	COLUMN_AT,
	COLUMN_TYPE,
	COLUMN_CORRELATION_ID,
	COLUMN_CLIENT_ID,
	COLUMN_SUB,
	COLUMN_IDP,
	COLUMN_SOURCE,
	COLUMN_DETAIL,
	COLUMN_RELEASE
};

/* The numbers above `low` up to `high` that a page looks at. */
struct window {
	int64_t low;
	int64_t high;
	bool is_last; /* nothing lies beyond it */
};

static enum err
read_bounds(
    struct sqlite_connection *connection, int64_t *first_r, int64_t *last_r)
{
	struct query query = query_of(connection, SQL_EVENT_BOUNDS);
	enum err err = query_row(&query);

	if (err == OK) {
		*first_r = query_int(&query, 0);
		*last_r = query_int(&query, 1);
	}
	query_end(&query);
	return err;
}

/* Numbers come from a client: beyond SQLite's they are as good as its last. */
static int64_t
number_of(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static struct window
window_of(const struct store_event_filter *filter, int64_t first, int64_t last)
{
	struct window window = {first - 1, last, true};

	if (filter->newest_first) {
		if (filter->before != 0 && number_of(filter->before) <= last)
			window.high = number_of(filter->before) - 1;
		if (window.high - window.low > EXAMINED_MAX) {
			window.low = window.high - EXAMINED_MAX;
			window.is_last = false;
		}
		return window;
	}
	if (number_of(filter->after) > window.low)
		window.low = number_of(filter->after);
	if (window.high > window.low &&
	    window.high - window.low > EXAMINED_MAX) {
		window.high = window.low + EXAMINED_MAX;
		window.is_last = false;
	}
	return window;
}

static struct store_event
row_of(struct query *query)
{
	return (struct store_event){
	    .number = (uint64_t)query_int(query, COLUMN_NUMBER),
	    .at = query_int(query, COLUMN_AT),
	    .type = query_text(query, COLUMN_TYPE),
	    .correlation_id = query_text(query, COLUMN_CORRELATION_ID),
	    .client_id = query_text(query, COLUMN_CLIENT_ID),
	    .sub = query_text(query, COLUMN_SUB),
	    .idp = query_text(query, COLUMN_IDP),
	    .source = query_text(query, COLUMN_SOURCE),
	    .detail = query_text(query, COLUMN_DETAIL),
	    .release = query_bytes(query, COLUMN_RELEASE),
	};
}

static void
bind_filter(struct query *query, const struct store_event_filter *filter,
    const struct window *window)
{
	query_bind_int(query, 1, window->low);
	query_bind_int(query, 2, window->high);
	query_bind_text(query, 3, filter->type);
	query_bind_text(query, 4, filter->client_id);
	query_bind_text(query, 5, filter->sub);
	query_bind_text(query, 6, filter->idp);
	query_bind_int(query, 7, filter->from);
	query_bind_int(
	    query, 8, filter->until == 0 ? INT64_MAX : filter->until);
	query_bind_int(query, 9, filter->limit);
}

static enum err
read_page(struct sqlite_connection *connection,
    const struct store_event_filter *filter, const struct window *window,
    void (*each)(void *user, const struct store_event *event), void *user,
    uint64_t *next_r)
{
	struct query query = query_of(connection,
	    filter->newest_first ? SQL_EVENTS_NEWEST : SQL_EVENTS_OLDEST);
	struct store_event event = {0};
	unsigned count = 0;
	enum err err;

	bind_filter(&query, filter, window);
	while ((err = query_row(&query)) == OK) {
		event = row_of(&query);
		each(user, &event);
		count++;
	}
	query_end(&query);
	if (err != ERR_NOT_FOUND)
		return err;
	if (count == filter->limit)
		*next_r = event.number;
	else if (window->is_last)
		*next_r = 0;
	else
		*next_r = (uint64_t)(filter->newest_first ? window->low + 1
							  : window->high);
	return OK;
}

enum err
store_event_each(struct store *store, const struct store_event_filter *filter,
    void (*each)(void *user, const struct store_event *event), void *user,
    uint64_t *next_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct window window;
	int64_t first = 0, last = 0;
	enum err err = read_bounds(connection, &first, &last);

	if (err == OK) {
		window = window_of(filter, first, last);
		err =
		    read_page(connection, filter, &window, each, user, next_r);
	}
	store_reader_give(store, connection);
	return err;
}

/* ---- expiry ------------------------------------------------------------- */

struct event_expiry {
	int64_t since;
	int64_t keep_max;
	unsigned batch;
	unsigned deleted;
};

static enum err
run_event_expire(struct store_writer *writer, void *user)
{
	struct event_expiry *expiry = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_EVENTS_EXPIRE);

	query_bind_int(&query, 1, expiry->since);
	query_bind_int(&query, 2, expiry->keep_max);
	query_bind_int(&query, 3, expiry->batch);
	return query_run_counted(&query, &expiry->deleted);
}

enum err
store_event_expire(struct store *store, int64_t since, uint64_t keep_max,
    unsigned batch, unsigned *deleted_r)
{
	struct event_expiry expiry = {
	    .since = since, .keep_max = number_of(keep_max), .batch = batch};
	enum err err = store_perform(store, run_event_expire, &expiry);

	if (err == OK)
		*deleted_r = expiry.deleted;
	return err;
}
