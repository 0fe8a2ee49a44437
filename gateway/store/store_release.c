/*
 * The table of releases' histories; see store_release.h.
 * Not here: what a release is (gateway/realm/release.c), who may change the
 * history (gateway/config).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_release.h"

#include <stdio.h>
#include <string.h>

#include "gateway/store/query.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* An identifier (REALM.md: up to 64), and its terminator. */
#define IDP_BYTES 65

/* The columns of every SQL_HISTORY_.. that reads rows. */
enum {
	COLUMN_NUMBER,
	COLUMN_RELEASE,
	COLUMN_STATE,
	COLUMN_ORIGIN,
	COLUMN_CREATED_AT,
	COLUMN_CREATED_BY,
	COLUMN_CREATED_WHY,
	COLUMN_PUBLISHED_AT,
	COLUMN_PUBLISHED_BY,
	COLUMN_PUBLISHED_WHY
};

/* ---- rows ---------------------------------------------------------------- */

/* The next row, its texts the statement's. */
static enum err
next_row(struct query *query, struct store_release_row *row_r)
{
	int64_t state;
	enum err err = query_row(query);

	if (err != OK)
		return err;
	state = query_int(query, COLUMN_STATE);
	if (state < STORE_RELEASE_DRAFT || state > STORE_RELEASE_PAST)
		return ERR_CORRUPT;
	row_r->number = (uint64_t)query_int(query, COLUMN_NUMBER);
	row_r->state = (enum store_release_state)state;
	row_r->origin = (uint64_t)query_int(query, COLUMN_ORIGIN);
	row_r->created_at = query_int(query, COLUMN_CREATED_AT);
	row_r->created_by = query_text(query, COLUMN_CREATED_BY);
	row_r->created_why = query_text(query, COLUMN_CREATED_WHY);
	row_r->published_at = query_int(query, COLUMN_PUBLISHED_AT);
	row_r->published_by = query_text(query, COLUMN_PUBLISHED_BY);
	row_r->published_why = query_text(query, COLUMN_PUBLISHED_WHY);
	return query_fixed(
	    query, COLUMN_RELEASE, row_r->hash, STORE_HASH_BYTES);
}

/* False: the arena is full. */
static bool
own_text(struct arena *arena, const char **text)
{
	if (*text == NULL)
		return true;
	*text = arena_strdup(arena, *text);
	return *text != NULL;
}

static enum err
own_row(struct arena *arena, struct store_release_row *row)
{
	if (!own_text(arena, &row->created_by) ||
	    !own_text(arena, &row->created_why) ||
	    !own_text(arena, &row->published_by) ||
	    !own_text(arena, &row->published_why))
		return ERR_NOMEM;
	return OK;
}

static enum err
read_row(
    struct query *query, struct arena *arena, struct store_release_row *row_r)
{
	struct store_release_row row = {0};
	enum err err = next_row(query, &row);

	if (err == OK)
		err = own_row(arena, &row);
	query_end(query);
	if (err == OK)
		*row_r = row;
	return err;
}

static struct query
live_query(struct sqlite_connection *connection, const char *idp)
{
	struct query query = query_of(connection, SQL_HISTORY_LIVE);

	query_bind_text(&query, 1, idp);
	return query;
}

/* ---- reading ------------------------------------------------------------- */

