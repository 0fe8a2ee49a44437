/*
 * store_token and store_user: refresh, retry and reuse; revocation; profiles;
 * a user's grants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>

#include "gateway/store/store_config.h"
#include "gateway/store/store_user.h"

#include "store_fixture.h"

#define NOW           1000000
#define RETRY_SECS    10
#define REFRESH_UNTIL (NOW + 5000)

/* Token 1 is the access token, 2 the refresh token of each first grant. */
static enum err
grant_to(const char *sub, const char *profile, uint64_t first_token)
{
	struct store_token tokens[2] = {
	    {.number = first_token,
		.kind = TOKEN_ACCESS,
		.issued_at = NOW,
		.expires_at = NOW + 900},
	    {.number = first_token + 1,
		.kind = TOKEN_REFRESH,
		.issued_at = NOW,
		.expires_at = NOW + 1000},
	};
	struct store_grant grant = {
	    .number = store_next_number(store, SEQUENCE_GRANT),
	    .client_id = "client",
	    .idp = "idp",
	    .sub = sub,
	    .scope = "openid profile",
	    .profile = profile,
	    .created_at = NOW,
	    .refresh_until = REFRESH_UNTIL,
	    .snapshot = span_str("sealed"),
	    .tokens = tokens,
	    .token_count = 2};

	hash_of(first_token, tokens[0].hash);
	hash_of(first_token + 1, tokens[1].hash);
	return store_grant_create(store, &grant);
}

static enum err
access_at(uint64_t number, int64_t now)
{
	uint8_t hash[STORE_HASH_BYTES];

	hash_of(number, hash);
	return find_token(number, hash, TOKEN_ACCESS, now);
}

static enum err
refresh_at(uint64_t number, int64_t now)
{
	uint8_t hash[STORE_HASH_BYTES];

	hash_of(number, hash);
	return find_token(number, hash, TOKEN_REFRESH, now);
}

/* Uses `number`; new tokens are `access` and `successor`. */
static struct store_refresh
use(uint64_t number, uint64_t successor, uint64_t access, int64_t now)
{
	struct store_refresh refresh = {.number = number,
	    .now = now,
	    .retry_secs = RETRY_SECS,
	    .used_expires_at = now + 1000,
	    .successor = {.number = successor,
		.kind = TOKEN_REFRESH,
		.issued_at = now,
		.expires_at = now + 1000},
	    .access = {.number = access,
		.kind = TOKEN_ACCESS,
		.issued_at = now,
		.expires_at = now + 900,
		.scope = "openid"}};

	hash_of(number, refresh.hash);
	hash_of(successor, refresh.successor.hash);
	hash_of(access, refresh.access.hash);
	assert_int_equal(store_token_refresh(store, &refresh), OK);
	return refresh;
}

static void
test_view(void **state)
{
	struct store_token_view view;
	struct arena *arena = arena_new(65536);
	uint8_t hash[STORE_HASH_BYTES];

	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	(void)use(2, 3, 4, NOW + 5);
	hash_of(4, hash);
	assert_int_equal(store_token_get(store, 4, hash, arena, &view), OK);
	assert_int_equal(view.kind, TOKEN_ACCESS);
	assert_int_equal(view.issued_at, NOW + 5);
	assert_int_equal(view.expires_at, NOW + 905);
	assert_string_equal(view.scope, "openid");
	assert_string_equal(view.grant_scope, "openid profile");
	assert_string_equal(view.client_id, "client");
	assert_string_equal(view.idp, "idp");
	assert_string_equal(view.sub, "idp|ada");
	assert_int_equal(view.granted_at, NOW);
	assert_int_equal(view.refresh_until, REFRESH_UNTIL);
	assert_true(span_is(view.snapshot, "sealed"));
	hash_of(2, hash);
	assert_int_equal(store_token_get(store, 2, hash, arena, &view), OK);
	assert_true(view.used);
	assert_string_equal(view.scope, "openid profile");
	hash_of(3, hash);
	assert_int_equal(store_token_get(store, 3, hash, arena, &view), OK);
	assert_false(view.used);
	assert_int_equal(
	    store_token_get(store, 2, hash, arena, &view), ERR_NOT_FOUND);
	assert_int_equal(store_token_get(store, UINT64_MAX, hash, arena, &view),
	    ERR_NOT_FOUND);
	arena_free(arena);
	/* An arena that is full is no token that is unknown. */
	arena = arena_new(8);
	assert_int_equal(
	    store_token_get(store, 3, hash, arena, &view), ERR_NOMEM);
	arena_free(arena);
}

