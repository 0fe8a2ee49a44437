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
see_key(void *user, const struct store_signing_key *key)
{
	struct seen *seen = user;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof seen->text - len, "%s/%s/%d/%d/%.*s ",
	    key->kid, key->alg, (int)key->slot, (int)key->since,
	    SPAN_ARG(key->sealed_private));
	return seen->stop;
}

static struct store_signing_key
key_of(const char *kid, const char *alg, int slot, const char *sealed)
{
	return (struct store_signing_key){
	    kid, alg, slot, 100 + slot, span_str(sealed)};
}

static void
test_signing_keys_oldest_first(void **state)
{
	const struct store_signing_key keys[] = {key_of("z", "RS256", 1, "1"),
	    key_of("a", "ES256", 0, "2"), key_of("a", "ES256", 0, "3")};
	struct seen seen = {.stop = OK};

	(void)state;
	assert_int_equal(store_signing_key_each(store, see_key, &seen), OK);
	assert_string_equal(seen.text, "");
	assert_int_equal(store_signing_key_put(store, &keys[0]), OK);
	assert_int_equal(store_signing_key_put(store, &keys[1]), OK);
	assert_int_equal(store_signing_key_put(store, &keys[2]), ERR_EXISTS);
	store_again();
	assert_int_equal(store_signing_key_each(store, see_key, &seen), OK);
	assert_string_equal(seen.text, "z/RS256/1/101/1 a/ES256/0/100/2 ");
	seen = (struct seen){.stop = ERR_CORRUPT};
	assert_int_equal(
	    store_signing_key_each(store, see_key, &seen), ERR_CORRUPT);
	assert_string_equal(seen.text, "z/RS256/1/101/1 ");
}

static void
test_signing_keys_rotate(void **state)
{
	const struct store_signing_key keys[] = {key_of("c", "RS256", 1, "1"),
	    key_of("n", "RS256", 0, "2"), key_of("p", "RS256", 2, "3")};
	const struct store_signing_key fresh = {
	    "f", "RS256", 0, 200, span_str("4")};
	const struct store_signing_key twice[] = {fresh, fresh};
	struct seen seen = {.stop = OK};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(store_signing_key_put(store, &keys[i]), OK);
	/* All or nothing. */
	assert_int_equal(
	    store_signing_keys_rotate(store, twice, 2, 200), ERR_EXISTS);
	assert_int_equal(store_signing_keys_rotate(store, &fresh, 1, 200), OK);
	store_again();
	assert_int_equal(store_signing_key_each(store, see_key, &seen), OK);
	assert_string_equal(
	    seen.text, "c/RS256/2/200/1 n/RS256/1/200/2 f/RS256/0/200/4 ");
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
	    STORE_TEST(test_signing_keys_rotate),
	    STORE_TEST(test_many_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
