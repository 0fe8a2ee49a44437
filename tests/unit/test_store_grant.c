/*
 * store_grant: grant, tokens and spent claim in one step; finding tokens;
 * expiry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>

#include <sqlite3.h>

#include "gateway/store/store_config.h"
#include "gateway/store/store_grant.h"

#include "store_fixture.h"

#define NOW 1000000

/* Access for 900 s, refresh for 5000 s. */
static enum err
grant_with(uint64_t transaction, uint64_t first_token)
{
	struct store_token tokens[2] = {
	    {.number = first_token,
		.kind = TOKEN_ACCESS,
		.expires_at = NOW + 900},
	    {.number = first_token + 1,
		.kind = TOKEN_REFRESH,
		.expires_at = NOW + 5000},
	};
	struct store_grant grant = {
	    .number = store_next_number(store, SEQUENCE_GRANT),
	    .client_id = "client",
	    .idp = "idp",
	    .sub = "idp|ada",
	    .scope = "openid profile",
	    .created_at = NOW,
	    .snapshot = span_str("sealed"),
	    .tokens = tokens,
	    .token_count = 2,
	    .transaction = transaction};

	hash_of(first_token, tokens[0].hash);
	hash_of(first_token + 1, tokens[1].hash);
	return store_grant_create(store, &grant);
}

static enum err
find_at(uint64_t number, enum store_token_kind kind, int64_t now)
{
	uint8_t hash[STORE_HASH_BYTES];

	hash_of(number, hash);
	return find_token(number, hash, kind, now);
}

static int64_t
rows_of(const char *table)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	char text[64];
	int64_t rows;

	snprintf(text, sizeof text, "SELECT count(*) FROM %s", table);
	assert_int_equal(
	    sqlite3_open_v2(store_path, &db, SQLITE_OPEN_READONLY, NULL),
	    SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	rows = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return rows;
}

