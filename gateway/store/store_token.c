/*
 * The life of a stored token: what is presented, refreshed, revoked.
 * Not here: how grants begin (store_grant.c), expiry (store_expire.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_token.h"

#include <string.h>

#include "common/secret.h"
#include "gateway/store/query.h"
#include "gateway/store/store_grant_table.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* The columns of SQL_TOKEN_GET. */
enum {
	COLUMN_HASH,
	COLUMN_KIND,
	COLUMN_ISSUED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_SUCCESSOR,
	COLUMN_USED_AT,
	COLUMN_SCOPE,
	COLUMN_GRANT,
	COLUMN_GRANT_SCOPE,
	COLUMN_CLIENT_ID,
	COLUMN_IDP,
	COLUMN_SUB,
	COLUMN_CREATED_AT,
	COLUMN_REFRESH_UNTIL,
	COLUMN_SNAPSHOT
};

/* To the row of this number and hash; the caller ends the query. */
static enum err
find(struct query *query, uint64_t number, const uint8_t hash[STORE_HASH_BYTES])
{
	enum err err;

	query_bind_int(query, 1, (int64_t)number);
	err = query_row(query);
	if (err == OK && !secret_equal(query_bytes(query, COLUMN_HASH),
			     span_of(hash, STORE_HASH_BYTES)))
		err = ERR_NOT_FOUND;
	return err;
}

/* ---- looking ------------------------------------------------------------ */

static enum err
copy_text(
    struct query *query, int column, struct arena *arena, const char **text_r)
{
	const char *text = query_text(query, column);

	if (text == NULL)
		return ERR_CORRUPT;
	*text_r = arena_strdup(arena, text);
	return *text_r == NULL ? ERR_NOMEM : OK;
}

static enum err
copy_texts(
    struct query *query, struct arena *arena, struct store_token_view *view)
{
	const struct {
		int column;
		const char **text;
	} texts[] = {
	    {COLUMN_GRANT_SCOPE, &view->grant_scope},
	    {COLUMN_CLIENT_ID, &view->client_id},
	    {COLUMN_IDP, &view->idp},
	    {COLUMN_SUB, &view->sub},
	};
	enum err err = OK;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0] && err == OK; i++)
		err = copy_text(query, texts[i].column, arena, texts[i].text);
	if (err != OK)
		return err;
	view->scope = view->grant_scope;
	if (query_text(query, COLUMN_SCOPE) != NULL)
		err = copy_text(query, COLUMN_SCOPE, arena, &view->scope);
	return err;
}

static enum err
read_view(
    struct query *query, struct arena *arena, struct store_token_view *view_r)
{
	struct span snapshot = query_bytes(query, COLUMN_SNAPSHOT);
	struct store_token_view view = {
	    .kind = (enum store_token_kind)query_int(query, COLUMN_KIND),
	    .issued_at = query_int(query, COLUMN_ISSUED_AT),
	    .expires_at = query_int(query, COLUMN_EXPIRES_AT),
	    .used = query_int(query, COLUMN_SUCCESSOR) != 0,
	    .grant = (uint64_t)query_int(query, COLUMN_GRANT),
	    .granted_at = query_int(query, COLUMN_CREATED_AT),
	    .refresh_until = query_int(query, COLUMN_REFRESH_UNTIL),
	};
	enum err err;

	if (span_present(snapshot)) {
		view.snapshot = arena_copy(arena, snapshot);
		if (!span_present(view.snapshot))
			return ERR_NOMEM;
	}
	err = copy_texts(query, arena, &view);
	if (err == OK)
		*view_r = view;
	return err;
}

enum err
store_token_get(struct store *store, uint64_t number,
    const uint8_t hash[STORE_HASH_BYTES], struct arena *arena,
    struct store_token_view *view_r)
{
	struct sqlite_connection *connection;
	struct query query;
	enum err err;

	/* Clients choose the number; beyond SQLite's there is no row. */
	if (number > INT64_MAX)
		return ERR_NOT_FOUND;
	connection = store_reader_take(store);
	query = query_of(connection, SQL_TOKEN_GET);
	err = find(&query, number, hash);
	if (err == OK)
		err = read_view(&query, arena, view_r);
	query_end(&query);
	store_reader_give(store, connection);
	return err;
}

/* ---- refreshing --------------------------------------------------------- */

/* What a refresh decides by, as of this moment on the writer. */
struct standing {
	uint64_t grant;
	uint64_t successor; /* 0: not used yet */
	int64_t used_at;
};

