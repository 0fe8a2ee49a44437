/*
 * store_cache: every action, atomicity under load, quota, expiry, and values
 * that are seen only once their removal is durable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <stdatomic.h>

#include "gateway/store/store_cache.h"
#include "gateway/store/store_config.h"

#include "store_fixture.h"

#define NOW 1000000

/* ---- a codec that seals by turning letters over ---------------------------
 */

static enum err
test_seal(void *user, const uint8_t key[STORE_HASH_BYTES], const char *text,
    uint8_t **sealed_r, size_t *len_r)
{
	size_t len = strlen(text);
	uint8_t *sealed = malloc(len + 1);

	(void)user;
	assert_non_null(sealed);
	sealed[0] = key[8];
	for (size_t i = 0; i < len; i++)
		sealed[i + 1] = (uint8_t)(255 - (uint8_t)text[i]);
	*sealed_r = sealed;
	*len_r = len + 1;
	return OK;
}

static enum err
test_unseal(void *user, const uint8_t key[STORE_HASH_BYTES], struct span sealed,
    char **text_r)
{
	char *text;

	(void)user;
	if (sealed.len == 0 || sealed.data[0] != key[8])
		return ERR_CORRUPT;
	text = calloc(1, sealed.len);
	assert_non_null(text);
	for (size_t i = 1; i < sealed.len; i++)
		text[i - 1] = (char)(255 - sealed.data[i]);
	*text_r = text;
	return OK;
}

static const struct store_cache_codec codec = {NULL, test_unseal, test_seal};

/* ---- calling and waiting ---------------------------------------------------
 */

struct outcome {
	sem_t done;
	enum err err;
};

static void
call_done(struct store_cache_call *call, enum err err)
{
	struct outcome *outcome = call->user;

	outcome->err = err;
	sem_post(&outcome->done);
}

static struct store_cache_call *
call_new(enum store_cache_action action, const char *ns, unsigned key)
{
	struct store_cache_call *call = calloc(1, sizeof *call);

	assert_non_null(call);
	call->action = action;
	snprintf(call->ns, sizeof call->ns, "%s", ns);
	hash_of(key, call->key);
	call->now = NOW;
	call->expires_at = NOW + 300;
	call->max_entries = 1000;
	call->codec = &codec;
	call->done = call_done;
	return call;
}

/* Submits and waits; the call stays for its results. */
static enum err
call_run(struct store_cache_call *call)
{
	struct outcome outcome = {.err = ERR_COUNT};

	sem_init(&outcome.done, 0, 0);
	call->user = &outcome;
	store_cache_submit(store, call);
	while (sem_wait(&outcome.done) != 0)
		;
	sem_destroy(&outcome.done);
	return outcome.err;
}

static void
set_value(struct store_cache_call *call, const char *text)
{
	assert_int_equal(
	    test_seal(NULL, call->key, text, &call->value, &call->value_len),
	    OK);
}

static enum err
put(const char *ns, unsigned key, const char *text, unsigned max_entries,
    int64_t now)
{
	struct store_cache_call *call = call_new(CACHE_STORE, ns, key);
	enum err err;

	call->max_entries = max_entries;
	call->now = now;
	call->expires_at = now + 300;
	set_value(call, text);
	err = call_run(call);
	store_cache_call_free(call);
	return err;
}

/* The text that the action finds; "" for none. */
static void
expect(enum store_cache_action action, const char *ns, unsigned key,
    int64_t now, const char *expected)
{
	struct store_cache_call *call = call_new(action, ns, key);
	char *text = NULL;

	call->now = now;
	assert_int_equal(call_run(call), OK);
	assert_true(call->found == (expected[0] != '\0'));
	if (call->found) {
		assert_int_equal(
		    test_unseal(NULL, call->key,
			span_of(call->found_value, call->found_value_len),
			&text),
		    OK);
		assert_string_equal(text, expected);
	}
	free(text);
	store_cache_call_free(call);
}

static enum err
bump(const char *ns, unsigned key, int64_t now, int64_t *number_r)
{
	struct store_cache_call *call = call_new(CACHE_INCREMENT, ns, key);
	enum err err;

	call->now = now;
	call->expires_at = now + 300;
	err = call_run(call);
	*number_r = call->number;
	store_cache_call_free(call);
	return err;
}

/* ---- tests -----------------------------------------------------------------
 */

static void
test_store_fetch_delete_take(void **state)
{
	(void)state;
	expect(CACHE_FETCH, "idp", 1, NOW, "");
	assert_int_equal(put("idp", 1, "one", 10, NOW), OK);
	expect(CACHE_FETCH, "idp", 1, NOW, "one");
	expect(CACHE_FETCH, "idp", 2, NOW, "");
	expect(CACHE_FETCH, "other", 1, NOW, "");
	assert_int_equal(put("idp", 1, "two", 10, NOW), OK);
	store_again();
	expect(CACHE_TAKE, "idp", 1, NOW, "two");
	expect(CACHE_TAKE, "idp", 1, NOW, "");
	store_again();
	expect(CACHE_FETCH, "idp", 1, NOW, "");
	assert_int_equal(put("", 1, "three", 10, NOW), OK);
	expect(CACHE_DELETE, "", 1, NOW, "three");
	expect(CACHE_FETCH, "", 1, NOW, "");
}

