/*
 * The table of transactions: open, claim, settle.
 * Not here: settling by a grant (store_grant.c), expiry (store_expire.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_transaction.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "gateway/store/query.h"
#include "gateway/store/store_writer.h"

static enum err
run_open(struct store_writer *writer, void *user)
{
	const struct store_transaction *row = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_TRANSACTION_INSERT);

	query_bind_int(&query, 1, (int64_t)row->number);
	query_bind_bytes(&query, 2, span_of(row->hash, STORE_HASH_BYTES));
	query_bind_text(&query, 3, row->client_id);
	query_bind_text(&query, 4, row->idp);
	query_bind_bytes(&query, 5, span_of(row->release, STORE_HASH_BYTES));
	query_bind_int(&query, 6, row->expires_at);
	query_bind_int(&query, 7, row->attempts_left);
	query_bind_bytes(&query, 8, row->registration_data);
	return query_run(&query);
}

enum err
store_transaction_open(struct store *store, const struct store_transaction *row)
{
	struct store_transaction copy = *row;

	return store_perform(store, run_open, &copy);
}

/* ---- claiming ----------------------------------------------------------- */

/* The columns of SQL_TRANSACTION_GET. */
enum {
	COLUMN_HASH,
	COLUMN_CLIENT_ID,
	COLUMN_IDP,
	COLUMN_RELEASE,
	COLUMN_EXPIRES_AT,
	COLUMN_ATTEMPTS_LEFT,
	COLUMN_CLAIMED,
	COLUMN_REGISTRATION_DATA
};

static bool
text_is(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

/* Whether the row that the query is at may be claimed with what was shown. */
static bool
claim_fits(struct query *query, struct store_claim *claim)
{
	bool hash_fits = secret_equal(query_bytes(query, COLUMN_HASH),
	    span_of(claim->hash, STORE_HASH_BYTES));
	bool owner_fits =
	    text_is(query_text(query, COLUMN_CLIENT_ID), claim->client_id) &&
	    text_is(query_text(query, COLUMN_IDP), claim->idp);

	claim->tampered = hash_fits && !owner_fits;
	return hash_fits && owner_fits &&
	       query_int(query, COLUMN_EXPIRES_AT) > claim->now &&
	       query_int(query, COLUMN_CLAIMED) == 0 &&
	       query_int(query, COLUMN_ATTEMPTS_LEFT) > 0;
}

static enum err
read_claim(struct query *query, struct store_claim *claim)
{
	enum err err = query_row(query);

	if (err != OK)
		return err;
	if (!claim_fits(query, claim))
		return ERR_NOT_FOUND;
	err = query_fixed(
	    query, COLUMN_RELEASE, claim->release, STORE_HASH_BYTES);
	if (err != OK)
		return err;
	claim->attempts_left =
	    (unsigned)query_int(query, COLUMN_ATTEMPTS_LEFT) - 1;
	return query_copy(query, COLUMN_REGISTRATION_DATA,
	    &claim->registration_data, &claim->registration_data_len);
}

static void
forget_data(struct store_claim *claim)
{
	free(claim->registration_data);
	claim->registration_data = NULL;
	claim->registration_data_len = 0;
}

static enum err
run_claim(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct store_claim *claim = user;
	struct query get = query_of(connection, SQL_TRANSACTION_GET);
	struct query update = query_of(connection, SQL_TRANSACTION_CLAIM);
	unsigned claimed;
	enum err err;

	forget_data(claim); /* of an earlier try */
	query_bind_int(&get, 1, (int64_t)claim->number);
	err = read_claim(&get, claim);
	query_end(&get);
	if (err != OK)
		return err;
	query_bind_int(&update, 1, (int64_t)claim->number);
	err = query_run_counted(&update, &claimed);
	if (err == OK && claimed != 1)
		err = ERR_NOT_FOUND;
	return err;
}

enum err
store_transaction_claim(struct store *store, struct store_claim *claim)
{
	enum err err;

	claim->registration_data = NULL;
	claim->registration_data_len = 0;
	claim->tampered = false;
	/* Clients choose the number; beyond SQLite's there is no row. */
	if (claim->number > INT64_MAX)
		return ERR_NOT_FOUND;
	err = store_perform(store, run_claim, claim);
	if (err != OK)
		forget_data(claim);
	return err;
}

/* ---- settling ----------------------------------------------------------- */

struct settle {
	uint64_t number;
	enum store_settle how;
};

static enum err
run_settle(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	const struct settle *settle = user;
	struct query give_back =
	    query_of(connection, SQL_TRANSACTION_GIVE_BACK);
	struct query spend = query_of(connection, SQL_TRANSACTION_SPEND);
	unsigned changed = 0;
	enum err err;

	if (settle->how == SETTLE_GIVE_BACK) {
		query_bind_int(&give_back, 1, (int64_t)settle->number);
		err = query_run_counted(&give_back, &changed);
		if (err != OK || changed == 1)
			return err;
	}
	/* To be spent, or without attempts left to give back. */
	query_bind_int(&spend, 1, (int64_t)settle->number);
	err = query_run_counted(&spend, &changed);
	if (err == OK && changed != 1)
		err = ERR_STATE;
	return err;
}

enum err
store_transaction_settle(
    struct store *store, uint64_t number, enum store_settle how)
{
	struct settle settle = {number, how};

	return store_perform(store, run_settle, &settle);
}