static void
test_rotation(void **state)
{
	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW).outcome, REFRESHED);
	assert_int_equal(use(3, 5, 6, NOW + 1).outcome, REFRESHED);
	assert_int_equal(access_at(1, NOW), OK);
	assert_int_equal(access_at(4, NOW), OK);
	assert_int_equal(access_at(6, NOW), OK);
	assert_int_equal(refresh_at(5, NOW), OK);
	/* An access token is no refresh token. */
	assert_int_equal(use(6, 7, 8, NOW + 1).outcome, REFRESH_REFUSED);
	assert_int_equal(use(99, 7, 8, NOW + 1).outcome, REFRESH_REFUSED);
	assert_int_equal(access_at(8, NOW), ERR_NOT_FOUND);
}

static void
test_retry_has_the_same_successor(void **state)
{
	struct store_refresh again;

	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW).outcome, REFRESHED);
	again = use(2, 5, 6, NOW + RETRY_SECS);
	assert_int_equal(again.outcome, REFRESHED_AGAIN);
	assert_int_equal(again.successor_number, 3);
	assert_int_equal(access_at(6, NOW), OK);
	assert_int_equal(refresh_at(5, NOW), ERR_NOT_FOUND);
	assert_int_equal(refresh_at(3, NOW), OK);
}

static void
expect_family_gone(void)
{
	assert_int_equal(access_at(1, NOW), ERR_NOT_FOUND);
	assert_int_equal(access_at(4, NOW), ERR_NOT_FOUND);
	assert_int_equal(refresh_at(3, NOW), ERR_NOT_FOUND);
	assert_int_equal(use(3, 30, 31, NOW + 1).outcome, REFRESH_REFUSED);
}

static void
test_late_reuse_kills_the_family(void **state)
{
	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW).outcome, REFRESHED);
	assert_int_equal(
	    use(2, 5, 6, NOW + RETRY_SECS + 1).outcome, REFRESH_IS_REUSE);
	assert_int_equal(access_at(6, NOW), ERR_NOT_FOUND);
	expect_family_gone();
	store_again();
	expect_family_gone();
}

static void
test_reuse_after_the_successors_use_kills_the_family(void **state)
{
	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW).outcome, REFRESHED);
	assert_int_equal(use(3, 5, 6, NOW + 1).outcome, REFRESHED);
	assert_int_equal(use(2, 7, 8, NOW + 2).outcome, REFRESH_IS_REUSE);
	assert_int_equal(refresh_at(5, NOW), ERR_NOT_FOUND);
	expect_family_gone();
}

struct race {
	atomic_uint_fast64_t number;
	atomic_uint refreshed, again;
	atomic_uint_fast64_t successor;
};

static void *
race_refresh(void *argument)
{
	struct race *race = argument;
	uint64_t number = atomic_fetch_add(&race->number, 2);
	struct store_refresh got = use(2, number, number + 1, NOW);

	if (got.outcome == REFRESHED)
		atomic_fetch_add(&race->refreshed, 1);
	if (got.outcome == REFRESHED_AGAIN)
		atomic_fetch_add(&race->again, 1);
	atomic_fetch_or(&race->successor, got.successor_number);
	return NULL;
}

static void
test_fifty_at_once_have_one_successor(void **state)
{
	struct race race = {.number = 100};

	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	in_threads(50, race_refresh, &race);
	assert_int_equal(race.refreshed, 1);
	assert_int_equal(race.again, 49);
	/* Or-ed together, one number gives itself. */
	assert_int_equal(refresh_at(race.successor, NOW), OK);
}

static void
test_expired_refresh_token(void **state)
{
	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW + 1000).outcome, REFRESH_REFUSED);
	assert_int_equal(use(2, 3, 4, NOW + 999).outcome, REFRESHED);
	assert_int_equal(use(3, 5, 6, NOW + 1999).outcome, REFRESH_REFUSED);
}

/* A grant goes with the last token that a refresh gave it. */
static void
test_refresh_extends_the_grant(void **state)
{
	unsigned deleted;

	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(use(2, 3, 4, NOW + 999).outcome, REFRESHED);
	assert_int_equal(store_expire(store, NOW + 1998, 100, &deleted), OK);
	assert_int_equal(refresh_at(3, NOW + 1998), OK);
	assert_int_equal(store_expire(store, NOW + 1999, 100, &deleted), OK);
	assert_int_equal(refresh_at(3, NOW), ERR_NOT_FOUND);
}

