/*
 * store_transaction: one claim wins, attempts are counted, a crash or a new
 * start spends what was claimed, expiry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>

#include "gateway/store/store_config.h"
#include "gateway/store/store_transaction.h"

#include "store_fixture.h"

#define NOW 1000000

static uint64_t
open_one(unsigned attempts)
{
	struct store_transaction row = {.client_id = "client",
	    .idp = "idp",
	    .expires_at = NOW + 300,
	    .attempts_left = attempts,
	    .registration_data = span_str("sealed")};

	row.number = store_next_number(store, SEQUENCE_TRANSACTION);
	hash_of(row.number, row.hash);
	memset(row.release, 7, sizeof row.release);
	assert_int_equal(store_transaction_open(store, &row), OK);
	return row.number;
}

static struct store_claim
claim_of(uint64_t number)
{
	struct store_claim claim = {
	    .number = number, .client_id = "client", .idp = "idp", .now = NOW};

	hash_of(number, claim.hash);
	return claim;
}

static enum err
claim_one(uint64_t number)
{
	struct store_claim claim = claim_of(number);
	enum err err = store_transaction_claim(store, &claim);

	free(claim.registration_data);
	return err;
}

static void
test_claim_gives_what_init_left(void **state)
{
	struct store_claim claim = claim_of(open_one(5));
	uint8_t release[STORE_HASH_BYTES];

	(void)state;
	memset(release, 7, sizeof release);
	assert_int_equal(store_transaction_claim(store, &claim), OK);
	assert_memory_equal(claim.release, release, sizeof release);
	assert_int_equal(claim.attempts_left, 4);
	assert_true(span_is(
	    span_of(claim.registration_data, claim.registration_data_len),
	    "sealed"));
	free(claim.registration_data);
}

static void
test_absent_data_stays_absent(void **state)
{
	struct store_transaction row = {.number = 77,
	    .client_id = "client",
	    .idp = "idp",
	    .expires_at = NOW + 1,
	    .attempts_left = 1};
	struct store_claim claim = claim_of(77);

	(void)state;
	hash_of(77, row.hash);
	assert_int_equal(store_transaction_open(store, &row), OK);
	assert_int_equal(store_transaction_open(store, &row), ERR_EXISTS);
	assert_int_equal(store_transaction_claim(store, &claim), OK);
	assert_null(claim.registration_data);
}

static void
test_wrong_claims_all_look_alike(void **state)
{
	uint64_t number = open_one(5);
	struct store_claim claim;

	(void)state;
	assert_int_equal(claim_one(number + 1), ERR_NOT_FOUND);
	assert_int_equal(claim_one(UINT64_MAX), ERR_NOT_FOUND);
	for (size_t bit = 0; bit < sizeof claim.hash * 8; bit++) {
		claim = claim_of(number);
		claim.hash[bit / 8] =
		    (uint8_t)(claim.hash[bit / 8] ^ 1U << (bit % 8));
		assert_int_equal(
		    store_transaction_claim(store, &claim), ERR_NOT_FOUND);
		assert_null(claim.registration_data);
	}
	claim = claim_of(number);
	claim.client_id = "clien";
	assert_int_equal(store_transaction_claim(store, &claim), ERR_NOT_FOUND);
	claim = claim_of(number);
	claim.idp = "idp2";
	assert_int_equal(store_transaction_claim(store, &claim), ERR_NOT_FOUND);
	claim = claim_of(number);
	claim.now = NOW + 300;
	assert_int_equal(store_transaction_claim(store, &claim), ERR_NOT_FOUND);
	/* None of them cost an attempt. */
	claim = claim_of(number);
	assert_int_equal(store_transaction_claim(store, &claim), OK);
	assert_int_equal(claim.attempts_left, 4);
	free(claim.registration_data);
}

