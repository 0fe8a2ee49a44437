/*
 * The table of grants: what a successful complete leaves behind, and its end.
 * Not here: tokens once they are out (store_token.c), expiry (store_expire.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_grant.h"

#include <string.h>

#include "gateway/store/query.h"
#include "gateway/store/store_grant_table.h"
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
	query_bind_int(&query, 10, grant->refresh_until);
	query_bind_int(&query, 11, grant->stateless);
	query_bind_bytes(&query, 12, grant->snapshot);
	return query_run(&query);
}

enum err
store_token_insert(struct sqlite_connection *connection, uint64_t grant,
    const struct store_token *token)
{
	struct query query = query_of(connection, SQL_TOKEN_INSERT);

	query_bind_int(&query, 1, (int64_t)token->number);
	query_bind_bytes(&query, 2, span_of(token->hash, STORE_HASH_BYTES));
	query_bind_int(&query, 3, (int64_t)grant);
	query_bind_int(&query, 4, token->kind);
	query_bind_int(&query, 5, token->issued_at);
	query_bind_int(&query, 6, token->expires_at);
	query_bind_text(&query, 7, token->scope);
	return query_run(&query);
}

/* ERR_DENIED: it is another user's. */
static enum err
check_profile(
    struct sqlite_connection *connection, const struct store_grant *grant)
{
	struct query query = query_of(connection, SQL_PROFILE_GET);
	const char *owner;
	enum err err;

	query_bind_text(&query, 1, grant->client_id);
	query_bind_text(&query, 2, grant->profile);
	err = query_row(&query);
	if (err == OK) {
		owner = query_text(&query, 0);
		if (owner == NULL || strcmp(owner, grant->sub) != 0)
			err = ERR_DENIED;
	}
	query_end(&query);
	return err;
}

/* The first user keeps it. */
static enum err
bind_profile(
    struct sqlite_connection *connection, const struct store_grant *grant)
{
	struct query query = query_of(connection, SQL_PROFILE_BIND);
	enum err err;

	query_bind_text(&query, 1, grant->client_id);
	query_bind_text(&query, 2, grant->profile);
	query_bind_text(&query, 3, grant->sub);
	err = query_run(&query);
	return err == OK ? check_profile(connection, grant) : err;
}

static enum err
run_create(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct store_grant *grant = user;
	enum err err = OK;

	/* First, since these can fail: then little is to be undone. */
	if (grant->transaction != 0)
		err = spend_claim(connection, grant->transaction);
	if (err == OK && grant->profile != NULL)
		err = bind_profile(connection, grant);
	if (err == OK)
		err = insert_grant(connection, grant);
	for (unsigned i = 0; i < grant->token_count && err == OK; i++)
		err = store_token_insert(
		    connection, grant->number, &grant->tokens[i]);
	return err;
}

enum err
store_grant_create(struct store *store, const struct store_grant *grant)
{
	struct store_grant copy = *grant;

	return store_perform(store, run_create, &copy);
}

/* ---- revoking ----------------------------------------------------------- */

enum err
store_grant_delete_row(struct sqlite_connection *connection, uint64_t number)
{
	struct query query = query_of(connection, SQL_GRANT_DELETE);

	query_bind_int(&query, 1, (int64_t)number);
	return query_run(&query);
}

static enum err
run_revoke(struct store_writer *writer, void *user)
{
	const uint64_t *number = user;

	return store_grant_delete_row(store_writer_connection(writer), *number);
}

enum err
store_grant_revoke(struct store *store, uint64_t number)
{
	return store_perform(store, run_revoke, &number);
}
