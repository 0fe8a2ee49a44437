/*
 * store_config: releases, client secrets and signing keys survive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/store/store_config.h"

#include "store_fixture.h"

static void
test_release_by_hash(void **state)
{
	uint8_t hash[STORE_HASH_BYTES];
	uint8_t other[STORE_HASH_BYTES];
	uint8_t *content;
	size_t len;

	(void)state;
	hash_of(1, hash);
	hash_of(2, other);
	assert_int_equal(
	    store_release_put(store, hash, "idp", span_str("source")), OK);
	/* The same again is a no-op. */
	assert_int_equal(
	    store_release_put(store, hash, "idp", span_str("source")), OK);
	store_again();
	assert_int_equal(store_release_get(store, hash, &content, &len), OK);
	assert_true(span_is(span_of(content, len), "source"));
	free(content);
	assert_int_equal(
	    store_release_get(store, other, &content, &len), ERR_NOT_FOUND);
}

static void
test_large_release(void **state)
{
	size_t size = 3 * 256 * 1024 + 1000;
	uint8_t *source = malloc(size);
	uint8_t hash[STORE_HASH_BYTES];
	uint8_t *content;
	size_t len;

	(void)state;
	assert_non_null(source);
	memset(source, 's', size);
	hash_of(1, hash);
	assert_int_equal(
	    store_release_put(store, hash, "idp", span_of(source, size)), OK);
	assert_int_equal(store_release_get(store, hash, &content, &len), OK);
	assert_int_equal(len, size);
	assert_memory_equal(content, source, size);
	free(content);
	free(source);
}

static void
test_client_secret_is_put_once(void **state)
{
	uint8_t digest[STORE_HASH_BYTES];
	uint8_t found[STORE_HASH_BYTES];

	(void)state;
	hash_of(1, digest);
	assert_int_equal(store_client_secret_get(store, "client", "a", found),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    store_client_secret_put(store, "client", "a", digest), OK);
	assert_int_equal(
	    store_client_secret_put(store, "client", "a", digest), ERR_EXISTS);
	assert_int_equal(
	    store_client_secret_get(store, "api_client", "a", found),
	    ERR_NOT_FOUND);
	store_again();
	assert_int_equal(
	    store_client_secret_get(store, "client", "a", found), OK);
	assert_memory_equal(found, digest, sizeof digest);
}

struct seen {
	char text[128];
	enum err stop;
};

static enum err
see_key(void *user, const char *kid, const char *alg, struct span sealed)
{
	struct seen *seen = user;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof seen->text - len, "%s/%s/%.*s ", kid,
	    alg, SPAN_ARG(sealed));
	return seen->stop;
}

static void
test_signing_keys_oldest_first(void **state)
{
	struct seen seen = {.stop = OK};

	(void)state;
	assert_int_equal(store_signing_key_each(store, see_key, &seen), OK);
	assert_string_equal(seen.text, "");
	assert_int_equal(
	    store_signing_key_put(store, "z", "RS256", span_str("1")), OK);
	assert_int_equal(
	    store_signing_key_put(store, "a", "ES256", span_str("2")), OK);
	assert_int_equal(
	    store_signing_key_put(store, "a", "ES256", span_str("3")),
	    ERR_EXISTS);
	store_again();
	assert_int_equal(store_signing_key_each(store, see_key, &seen), OK);
	assert_string_equal(seen.text, "z/RS256/1 a/ES256/2 ");
	seen = (struct seen){.stop = ERR_CORRUPT};
	assert_int_equal(
	    store_signing_key_each(store, see_key, &seen), ERR_CORRUPT);
	assert_string_equal(seen.text, "z/RS256/1 ");
}

static void *
read_secrets(void *argument)
{
	uint8_t found[STORE_HASH_BYTES];

	(void)argument;
	for (int i = 0; i < 200; i++) {
		if (store_client_secret_get(store, "client", "a", found) != OK)
			abort();
	}
	return NULL;
}

/* More threads than read-only connections. */
static void
test_many_readers(void **state)
{
	uint8_t digest[STORE_HASH_BYTES];

	(void)state;
	hash_of(1, digest);
	assert_int_equal(
	    store_client_secret_put(store, "client", "a", digest), OK);
	in_threads(32, read_secrets, NULL);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_release_by_hash),
	    STORE_TEST(test_large_release),
	    STORE_TEST(test_client_secret_is_put_once),
	    STORE_TEST(test_signing_keys_oldest_first),
	    STORE_TEST(test_many_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