static void
test_expired_is_absent(void **state)
{
	int64_t number;

	(void)state;
	assert_int_equal(put("idp", 1, "one", 10, NOW), OK);
	expect(CACHE_FETCH, "idp", 1, NOW + 299, "one");
	expect(CACHE_FETCH, "idp", 1, NOW + 300, "");
	expect(CACHE_TAKE, "idp", 1, NOW + 300, "");
	assert_int_equal(bump("idp", 2, NOW, &number), OK);
	assert_int_equal(bump("idp", 2, NOW + 299, &number), OK);
	assert_int_equal(number, 2); /* increment keeps the first's expiry */
	assert_int_equal(bump("idp", 2, NOW + 300, &number), OK);
	assert_int_equal(number, 1);
}

static void
test_increment_wants_a_number(void **state)
{
	static const char *const bad[] = {"", "one", "1.5", " 1", "1 ", "+1",
	    "-", "0x10", "9223372036854775807", "9223372036854775808",
	    "-9223372036854775809", "1e3"};
	int64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(put("idp", 1, bad[i], 10, NOW), OK);
		assert_int_equal(bump("idp", 1, NOW, &number), ERR_INVALID);
	}
	assert_int_equal(put("idp", 1, "-1", 10, NOW), OK);
	assert_int_equal(bump("idp", 1, NOW, &number), OK);
	assert_int_equal(number, 0);
	expect(CACHE_FETCH, "idp", 1, NOW, "0");
}

static void
test_quota_counts_live_entries(void **state)
{
	int64_t number;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(put("idp", i, "x", 5, NOW), OK);
	assert_int_equal(put("idp", 5, "x", 5, NOW), ERR_LIMIT);
	expect(CACHE_FETCH, "idp", 5, NOW, "");
	assert_int_equal(put("idp", 4, "y", 5, NOW), OK); /* no new entry */
	assert_int_equal(put("other", 5, "x", 5, NOW), OK);
	expect(CACHE_TAKE, "idp", 0, NOW, "x");
	assert_int_equal(put("idp", 5, "x", 5, NOW), OK);
	assert_int_equal(put("idp", 6, "x", 5, NOW), ERR_LIMIT);
	/* Expired ones make room. */
	assert_int_equal(put("idp", 7, "x", 5, NOW + 300), OK);
	for (unsigned i = 8; i < 12; i++)
		assert_int_equal(put("idp", i, "x", 5, NOW + 300), OK);
	assert_int_equal(put("idp", 12, "x", 5, NOW + 300), ERR_LIMIT);
	store_again();
	assert_int_equal(put("idp", 12, "x", 5, NOW + 300), ERR_LIMIT);
	assert_int_equal(bump("new", 1, NOW, &number), OK);
}

static void
test_expiry(void **state)
{
	unsigned deleted;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(put("", i, "x", 10, NOW), OK);
		assert_int_equal(put("idp", i, "x", 10, NOW), OK);
		assert_int_equal(put("other", i, "x", 10, NOW + 5), OK);
	}
	assert_int_equal(store_expire(store, NOW + 299, 100, &deleted), OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(store_expire(store, NOW + 300, 8, &deleted), OK);
	assert_int_equal(deleted, 8);
	assert_int_equal(store_expire(store, NOW + 300, 8, &deleted), OK);
	assert_int_equal(deleted, 4);
	assert_int_equal(store_expire(store, NOW + 305, 100, &deleted), OK);
	assert_int_equal(deleted, 6);
	/* The counts followed. */
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(put("idp", i, "x", 10, NOW + 305), OK);
}

/* ---- all at once ------------------------------------------------------------
 */

static atomic_uint found_count;

static void *
take_one(void *argument)
{
	struct store_cache_call *call = call_new(CACHE_TAKE, "idp", 1);

	(void)argument;
	if (call_run(call) == OK && call->found)
		atomic_fetch_add(&found_count, 1);
	store_cache_call_free(call);
	return NULL;
}

static void
test_one_of_many_takes_wins(void **state)
{
	(void)state;
	atomic_store(&found_count, 0);
	assert_int_equal(put("idp", 1, "code", 10, NOW), OK);
	in_threads(50, take_one, NULL);
	assert_int_equal(atomic_load(&found_count), 1);
}

static void *
bump_one(void *argument)
{
	atomic_uint *seen = argument;
	int64_t number = 0;

	if (bump("idp", 1, NOW, &number) == OK && number >= 1 && number <= 200)
		atomic_fetch_add(&seen[number], 1);
	return NULL;
}

static void
test_no_increment_is_lost(void **state)
{
	static atomic_uint seen[201];

	(void)state;
	in_threads(200, bump_one, seen);
	for (size_t i = 1; i <= 200; i++)
		assert_int_equal(seen[i], 1);
	expect(CACHE_FETCH, "idp", 1, NOW, "200");
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_store_fetch_delete_take),
	    STORE_TEST(test_expired_is_absent),
	    STORE_TEST(test_increment_wants_a_number),
	    STORE_TEST(test_quota_counts_live_entries),
	    STORE_TEST(test_expiry),
	    STORE_TEST(test_one_of_many_takes_wins),
	    STORE_TEST(test_no_increment_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
