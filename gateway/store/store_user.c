/*
 * Grants by subject; see store_user.h.
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_user.h"

#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* Rows a deletion takes at a time: a commit of a few milliseconds. */
#define REVOKE_BATCH 200

/* The columns of SQL_USER_GRANTS. */
enum {
	COLUMN_NUMBER,
	COLUMN_CLIENT_ID,
	COLUMN_IDP,
	COLUMN_SCOPE,
	COLUMN_PROFILE,
	COLUMN_CREATED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_STATELESS,
	COLUMN_REFRESH_UNTIL
};

static enum err
copy_text(
    struct query *query, int column, struct arena *arena, const char **text_r)
{
	const char *text = query_text(query, column);

	*text_r = text == NULL ? NULL : arena_strdup(arena, text);
	return text != NULL && *text_r == NULL ? ERR_NOMEM : OK;
}

/* ---- stretches ---------------------------------------------------------- */

/* The index by subject begins with number >> 12 (store_schema.c). */
static uint64_t
stretch_of(uint64_t number)
{
	return number >> 12;
}

struct stretches {
	uint64_t first;
	uint64_t end; /* one after the last */
};

static enum err
number_of(struct sqlite_connection *connection, enum statement which,
    uint64_t *number_r)
{
	struct query query = query_of(connection, which);
	enum err err = query_row(&query);

	if (err == OK)
		*number_r = (uint64_t)query_int(&query, 0);
	query_end(&query);
	return err;
}

/* Where there are grants. */
static enum err
find_stretches(struct store *store, struct stretches *span_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	uint64_t first = 0, last = 0;
	enum err err = number_of(connection, SQL_GRANT_FIRST, &first);

	if (err == OK)
		err = number_of(connection, SQL_GRANT_LAST, &last);
	store_reader_give(store, connection);
	if (err == OK)
		*span_r =
		    (struct stretches){stretch_of(first), stretch_of(last) + 1};
	return err;
}

/* ---- listing ------------------------------------------------------------ */

struct list {
	struct store_user_grant *grants;
	size_t room;
	size_t count;
};

static enum err
read_grant(
    struct query *query, struct arena *arena, struct store_user_grant *grant_r)
{
	enum err err;

	*grant_r = (struct store_user_grant){
	    .number = (uint64_t)query_int(query, COLUMN_NUMBER),
	    .created_at = query_int(query, COLUMN_CREATED_AT),
	    .expires_at = query_int(query, COLUMN_EXPIRES_AT),
	    .stateless = query_int(query, COLUMN_STATELESS) != 0,
	    .refreshable = query_int(query, COLUMN_REFRESH_UNTIL) != 0,
	};
	err = copy_text(query, COLUMN_CLIENT_ID, arena, &grant_r->client_id);
	if (err == OK)
		err = copy_text(query, COLUMN_IDP, arena, &grant_r->idp);
	if (err == OK)
		err = copy_text(query, COLUMN_SCOPE, arena, &grant_r->scope);
	if (err == OK)
		err =
		    copy_text(query, COLUMN_PROFILE, arena, &grant_r->profile);
	return err;
}

/* The grants of one stretch that fit the room. */
static enum err
list_stretch(struct store *store, const struct store_user_query *asked,
    struct arena *arena, uint64_t stretch, struct list *list)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_USER_GRANTS);
	enum err err = OK;

	query_bind_int(&query, 1, (int64_t)stretch);
	query_bind_text(&query, 2, asked->sub);
	query_bind_int(&query, 3, (int64_t)asked->after);
	query_bind_int(&query, 4, asked->now);
	query_bind_int(&query, 5, (int64_t)(list->room - list->count));
	while (err == OK && list->count < list->room) {
		err = query_row(&query);
		if (err == OK)
			err = read_grant(
			    &query, arena, &list->grants[list->count]);
		if (err == OK)
			list->count++;
	}
	query_end(&query);
	store_reader_give(store, connection);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
store_user_grants(struct store *store, const struct store_user_query *asked,
    struct arena *arena, struct store_user_grant *grants_r, size_t *count_r)
{
	struct list list = {.grants = grants_r, .room = *count_r};
	struct stretches span;
	enum err err = find_stretches(store, &span);

	if (err != OK)
		return err;
	if (span.first < stretch_of(asked->after))
		span.first = stretch_of(asked->after);
	for (uint64_t i = span.first; err == OK && i < span.end; i++) {
		if (list.count == list.room)
			break;
		err = list_stretch(store, asked, arena, i, &list);
	}
	if (err == OK)
		*count_r = list.count;
	return err;
}

/* ---- revoking ----------------------------------------------------------- */

struct revoke {
	const char *sub;
	uint64_t number;  /* of the one; or */
	uint64_t stretch; /* of a batch */
	unsigned revoked;
};

static enum err
run_revoke(struct store_writer *writer, void *user)
{
	struct query query =
	    query_of(store_writer_connection(writer), SQL_USER_GRANT_DELETE);
	struct revoke *revoke = user;

	query_bind_int(&query, 1, (int64_t)revoke->number);
	query_bind_text(&query, 2, revoke->sub);
	return query_run_counted(&query, &revoke->revoked);
}

enum err
store_user_grant_revoke(struct store *store, const char *sub, uint64_t number)
{
	struct revoke revoke = {.sub = sub, .number = number};
	enum err err;

	/* Callers choose the number; beyond SQLite's there is no row. */
	if (number > INT64_MAX)
		return ERR_NOT_FOUND;
	err = store_perform(store, run_revoke, &revoke);
	return err == OK && revoke.revoked == 0 ? ERR_NOT_FOUND : err;
}

static enum err
run_revoke_batch(struct store_writer *writer, void *user)
{
	struct query query =
	    query_of(store_writer_connection(writer), SQL_USER_GRANTS_DELETE);
	struct revoke *revoke = user;

	query_bind_int(&query, 1, (int64_t)revoke->stretch);
	query_bind_text(&query, 2, revoke->sub);
	query_bind_int(&query, 3, REVOKE_BATCH);
	return query_run_counted(&query, &revoke->revoked);
}

/* Most stretches hold nothing of one user: a reader sees that without keeping
 * the writer from its work. */
static enum err
has_grants(struct store *store, const char *sub, uint64_t stretch, bool *has_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_USER_HAS_GRANTS);
	enum err err;

	query_bind_int(&query, 1, (int64_t)stretch);
	query_bind_text(&query, 2, sub);
	err = query_row(&query);
	query_end(&query);
	store_reader_give(store, connection);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	*has_r = err == OK;
	return OK;
}

static enum err
revoke_stretch(
    struct store *store, const char *sub, uint64_t stretch, unsigned *total)
{
	struct revoke revoke = {.sub = sub, .stretch = stretch};
	bool has = false;
	enum err err = has_grants(store, sub, stretch, &has);

	while (err == OK && has) {
		err = store_perform(store, run_revoke_batch, &revoke);
		if (err == OK)
			*total += revoke.revoked;
		has = revoke.revoked == REVOKE_BATCH;
	}
	return err;
}

enum err
store_user_revoke_all(struct store *store, const char *sub, unsigned *revoked_r)
{
	struct stretches span;
	unsigned total = 0;
	enum err err = find_stretches(store, &span);

	if (err != OK)
		return err;
	for (uint64_t i = span.first; err == OK && i < span.end; i++)
		err = revoke_stretch(store, sub, i, &total);
	if (err == OK)
		*revoked_r = total;
	return err;
}