static enum err
read_standing(struct sqlite_connection *connection,
    const struct store_refresh *refresh, struct standing *standing_r)
{
	struct query query = query_of(connection, SQL_TOKEN_GET);
	enum err err = find(&query, refresh->number, refresh->hash);

	if (err == OK &&
	    (query_int(&query, COLUMN_KIND) != TOKEN_REFRESH ||
		query_int(&query, COLUMN_EXPIRES_AT) <= refresh->now))
		err = ERR_NOT_FOUND;
	if (err == OK)
		*standing_r = (struct standing){
		    .grant = (uint64_t)query_int(&query, COLUMN_GRANT),
		    .successor = (uint64_t)query_int(&query, COLUMN_SUCCESSOR),
		    .used_at = query_int(&query, COLUMN_USED_AT),
		};
	query_end(&query);
	return err;
}

static enum err
use_token(struct sqlite_connection *connection,
    const struct store_refresh *refresh, uint64_t grant)
{
	struct query query = query_of(connection, SQL_TOKEN_USE);
	enum err err;

	query_bind_int(&query, 1, (int64_t)refresh->number);
	query_bind_int(&query, 2, (int64_t)refresh->successor.number);
	query_bind_int(&query, 3, refresh->now);
	query_bind_int(&query, 4, refresh->used_expires_at);
	err = query_run(&query);
	if (err == OK)
		err =
		    store_token_insert(connection, grant, &refresh->successor);
	return err;
}

/* Whether the successor is there and was not used itself. OK, or
 * ERR_NOT_FOUND. */
static enum err
check_unused(struct sqlite_connection *connection, uint64_t number)
{
	struct query query = query_of(connection, SQL_TOKEN_UNUSED);
	enum err err;

	query_bind_int(&query, 1, (int64_t)number);
	err = query_row(&query);
	query_end(&query);
	return err;
}

/* OK: a retry; ERR_NOT_FOUND: reuse. A clock that was put back makes reuse
 * look like a retry for as long as it is behind, never the reverse. */
static enum err
check_retry(struct sqlite_connection *connection,
    const struct store_refresh *refresh, const struct standing *standing)
{
	if (refresh->now - standing->used_at > refresh->retry_secs)
		return ERR_NOT_FOUND;
	return check_unused(connection, standing->successor);
}

/* The grant lives as long as the last of its tokens. */
static enum err
extend_grant(struct sqlite_connection *connection,
    const struct store_refresh *refresh, uint64_t grant)
{
	struct query query = query_of(connection, SQL_GRANT_EXTEND);
	int64_t until = refresh->access.expires_at;

	if (refresh->successor.expires_at > until)
		until = refresh->successor.expires_at;
	query_bind_int(&query, 1, (int64_t)grant);
	query_bind_int(&query, 2, until);
	return query_run(&query);
}

static enum err
store_refreshed(struct sqlite_connection *connection,
    const struct store_refresh *refresh, uint64_t grant)
{
	enum err err = store_token_insert(connection, grant, &refresh->access);

	return err == OK ? extend_grant(connection, refresh, grant) : err;
}

static enum err
settle_used(struct sqlite_connection *connection, struct store_refresh *refresh,
    const struct standing *standing)
{
	enum err err = check_retry(connection, refresh, standing);

	if (err == ERR_NOT_FOUND) {
		refresh->outcome = REFRESH_IS_REUSE;
		return store_grant_delete_row(connection, standing->grant);
	}
	refresh->outcome = REFRESHED_AGAIN;
	refresh->successor_number = standing->successor;
	return err == OK ? store_refreshed(connection, refresh, standing->grant)
			 : err;
}

static enum err
run_refresh(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct store_refresh *refresh = user;
	struct standing standing;
	enum err err = read_standing(connection, refresh, &standing);

	if (err == ERR_NOT_FOUND) {
		refresh->outcome = REFRESH_REFUSED;
		return OK;
	}
	if (err != OK)
		return err;
	if (standing.successor != 0)
		return settle_used(connection, refresh, &standing);
	refresh->outcome = REFRESHED;
	refresh->successor_number = refresh->successor.number;
	err = use_token(connection, refresh, standing.grant);
	return err == OK ? store_refreshed(connection, refresh, standing.grant)
			 : err;
}

enum err
store_token_refresh(struct store *store, struct store_refresh *refresh)
{
	return store_perform(store, run_refresh, refresh);
}

/* ---- revoking ----------------------------------------------------------- */

static enum err
run_delete(struct store_writer *writer, void *user)
{
	struct query query =
	    query_of(store_writer_connection(writer), SQL_TOKEN_DELETE);
	const uint64_t *number = user;

	query_bind_int(&query, 1, (int64_t)*number);
	return query_run(&query);
}

enum err
store_token_delete(struct store *store, uint64_t number)
{
	return store_perform(store, run_delete, &number);
}