enum err
store_release_each(struct store *store, const char *idp, uint64_t before,
    unsigned limit,
    void (*each)(void *user, const struct store_release_row *row), void *user)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_HISTORY_EACH);
	struct store_release_row row = {0};
	enum err err;

	query_bind_text(&query, 1, idp);
	query_bind_int(&query, 2,
	    before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
	query_bind_int(&query, 3, limit);
	while ((err = next_row(&query, &row)) == OK)
		each(user, &row);
	query_end(&query);
	store_reader_give(store, connection);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The hashes that begin with these digits lie between the two. */
static void
bounds_of(const uint8_t prefix[STORE_HASH_BYTES], unsigned digits,
    uint8_t low_r[STORE_HASH_BYTES], uint8_t high_r[STORE_HASH_BYTES])
{
	for (unsigned i = 0; i < STORE_HASH_BYTES; i++) {
		uint8_t fixed = 0;

		if (2 * i + 1 < digits)
			fixed = 0xff;
		else if (2 * i < digits)
			fixed = 0xf0;
		low_r[i] = prefix[i] & fixed;
		high_r[i] = (uint8_t)(low_r[i] | (uint8_t)~fixed);
	}
}

/* The first row; ERR_INVALID where a later one is of another release. */
static enum err
read_only_release(
    struct query *query, struct arena *arena, struct store_release_row *row_r)
{
	struct store_release_row first = {0}, other = {0};
	enum err err = next_row(query, &first);

	if (err == OK)
		err = own_row(arena, &first);
	if (err != OK)
		return err;
	while ((err = next_row(query, &other)) == OK)
		if (memcmp(other.hash, first.hash, STORE_HASH_BYTES) != 0)
			return ERR_INVALID;
	if (err != ERR_NOT_FOUND)
		return err;
	*row_r = first;
	return OK;
}

enum err
store_release_find(struct store *store, const char *idp,
    const uint8_t prefix[STORE_HASH_BYTES], unsigned digits,
    struct arena *arena, struct store_release_row *row_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_HISTORY_FIND);
	uint8_t low[STORE_HASH_BYTES], high[STORE_HASH_BYTES];
	enum err err;

	bounds_of(prefix, digits, low, high);
	query_bind_text(&query, 1, idp);
	query_bind_bytes(&query, 2, span_of(low, sizeof low));
	query_bind_bytes(&query, 3, span_of(high, sizeof high));
	err = read_only_release(&query, arena, row_r);
	query_end(&query);
	store_reader_give(store, connection);
	return err;
}

enum err
store_release_live(struct store *store, const char *idp, struct arena *arena,
    struct store_release_row *row_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = live_query(connection, idp);
	enum err err = read_row(&query, arena, row_r);

	store_reader_give(store, connection);
	return err;
}

enum err
store_release_before(struct store *store, const char *idp, struct arena *arena,
    struct store_release_row *row_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = live_query(connection, idp);
	struct store_release_row live;
	enum err err = read_row(&query, arena, &live);

	if (err == OK) {
		query = query_of(connection, SQL_HISTORY_BEFORE);
		query_bind_text(&query, 1, idp);
		query_bind_int(&query, 2, (int64_t)live.origin);
		query_bind_bytes(
		    &query, 3, span_of(live.hash, sizeof live.hash));
		err = read_row(&query, arena, row_r);
	}
	store_reader_give(store, connection);
	return err;
}

/* ---- steps of changes ---------------------------------------------------- */

static struct span
hash_of(const struct store_release_change *change)
{
	return span_of(change->hash, STORE_HASH_BYTES);
}

/* A statement whose parameters are the identity provider and one number. */
static enum err
run_for_idp(struct sqlite_connection *connection, enum statement which,
    const char *idp, int64_t number)
{
	struct query query = query_of(connection, which);

	query_bind_text(&query, 1, idp);
	query_bind_int(&query, 2, number);
	return query_run(&query);
}

static enum err
run_for_idp_alone(
    struct sqlite_connection *connection, enum statement which, const char *idp)
{
	struct query query = query_of(connection, which);

	query_bind_text(&query, 1, idp);
	return query_run(&query);
}

static enum err
drop_draft(struct sqlite_connection *connection,
    const struct store_release_change *change, unsigned *dropped_r)
{
	struct query query = query_of(connection, SQL_HISTORY_DRAFT_DROP);

	query_bind_text(&query, 1, change->idp);
	query_bind_bytes(&query, 2, hash_of(change));
	return query_run_counted(&query, dropped_r);
}

static enum err
mark_used(struct sqlite_connection *connection,
    const struct store_release_change *change)
{
	struct query query = query_of(connection, SQL_RELEASE_USED);

	query_bind_bytes(&query, 1, hash_of(change));
	return query_run(&query);
}