static void
test_attempts_run_out(void **state)
{
	uint64_t number = open_one(3);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(claim_one(number), OK);
		assert_int_equal(claim_one(number), ERR_NOT_FOUND);
		assert_int_equal(
		    store_transaction_settle(store, number, SETTLE_GIVE_BACK),
		    OK);
	}
	assert_int_equal(claim_one(number), ERR_NOT_FOUND);
	assert_int_equal(
	    store_transaction_settle(store, number, SETTLE_GIVE_BACK),
	    ERR_STATE);
}

static void
test_spent_is_gone(void **state)
{
	uint64_t number = open_one(5);

	(void)state;
	assert_int_equal(
	    store_transaction_settle(store, number, SETTLE_SPEND), ERR_STATE);
	assert_int_equal(claim_one(number), OK);
	assert_int_equal(
	    store_transaction_settle(store, number, SETTLE_SPEND), OK);
	assert_int_equal(claim_one(number), ERR_NOT_FOUND);
	assert_int_equal(
	    store_transaction_settle(store, number, SETTLE_SPEND), ERR_STATE);
}

static void
test_new_start_spends_claims(void **state)
{
	uint64_t claimed = open_one(5);
	uint64_t open = open_one(5);

	(void)state;
	assert_int_equal(claim_one(claimed), OK);
	store_again();
	assert_int_equal(claim_one(claimed), ERR_NOT_FOUND);
	assert_int_equal(
	    store_transaction_settle(store, claimed, SETTLE_GIVE_BACK),
	    ERR_STATE);
	assert_int_equal(claim_one(open), OK);
}

/* ---- all at once --------------------------------------------------------- */

struct race {
	uint64_t number;
	atomic_uint won;
	atomic_uint lost;
};

static void *
race_claim(void *argument)
{
	struct race *race = argument;
	enum err err = claim_one(race->number);

	if (err == OK)
		atomic_fetch_add(&race->won, 1);
	else if (err == ERR_NOT_FOUND)
		atomic_fetch_add(&race->lost, 1);
	return NULL;
}

static void
test_one_of_many_claims_wins(void **state)
{
	struct race race = {.number = open_one(5)};

	(void)state;
	in_threads(100, race_claim, &race);
	assert_int_equal(race.won, 1);
	assert_int_equal(race.lost, 99);
}

/* ---- expiry -------------------------------------------------------------- */

static void
test_expiry(void **state)
{
	uint64_t first = open_one(5);
	uint64_t claimed = open_one(5);
	unsigned deleted;

	(void)state;
	for (int i = 0; i < 8; i++)
		(void)open_one(5);
	assert_int_equal(claim_one(claimed), OK);
	assert_int_equal(store_expire(store, NOW + 299, 100, &deleted), OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(store_expire(store, NOW + 300, 4, &deleted), OK);
	assert_int_equal(deleted, 4);
	assert_int_equal(store_expire(store, NOW + 300, 100, &deleted), OK);
	assert_int_equal(deleted, 5);
	assert_int_equal(claim_one(first), ERR_NOT_FOUND);
	/* A claim belongs to a request that still runs. */
	assert_int_equal(
	    store_transaction_settle(store, claimed, SETTLE_GIVE_BACK), OK);
	assert_int_equal(store_expire(store, NOW + 300, 100, &deleted), OK);
	assert_int_equal(deleted, 1);
	/* ... unless it was forgotten. */
	claimed = open_one(5);
	assert_int_equal(claim_one(claimed), OK);
	assert_int_equal(store_expire(store, NOW + 9999, 100, &deleted), OK);
	assert_int_equal(deleted, 1);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_claim_gives_what_init_left),
	    STORE_TEST(test_absent_data_stays_absent),
	    STORE_TEST(test_wrong_claims_all_look_alike),
	    STORE_TEST(test_attempts_run_out),
	    STORE_TEST(test_spent_is_gone),
	    STORE_TEST(test_new_start_spends_claims),
	    STORE_TEST(test_one_of_many_claims_wins),
	    STORE_TEST(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