static void
test_tokens_are_found(void **state)
{
	uint8_t hash[STORE_HASH_BYTES];

	(void)state;
	assert_int_equal(grant_with(0, 10), OK);
	assert_int_equal(find_at(10, TOKEN_ACCESS, NOW), OK);
	assert_int_equal(find_at(11, TOKEN_REFRESH, NOW), OK);
	assert_int_equal(find_at(10, TOKEN_REFRESH, NOW), ERR_NOT_FOUND);
	assert_int_equal(find_at(11, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	assert_int_equal(find_at(12, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	assert_int_equal(find_at(UINT64_MAX, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	assert_int_equal(find_at(10, TOKEN_ACCESS, NOW + 899), OK);
	assert_int_equal(find_at(10, TOKEN_ACCESS, NOW + 900), ERR_NOT_FOUND);
	for (size_t bit = 0; bit < sizeof hash * 8; bit++) {
		hash_of(10, hash);
		hash[bit / 8] = (uint8_t)(hash[bit / 8] ^ 1U << (bit % 8));
		assert_int_equal(
		    find_token(10, hash, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	}
	store_again();
	assert_int_equal(find_at(10, TOKEN_ACCESS, NOW), OK);
}

/* Its tokens are still rows: they must not become another user's. */
static void
test_a_revoked_grants_number_is_not_given_again(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(grant_with(0, 10), OK);
	number = store_next_number(store, SEQUENCE_GRANT) - 1;
	assert_int_equal(store_grant_revoke(store, number), OK);
	store_again();
	assert_true(store_next_number(store, SEQUENCE_GRANT) > number);
	assert_int_equal(grant_with(0, 20), OK);
	assert_int_equal(find_at(10, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
}

static uint64_t
open_and_claim(void)
{
	struct store_transaction row = {.client_id = "client",
	    .idp = "idp",
	    .expires_at = NOW + 300,
	    .attempts_left = 5};
	struct store_claim claim = {
	    .client_id = "client", .idp = "idp", .now = NOW};

	row.number = store_next_number(store, SEQUENCE_TRANSACTION);
	assert_int_equal(store_transaction_open(store, &row), OK);
	claim.number = row.number;
	assert_int_equal(store_transaction_claim(store, &claim), OK);
	return row.number;
}

static void
test_grant_spends_its_claim(void **state)
{
	uint64_t transaction = open_and_claim();

	(void)state;
	assert_int_equal(grant_with(transaction, 10), OK);
	assert_int_equal(rows_of("transactions"), 0);
	/* The second gets nothing, and nothing of it stays. */
	assert_int_equal(grant_with(transaction, 20), ERR_STATE);
	assert_int_equal(find_at(20, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	assert_int_equal(rows_of("grants"), 1);
	assert_int_equal(rows_of("tokens"), 2);
}

static void
test_open_transaction_is_no_claim(void **state)
{
	uint64_t transaction = open_and_claim();

	(void)state;
	assert_int_equal(
	    store_transaction_settle(store, transaction, SETTLE_GIVE_BACK), OK);
	assert_int_equal(grant_with(transaction, 10), ERR_STATE);
	assert_int_equal(rows_of("transactions"), 1);
	assert_int_equal(rows_of("grants"), 0);
}

/* A token number that is taken fails the grant as a whole: claim, grant and
 * the token before it are as they were. */
static void
test_all_or_nothing(void **state)
{
	uint64_t transaction = open_and_claim();

	(void)state;
	assert_int_equal(grant_with(0, 10), OK);
	assert_int_equal(grant_with(transaction, 9), ERR_EXISTS);
	assert_int_equal(find_at(9, TOKEN_ACCESS, NOW), ERR_NOT_FOUND);
	assert_int_equal(rows_of("grants"), 1);
	assert_int_equal(rows_of("tokens"), 2);
	assert_int_equal(grant_with(transaction, 20), OK);
}

struct race {
	uint64_t transaction;
	atomic_uint_fast64_t token;
	atomic_uint won;
};

static void *
race_grant(void *argument)
{
	struct race *race = argument;
	uint64_t token = atomic_fetch_add(&race->token, 2);

	if (grant_with(race->transaction, token) == OK)
		atomic_fetch_add(&race->won, 1);
	return NULL;
}

static void
test_one_of_many_grants_wins(void **state)
{
	struct race race = {.transaction = open_and_claim(), .token = 100};

	(void)state;
	in_threads(50, race_grant, &race);
	assert_int_equal(race.won, 1);
	assert_int_equal(rows_of("grants"), 1);
	assert_int_equal(rows_of("tokens"), 2);
}

static void
test_expiry(void **state)
{
	unsigned deleted;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(grant_with(0, 10 + 2 * i), OK);
	assert_int_equal(store_expire(store, NOW + 899, 100, &deleted), OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(store_expire(store, NOW + 900, 7, &deleted), OK);
	assert_int_equal(deleted, 7);
	assert_int_equal(store_expire(store, NOW + 900, 7, &deleted), OK);
	assert_int_equal(deleted, 3);
	/* Refresh tokens live, so their grants do. */
	assert_int_equal(rows_of("grants"), 10);
	assert_int_equal(find_at(11, TOKEN_REFRESH, NOW + 4999), OK);
	assert_int_equal(store_expire(store, NOW + 5000, 15, &deleted), OK);
	assert_int_equal(deleted, 15);
	assert_int_equal(rows_of("tokens"), 0);
	assert_int_equal(rows_of("grants"), 5);
	assert_int_equal(store_expire(store, NOW + 5000, 15, &deleted), OK);
	assert_int_equal(deleted, 5);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_tokens_are_found),
	    STORE_TEST(test_grant_spends_its_claim),
	    STORE_TEST(test_open_transaction_is_no_claim),
	    STORE_TEST(test_all_or_nothing),
	    STORE_TEST(test_one_of_many_grants_wins),
	    STORE_TEST(test_a_revoked_grants_number_is_not_given_again),
	    STORE_TEST(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