static enum err
insert_row(struct sqlite_connection *connection, const char *idp,
    const struct store_release_row *row)
{
	struct query query = query_of(connection, SQL_HISTORY_INSERT);

	query_bind_text(&query, 1, idp);
	query_bind_bytes(&query, 2, span_of(row->hash, STORE_HASH_BYTES));
	query_bind_int(&query, 3, row->state);
	if (row->origin != 0)
		query_bind_int(&query, 4, (int64_t)row->origin);
	query_bind_int(&query, 5, row->created_at);
	query_bind_text(&query, 6, row->created_by);
	query_bind_text(&query, 7, row->created_why);
	if (row->state != STORE_RELEASE_DRAFT) {
		query_bind_int(&query, 8, row->published_at);
		query_bind_text(&query, 9, row->published_by);
		query_bind_text(&query, 10, row->published_why);
	}
	return query_run(&query);
}

/* ---- drafts -------------------------------------------------------------- */

static enum err
check_draft_count(struct sqlite_connection *connection, const char *idp)
{
	struct query query = query_of(connection, SQL_HISTORY_DRAFTS);
	enum err err;

	query_bind_text(&query, 1, idp);
	err = query_row(&query);
	if (err == OK && query_int(&query, 0) >= STORE_RELEASE_DRAFTS)
		err = ERR_LIMIT;
	query_end(&query);
	return err;
}

static enum err
run_draft(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct store_release_change *change = user;
	struct store_release_row row = {.state = STORE_RELEASE_DRAFT,
	    .created_at = change->at,
	    .created_by = change->by,
	    .created_why = change->why};
	unsigned dropped;
	enum err err;

	memcpy(row.hash, change->hash, STORE_HASH_BYTES);
	err = drop_draft(connection, change, &dropped);
	if (err == OK)
		err = check_draft_count(connection, change->idp);
	if (err == OK)
		err = store_release_keep(writer, change->hash, change->idp,
		    change->content, change->at);
	if (err == OK)
		err = insert_row(connection, change->idp, &row);
	if (err == OK)
		err = mark_used(connection, change);
	if (err == OK && change->event != NULL)
		err = store_event_put(writer, change->event);
	return err;
}

enum err
store_release_draft(
    struct store *store, const struct store_release_change *change)
{
	struct store_release_change copy = *change;

	return store_perform(store, run_draft, &copy);
}

static enum err
run_draft_drop(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct store_release_change *change = user;
	unsigned dropped = 0;
	enum err err = drop_draft(connection, change, &dropped);

	if (err == OK && dropped == 0)
		return ERR_NOT_FOUND;
	if (err == OK)
		err = run_for_idp(
		    connection, SQL_RELEASES_UNUSED, change->idp, change->at);
	if (err == OK && change->event != NULL)
		err = store_event_put(writer, change->event);
	return err;
}

enum err
store_release_draft_drop(
    struct store *store, const struct store_release_change *change)
{
	struct store_release_change copy = *change;

	return store_perform(store, run_draft_drop, &copy);
}

/* ---- coming into force --------------------------------------------------- */

/* Who made the release, as far as the history knows; texts are in the arena.
 */
static enum err
find_maker(struct sqlite_connection *connection,
    const struct store_release_change *change, struct arena *arena,
    struct store_release_row *row)
{
	struct query query = query_of(connection, SQL_HISTORY_FIND);
	struct store_release_row known;
	enum err err;

