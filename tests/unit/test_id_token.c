/*
 * id_token: the claims, at_hash, the signature as a verifier sees it, and the
 * sealed snapshot. The signature's other algorithms are test_keyring.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/encoding.h"
#include "gateway/keys/openssl_names.h"
#include "gateway/oauth/id_token.h"
#include "tests/unit/small_stack.h"

#define TEXT_MAX_BYTES (256 * 1024)

/* OpenID Connect Core 1.0, appendix A.4: access token and at_hash. */
#define CORE_ACCESS_TOKEN "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
#define CORE_AT_HASH      "77QmUPtjPfzWtF2AnpK9RQ"

static struct vault *vault;
static struct keyring *ring;

static enum err
shelf_load(void *user,
    enum err (*each)(void *ring_, const struct keyring_key *key), void *ring_,
    struct err_detail *detail)
{
	(void)user;
	(void)each;
	(void)ring_;
	(void)detail;
	return OK;
}

static enum err
shelf_save(void *user, const struct keyring_key *key, struct err_detail *detail)
{
	(void)user;
	(void)key;
	(void)detail;
	return OK;
}

static int
set_up(void **state)
{
	const struct keyring_shelf shelf = {
	    .load = shelf_load, .save = shelf_save};
	struct err_detail detail = {{0}};

	(void)state;
	if (vault_open_passing(&vault, &detail) != OK)
		return -1;
	return keyring_open(vault, &shelf, &ring, &detail) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	keyring_close(ring);
	vault_close(vault);
	return 0;
}

static const struct realm_client client = {.client_id = "app\"1",
    .id_token_alg = ALG_RS256,
    .id_token_lifetime_secs = 300};

static struct id_token
token_of(const struct subject *subject)
{
	return (struct id_token){.issuer = "https://example/oauth",
	    .client = &client,
	    .subject = subject,
	    .access_token = CORE_ACCESS_TOKEN,
	    .now = 1000000000};
}

/* One dot-separated part of a JWS, decoded; the caller frees the buffer. */
static void
decode_part(const char *jws, int part, struct buf *out)
{
	const char *end;

	while (part-- > 0)
		jws = strchr(jws, '.') + 1;
	end = strchrnul(jws, '.');
	buf_init(out, TEXT_MAX_BYTES);
	assert_int_equal(
	    base64url_decode(span_of(jws, (size_t)(end - jws)), out), OK);
}

static json_t *
json_of_part(const char *jws, int part)
{
	struct buf text;
	json_t *tree;

	decode_part(jws, part, &text);
	tree = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(tree);
	buf_fini(&text);
	return tree;
}

static const char *
string_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

/* ---- the verifier ---------------------------------------------------------
 */

static BIGNUM *
number_of(json_t *jwk, const char *name)
{
	struct buf bytes;
	BIGNUM *number;

	buf_init(&bytes, TEXT_MAX_BYTES);
	assert_int_equal(
	    base64url_decode(span_str(string_of(jwk, name)), &bytes), OK);
	number = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
	assert_non_null(number);
	buf_fini(&bytes);
	return number;
}

static EVP_PKEY *
key_of(json_t *jwk)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = number_of(jwk, "n"), *e = number_of(jwk, "e");
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

/* The published key that the header names; NULL: none. Borrowed. */
static json_t *
published_key(json_t *set, const char *kid)
{
	json_t *jwk;
	size_t i;

	json_array_foreach (json_object_get(set, "keys"), i, jwk) {
		if (strcmp(string_of(jwk, "kid"), kid) == 0)
			return jwk;
	}
	return NULL;
}

static json_t *
published_set(void)
{
	struct buf jwks;
	json_t *set;

	buf_init(&jwks, 64 * 1024);
	keyring_append_jwks(ring, &jwks);
	set = json_loadb((const char *)jwks.data, jwks.len, 0, NULL);
	buf_fini(&jwks);
	return set;
}