static void
test_revoking(void **state)
{
	struct store_user_grant grant;
	struct store_user_query query = {.sub = "idp|ada", .now = NOW};
	struct arena *arena = arena_new(65536);
	size_t count = 1;

	(void)state;
	assert_int_equal(grant_to("idp|ada", NULL, 1), OK);
	assert_int_equal(store_token_delete(store, 1), OK);
	assert_int_equal(store_token_delete(store, 1), OK);
	assert_int_equal(access_at(1, NOW), ERR_NOT_FOUND);
	assert_int_equal(refresh_at(2, NOW), OK);
	assert_int_equal(
	    store_user_grants(store, &query, arena, &grant, &count), OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_grant_revoke(store, grant.number), OK);
	assert_int_equal(store_grant_revoke(store, grant.number), OK);
	assert_int_equal(refresh_at(2, NOW), ERR_NOT_FOUND);
	arena_free(arena);
}

static void
test_a_profile_has_one_user(void **state)
{
	(void)state;
	assert_int_equal(grant_to("idp|ada", "ABC123", 1), OK);
	assert_int_equal(grant_to("idp|ada", "ABC123", 3), OK);
	assert_int_equal(grant_to("idp|eve", "ABC123", 5), ERR_DENIED);
	assert_int_equal(access_at(5, NOW), ERR_NOT_FOUND);
	assert_int_equal(grant_to("idp|eve", "EVE123", 5), OK);
	store_again();
	assert_int_equal(grant_to("idp|eve", "ABC123", 7), ERR_DENIED);
}

/* More than a stretch of the index, with two users in all of it. */
static void
test_users_grants(void **state)
{
	enum { GRANTS = 9000, ROOM = 100 };
	struct store_user_grant grants[ROOM];
	struct store_user_query query = {.sub = "idp|ada", .now = NOW};
	struct arena *arena = arena_new(1 << 20);
	size_t count, total = 0;
	unsigned revoked;

	(void)state;
	for (uint64_t i = 0; i < GRANTS; i += 3000)
		for (uint64_t number = i; number < i + 3000; number++)
			if (number % 100 == 7)
				assert_int_equal(
				    grant_to("idp|ada", NULL, 1 + 2 * number),
				    OK);
			else if (number % 100 == 8)
				assert_int_equal(
				    grant_to("idp|eve", NULL, 1 + 2 * number),
				    OK);
			else
				(void)store_next_number(store, SEQUENCE_GRANT);
	for (count = 40; count == 40; total += count) {
		assert_int_equal(
		    store_user_grants(store, &query, arena, grants, &count),
		    OK);
		for (size_t i = 0; i < count; i++) {
			assert_true(grants[i].number > query.after);
			assert_string_equal(grants[i].scope, "openid profile");
			query.after = grants[i].number;
		}
	}
	assert_int_equal(total, GRANTS / 100);
	assert_int_equal(store_user_grant_revoke(store, "idp|eve", query.after),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    store_user_grant_revoke(store, "idp|ada", query.after), OK);
	assert_int_equal(store_user_revoke_all(store, "idp|ada", &revoked), OK);
	assert_int_equal(revoked, GRANTS / 100 - 1);
	query = (struct store_user_query){.sub = "idp|eve", .now = NOW};
	count = ROOM;
	assert_int_equal(
	    store_user_grants(store, &query, arena, grants, &count), OK);
	assert_int_equal(count, GRANTS / 100);
	query.now = NOW + 1000;
	count = ROOM;
	assert_int_equal(
	    store_user_grants(store, &query, arena, grants, &count), OK);
	assert_int_equal(count, 0);
	arena_free(arena);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_view),
	    STORE_TEST(test_rotation),
	    STORE_TEST(test_retry_has_the_same_successor),
	    STORE_TEST(test_late_reuse_kills_the_family),
	    STORE_TEST(test_reuse_after_the_successors_use_kills_the_family),
	    STORE_TEST(test_fifty_at_once_have_one_successor),
	    STORE_TEST(test_expired_refresh_token),
	    STORE_TEST(test_refresh_extends_the_grant),
	    STORE_TEST(test_revoking),
	    STORE_TEST(test_a_profile_has_one_user),
	    STORE_TEST(test_users_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