	query_bind_text(&query, 1, change->idp);
	query_bind_bytes(&query, 2, hash_of(change));
	query_bind_bytes(&query, 3, hash_of(change));
	err = read_row(&query, arena, &known);
	if (err == OK) {
		row->created_at = known.created_at;
		row->created_by = known.created_by;
		row->created_why = known.created_why;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* False also where there is none. */
static enum err
is_live_already(struct sqlite_connection *connection,
    const struct store_release_change *change, bool *is_live_r)
{
	struct query query = live_query(connection, change->idp);
	struct store_release_row live = {0};
	enum err err = next_row(&query, &live);

	*is_live_r =
	    err == OK && memcmp(live.hash, change->hash, STORE_HASH_BYTES) == 0;
	query_end(&query);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Everything but reading: the row is complete. */
static enum err
put_in_force(struct sqlite_connection *connection,
    const struct store_release_change *change,
    const struct store_release_row *row)
{
	unsigned dropped;
	enum err err =
	    run_for_idp_alone(connection, SQL_HISTORY_RETIRE, change->idp);

	if (err == OK)
		err = drop_draft(connection, change, &dropped);
	if (err == OK)
		err = insert_row(connection, change->idp, row);
	if (err == OK)
		err = run_for_idp_alone(
		    connection, SQL_HISTORY_PLACE, change->idp);
	if (err == OK)
		err = mark_used(connection, change);
	if (err == OK)
		err = run_for_idp(connection, SQL_HISTORY_TRIM, change->idp,
		    STORE_RELEASES_PAST);
	if (err == OK)
		err = run_for_idp(
		    connection, SQL_RELEASES_UNUSED, change->idp, change->at);
	return err;
}

/* Names and reasons are short; the arena is for one row's. */
#define ROW_BYTES ((size_t)64 * 1024)

enum err
store_release_publish(
    struct store_writer *writer, const struct store_release_change *change)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct store_release_row row = {.state = STORE_RELEASE_LIVE,
	    .origin = change->origin,
	    .created_at = change->at,
	    .created_by = change->by,
	    .created_why = change->why,
	    .published_at = change->at,
	    .published_by = change->by,
	    .published_why = change->why};
	struct arena *arena;
	bool is_live = false;
	enum err err = is_live_already(connection, change, &is_live);

	if (err != OK || is_live)
		return err;
	arena = arena_new(ROW_BYTES);
	if (arena == NULL)
		return ERR_NOMEM;
	memcpy(row.hash, change->hash, STORE_HASH_BYTES);
	err = find_maker(connection, change, arena, &row);
	if (err == OK)
		err = put_in_force(connection, change, &row);
	arena_free(arena);
	return err;
}

static enum err
forget(struct sqlite_connection *connection, const char *idp, int64_t at)
{
	enum err err = run_for_idp_alone(connection, SQL_HISTORY_FORGET, idp);

	if (err != OK)
		return err;
	return run_for_idp(connection, SQL_RELEASES_UNUSED, idp, at);
}

/* ---- all at once --------------------------------------------------------- */

struct release_sync {
	const struct store_release_change *live;
	size_t count;
	int64_t at;
};

static bool
is_in_force(const struct release_sync *sync, const char *idp)
{
	size_t low = 0, high = sync->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(idp, sync->live[middle].idp);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* The identity provider after `idp` that has a history, in place of it. */
static enum err
next_idp(struct sqlite_connection *connection, char idp[IDP_BYTES])
{
	struct query query = query_of(connection, SQL_HISTORY_NEXT_IDP);
	char after[IDP_BYTES];
	const char *found;
	enum err err;

	memcpy(after, idp, IDP_BYTES);
	query_bind_text(&query, 1, after);
	err = query_row(&query);
	if (err == OK) {
		found = query_text(&query, 0);
		if (found == NULL || strlen(found) >= IDP_BYTES)
			err = ERR_CORRUPT;
		else
			(void)snprintf(idp, IDP_BYTES, "%s", found);
	}
	query_end(&query);
	return err;
}

static enum err
forget_others(struct store_writer *writer, const struct release_sync *sync)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	char idp[IDP_BYTES] = "";
	enum err err = next_idp(connection, idp);

	while (err == OK) {
		if (!is_in_force(sync, idp))
			err = forget(connection, idp, sync->at);
		if (err == OK)
			err = next_idp(connection, idp);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
store_release_sync(struct store_writer *writer,
    const struct store_release_change *live, size_t count, int64_t at)
{
	const struct release_sync sync = {live, count, at};
	enum err err = forget_others(writer, &sync);

	for (size_t i = 0; i < count && err == OK; i++)
		err = store_release_publish(writer, &live[i]);
	return err;
}