static bool
verifies(const char *jws)
{
	json_t *set = published_set();
	json_t *header = json_of_part(jws, 0);
	json_t *jwk = published_key(set, string_of(header, "kid"));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf signature;
	EVP_PKEY *key;
	bool good;

	assert_non_null(jwk);
	assert_string_equal(string_of(header, "alg"), "RS256");
	assert_string_equal(string_of(header, "typ"), "JWT");
	key = key_of(jwk);
	decode_part(jws, 2, &signature);
	assert_int_equal(
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	good =
	    EVP_DigestVerify(ctx, signature.data, signature.len,
		(const uint8_t *)jws, (size_t)(strrchr(jws, '.') - jws)) == 1;
	buf_fini(&signature);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	json_decref(header);
	json_decref(set);
	return good;
}

/* ---- tests ----------------------------------------------------------------
 */

static void
test_claims(void **state)
{
	const struct subject subject = {.sub = "Idp|\"7\"",
	    .claims = span_str("\"name\":\"J\",\"n\":[1]"),
	    .amr = span_str("[\"pwd\"]")};
	const struct id_token token = token_of(&subject);
	struct buf out;
	char *text;
	json_t *claims;

	(void)state;
	buf_init(&out, TEXT_MAX_BYTES);
	assert_int_equal(id_token_append(ring, &token, &out), OK);
	claims = json_of_part(buf_cstr(&out), 1);
	text = json_dumps(claims, JSON_COMPACT);
	assert_string_equal(text,
	    "{\"iss\":\"https://example/oauth\",\"sub\":\"Idp|\\\"7\\\"\","
	    "\"aud\":\"app\\\"1\",\"exp\":1000000300,\"iat\":1000000000,"
	    "\"auth_time\":1000000000,\"at_hash\":\"" CORE_AT_HASH "\","
	    "\"amr\":[\"pwd\"],\"name\":\"J\",\"n\":[1]}");
	free(text);
	json_decref(claims);
	buf_fini(&out);
}

static void
test_least_claims(void **state)
{
	const struct subject subject = {.sub = "s", .claims = span_str("")};
	const struct id_token token = token_of(&subject);
	struct buf out;
	json_t *claims;

	(void)state;
	buf_init(&out, TEXT_MAX_BYTES);
	assert_int_equal(id_token_append(ring, &token, &out), OK);
	claims = json_of_part(buf_cstr(&out), 1);
	assert_int_equal(json_object_size(claims), 7);
	json_decref(claims);
	buf_fini(&out);
}

/* The largest that subject_read() lets through, on a worker's stack. */
static void *
sign_largest(void *state)
{
	static char claims[4 * USER_BYTES_MAX];
	struct subject subject = {.sub = "s"};
	struct id_token token = token_of(&subject);
	struct buf out, sealed;

	(void)state;
	memset(claims, 'x', sizeof claims);
	memcpy(claims, "\"x\":\"", 5);
	claims[sizeof claims - 1] = '"';
	subject.claims = span_of(claims, sizeof claims);
	buf_init(&out, TEXT_MAX_BYTES);
	buf_init(&sealed, TEXT_MAX_BYTES);
	assert_int_equal(id_token_append(ring, &token, &out), OK);
	assert_true(verifies(buf_cstr(&out)));
	/* Any one bit: the signature tells. */
	out.data[out.len / 2] ^= 1;
	assert_false(verifies(buf_cstr(&out)));
	assert_int_equal(snapshot_seal(vault, 7, &subject, &sealed), OK);
	buf_fini(&out);
	buf_fini(&sealed);
	return NULL;
}

static void
test_signature_on_a_workers_stack(void **state)
{
	(void)state;
	small_stack_run(sign_largest, NULL);
}

static void
expect_snapshot(const struct subject *subject, const char *expected)
{
	struct buf sealed, plain;

	buf_init(&sealed, TEXT_MAX_BYTES);
	buf_init(&plain, TEXT_MAX_BYTES);
	assert_int_equal(snapshot_seal(vault, 42, subject, &sealed), OK);
	assert_int_equal(vault_unseal(vault, VAULT_SNAPSHOTS,
			     span_str("grant:42"), buf_span(&sealed), &plain),
	    OK);
	assert_true(span_is(buf_span(&plain), expected));
	buf_fini(&plain);
	buf_init(&plain, TEXT_MAX_BYTES);
	assert_int_equal(vault_unseal(vault, VAULT_SNAPSHOTS,
			     span_str("grant:43"), buf_span(&sealed), &plain),
	    ERR_CORRUPT);
	buf_fini(&plain);
	buf_fini(&sealed);
}

static void
test_snapshot_is_bound_to_its_grant(void **state)
{
	const struct subject full = {.sub = "s",
	    .claims = span_str("\"name\":\"J\""),
	    .amr = span_str("[\"pwd\"]")};
	const struct subject bare = {.sub = "s", .claims = span_str("")};

	(void)state;
	expect_snapshot(
	    &full, "{\"amr\":[\"pwd\"],\"claims\":{\"name\":\"J\"}}");
	expect_snapshot(&bare, "{\"claims\":{}}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_claims),
	    cmocka_unit_test(test_least_claims),
	    cmocka_unit_test(test_signature_on_a_workers_stack),
	    cmocka_unit_test(test_snapshot_is_bound_to_its_grant),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
