/*
 * The tables of grants and tokens: what a successful complete leaves behind,
 * and what a presented token is checked against.
 * Not here: expiry (store_expire.c), what a token looks like.
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_grant.h"

#include "common/secret.h"
#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* ---- creating ----------------------------------------------------------- */

static enum err
spend_claim(struct sqlite_connection *connection, uint64_t number)
{
	struct query query = query_of(connection, SQL_TRANSACTION_SPEND);
	unsigned spent;
	enum err err;

	query_bind_int(&query, 1, (int64_t)number);
	err = query_run_counted(&query, &spent);
	if (err == OK && spent != 1)
		err = ERR_STATE;
	return err;
}

/* A grant lives as long as the last of its tokens. */
static int64_t
grant_expires_at(const struct store_grant *grant)
{
	int64_t expires_at = grant->created_at;

	for (unsigned i = 0; i < grant->token_count; i++) {
		if (grant->tokens[i].expires_at > expires_at)
			expires_at = grant->tokens[i].expires_at;
	}
	return expires_at;
}

static enum err
insert_grant(
    struct sqlite_connection *connection, const struct store_grant *grant)
{
	struct query query = query_of(connection, SQL_GRANT_INSERT);

	query_bind_int(&query, 1, (int64_t)grant->number);
	query_bind_text(&query, 2, grant->client_id);
	query_bind_text(&query, 3, grant->idp);
	query_bind_text(&query, 4, grant->sub);
	query_bind_text(&query, 5, grant->scope);
	query_bind_text(&query, 6, grant->profile);
	query_bind_bytes(&query, 7, span_of(grant->release, STORE_HASH_BYTES));
	query_bind_int(&query, 8, grant->created_at);
	query_bind_int(&query, 9, grant_expires_at(grant));
	query_bind_bytes(&query, 10, grant->snapshot);
	return query_run(&query);
}

static enum err
insert_token(struct sqlite_connection *connection, uint64_t grant,
    const struct store_token *token)
{
	struct query query = query_of(connection, SQL_TOKEN_INSERT);

	query_bind_int(&query, 1, (int64_t)token->number);
	query_bind_bytes(&query, 2, span_of(token->hash, STORE_HASH_BYTES));
	query_bind_int(&query, 3, (int64_t)grant);
	query_bind_int(&query, 4, token->kind);
	query_bind_int(&query, 5, token->expires_at);
	query_bind_int(&query, 6, token->idle_secs);
	return query_run(&query);
}

static enum err
run_create(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct store_grant *grant = user;
	enum err err = OK;

	/* First, since it is what can fail: then nothing is to be undone. */
	if (grant->transaction != 0)
		err = spend_claim(connection, grant->transaction);
	if (err == OK)
		err = insert_grant(connection, grant);
	for (unsigned i = 0; i < grant->token_count && err == OK; i++)
		err =
		    insert_token(connection, grant->number, &grant->tokens[i]);
	return err;
}

enum err
store_grant_create(struct store *store, const struct store_grant *grant)
{
	struct store_grant copy = *grant;

	return store_perform(store, run_create, &copy);
}

/* ---- finding ------------------------------------------------------------ */

/* The columns of SQL_TOKEN_GET. */
enum { COLUMN_HASH, COLUMN_GRANT, COLUMN_KIND, COLUMN_EXPIRES_AT };

enum err
store_token_find(struct store *store, uint64_t number,
    const uint8_t hash[STORE_HASH_BYTES], enum store_token_kind kind,
    int64_t now, uint64_t *grant_r)
{
	struct sqlite_connection *connection;
	struct query query;
	enum err err;

	/* Clients choose the number; beyond SQLite's there is no row. */
	if (number > INT64_MAX)
		return ERR_NOT_FOUND;
	connection = store_reader_take(store);
	query = query_of(connection, SQL_TOKEN_GET);
	query_bind_int(&query, 1, (int64_t)number);
	err = query_row(&query);
	if (err == OK && (!secret_equal(query_bytes(&query, COLUMN_HASH),
			      span_of(hash, STORE_HASH_BYTES)) ||
			     query_int(&query, COLUMN_KIND) != (int64_t)kind ||
			     query_int(&query, COLUMN_EXPIRES_AT) <= now))
		err = ERR_NOT_FOUND;
	if (err == OK)
		*grant_r = (uint64_t)query_int(&query, COLUMN_GRANT);
	query_end(&query);
	store_reader_give(store, connection);
	return err;
}
