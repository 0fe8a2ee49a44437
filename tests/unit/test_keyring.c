/*
 * keyring: keys are made once, published, and what they sign verifies with
 * nothing but the published JWK set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"
#include "gateway/keys/keyring.h"
#include "gateway/keys/openssl_names.h"

#include "keyring_fixture.h"

#define TEXT_MAX_BYTES (64U << 10)

static char directory[] = "/tmp/test_keyring.XXXXXX";
static char key_path[64];
static struct vault *vault;

static enum err
open_ring(
    struct shelf *shelf, struct keyring **ring_r, struct err_detail *detail)
{
	const struct keyring_shelf face = {
	    shelf, shelf_load, shelf_save, shelf_rotate};

	return keyring_open(vault, &face, ring_r, detail);
}

/* One ring for all tests that only read it: RSA keys take long to make. */
static struct shelf common_shelf;
static struct keyring *common_ring;

static int
set_up(void **state)
{
	struct err_detail detail = {0};

	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(key_path, sizeof key_path, "%s/master.key", directory);
	if (vault_open(key_path, true, &vault, &detail) != OK)
		return -1;
	return open_ring(&common_shelf, &common_ring, &detail) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	keyring_close(common_ring);
	vault_close(vault);
	unlink(key_path);
	return rmdir(directory);
}

/* ---- reading what was published ----------------------------------------- */

/* The value of "name":"..." at or after `text`, NUL-terminated. */
static void
member(const char *text, const char *name, char *value_r, size_t bytes)
{
	char pattern[32];
	const char *start;
	size_t len;

	snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
	start = strstr(text, pattern);
	assert_non_null(start);
	start += strlen(pattern);
	len = strcspn(start, "\"");
	assert_in_range(len, 1, bytes - 1);
	memcpy(value_r, start, len);
	value_r[len] = '\0';
}

static char *
jwks_text(struct keyring *ring)
{
	struct buf jwks;
	char *text;

	buf_init(&jwks, TEXT_MAX_BYTES);
	keyring_append_jwks(ring, &jwks);
	text = strdup(buf_cstr(&jwks));
	assert_non_null(text);
	buf_fini(&jwks);
	return text;
}

/* The current JWK of the algorithm, which comes first, from its '{' on;
 * malloc'd. */
static char *
jwk_of(struct keyring *ring, const char *alg)
{
	char *text = jwks_text(ring);
	char pattern[32];
	char *at;
	char *jwk;

	snprintf(pattern, sizeof pattern, "\"alg\":\"%s\"", alg);
	at = strstr(text, pattern);
	assert_non_null(at);
	while (*at != '{')
		at--;
	jwk = strndup(at, strcspn(at, "}") + 1);
	assert_non_null(jwk);
	free(text);
	return jwk;
}

static BIGNUM *
number_of(const char *jwk, const char *name)
{
	char text[700];
	struct buf bytes;
	BIGNUM *number;

	member(jwk, name, text, sizeof text);
	buf_init(&bytes, TEXT_MAX_BYTES);
	assert_int_equal(base64url_decode(span_str(text), &bytes), OK);
	number = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
	assert_non_null(number);
	buf_fini(&bytes);
	return number;
}

static EVP_PKEY *
key_of_params(const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *
rsa_of_jwk(const char *jwk)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *n = number_of(jwk, "n");
	BIGNUM *e = number_of(jwk, "e");
	EVP_PKEY *key;

	assert_int_equal(BN_num_bits(n), 2048);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
	key = key_of_params("RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return key;
}

static EVP_PKEY *
p256_of_jwk(const char *jwk)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *x = number_of(jwk, "x");
	BIGNUM *y = number_of(jwk, "y");
	uint8_t point[65] = {4};
	EVP_PKEY *key;

	BN_bn2binpad(x, point + 1, 32);
	BN_bn2binpad(y, point + 33, 32);
	OSSL_PARAM_BLD_push_utf8_string(
	    builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(
	    builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
	key = key_of_params("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	BN_free(x);
	BN_free(y);
	return key;
}

/* ---- verifying ---------------------------------------------------------- */

static void
decode(const char *text, size_t len, struct buf *out)
{
	buf_init(out, TEXT_MAX_BYTES);
	assert_int_equal(base64url_decode(span_of(text, len), out), OK);
	assert_non_null(buf_cstr(out));
}

/* OpenSSL's verifier wants DER where JOSE has R || S. */
static uint8_t *
der_of_raw(const struct buf *raw, size_t *len_r)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	uint8_t *der = NULL;

	assert_int_equal(raw->len, 64);
	ECDSA_SIG_set0(signature, BN_bin2bn(raw->data, 32, NULL),
	    BN_bin2bn(raw->data + 32, 32, NULL));
	*len_r = (size_t)i2d_ECDSA_SIG(signature, &der);
	ECDSA_SIG_free(signature);
	return der;
}

static bool
verifies(EVP_PKEY *key, enum signing_alg alg, const char *input,
    size_t input_len, const struct buf *signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey;
	size_t len = signature->len;
	uint8_t *der = alg == ALG_ES256 ? der_of_raw(signature, &len) : NULL;
	bool good;

	assert_int_equal(
	    EVP_DigestVerifyInit(ctx, &pkey, EVP_sha256(), NULL, key), 1);
	if (alg == ALG_PS256) {
		EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, 32);
	}
	good = EVP_DigestVerify(ctx, der == NULL ? signature->data : der, len,
		   (const uint8_t *)input, input_len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static bool
jws_verifies(const char *jwk, enum signing_alg alg, const char *jws)
{
	EVP_PKEY *key = alg == ALG_ES256 ? p256_of_jwk(jwk) : rsa_of_jwk(jwk);
	const char *dot = strrchr(jws, '.');
	struct buf signature;
	bool good;

	assert_non_null(dot);
	decode(dot + 1, strlen(dot + 1), &signature);
	good = verifies(key, alg, jws, (size_t)(dot - jws), &signature);
	buf_fini(&signature);
	EVP_PKEY_free(key);
	return good;
}

/* ---- tests -------------------------------------------------------------- */

static void
test_algorithm_names(void **state)
{
	enum signing_alg alg;

	(void)state;
	for (enum signing_alg i = 0; i < ALG_COUNT; i++) {
		assert_int_equal(
		    signing_alg_parse(signing_alg_name(i), &alg), OK);
		assert_int_equal(alg, i);
	}
	assert_int_equal(signing_alg_parse("none", &alg), ERR_INVALID);
	assert_int_equal(signing_alg_parse("HS256", &alg), ERR_INVALID);
	assert_int_equal(signing_alg_parse("", &alg), ERR_INVALID);
	assert_int_equal(signing_alg_parse("RS2567", &alg), ERR_INVALID);
}

/* RFC 7638: the members before "use" are the required ones, in order. */
static void
check_thumbprint(const char *jwk)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf text;
	char kid[64];

	member(jwk, "kid", kid, sizeof kid);
	buf_init(&text, TEXT_MAX_BYTES);
	buf_append(&text, jwk, (size_t)(strstr(jwk, ",\"use\":") - jwk));
	buf_append_char(&text, '}');
	digest_sha256(buf_span(&text), digest);
	buf_reset(&text);
	base64url_append(&text, span_of(digest, sizeof digest));
	assert_string_equal(buf_cstr(&text), kid);
	buf_fini(&text);
}

static void
test_jwks_holds_every_public_key(void **state)
{
	char *text = jwks_text(common_ring);

	(void)state;
	assert_int_equal(strncmp(text, "{\"keys\":[{", 10), 0);
	assert_string_equal(text + strlen(text) - 3, "}]}");
	for (enum signing_alg alg = 0; alg < ALG_COUNT; alg++) {
		char *jwk = jwk_of(common_ring, signing_alg_name(alg));

		assert_non_null(strstr(jwk, "\"use\":\"sig\""));
		assert_non_null(strstr(jwk,
		    alg == ALG_ES256 ? "\"kty\":\"EC\"" : "\"kty\":\"RSA\""));
		check_thumbprint(jwk);
		free(jwk);
	}
	/* RFC 7518 section 6: the names of private members. */
	assert_null(strstr(text, "\"d\":"));
	assert_null(strstr(text, "\"p\":"));
	assert_null(strstr(text, "\"q\":"));
	free(text);
}

static void
test_signatures_verify(void **state)
{
	static const char claims[] = "{\"sub\":\"idp|ada\"}";
	static const char *const typs[] = {"JWT", "at+jwt"};

	(void)state;
	for (unsigned i = 0; i < ALG_COUNT * 2; i++) {
		enum signing_alg alg = i / 2;
		char *jwk = jwk_of(common_ring, signing_alg_name(alg));
		char kid[64];
		char expected[128];
		struct buf jws;
		struct buf part;
		char *text;

		buf_init(&jws, TEXT_MAX_BYTES);
		buf_append_str(&jws, "before ");
		assert_int_equal(keyring_sign(common_ring, alg, typs[i % 2],
				     span_str(claims), &jws),
		    OK);
		text = strdup(buf_cstr(&jws));
		assert_int_equal(strncmp(text, "before ", 7), 0);
		assert_true(jws_verifies(jwk, alg, text + 7));

		member(jwk, "kid", kid, sizeof kid);
		snprintf(expected, sizeof expected,
		    "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"%s\"}",
		    signing_alg_name(alg), kid, typs[i % 2]);
		decode(text + 7, strcspn(text + 7, "."), &part);
		assert_string_equal(buf_cstr(&part), expected);
		buf_fini(&part);
		decode(strchr(text, '.') + 1,
		    strcspn(strchr(text, '.') + 1, "."), &part);
		assert_string_equal(buf_cstr(&part), claims);
		buf_fini(&part);

		/* The verifier of this test must be able to say no. */
		text[8] = text[8] == 'A' ? 'B' : 'A';
		assert_false(jws_verifies(jwk, alg, text + 7));
		free(text);
		free(jwk);
		buf_fini(&jws);
	}
}

/* R or S has a leading zero byte in one of 128 signatures: padded, always. */
static void
test_es256_has_one_length(void **state)
{
	char *jwk = jwk_of(common_ring, "ES256");
	struct buf jws;
	size_t len = 0;

	(void)state;
	buf_init(&jws, TEXT_MAX_BYTES);
	for (int i = 0; i < 600; i++) {
		buf_reset(&jws);
		assert_int_equal(keyring_sign(common_ring, ALG_ES256, "JWT",
				     span_str("{}"), &jws),
		    OK);
		assert_true(len == 0 || len == jws.len);
		len = jws.len;
	}
	assert_true(jws_verifies(jwk, ALG_ES256, buf_cstr(&jws)));
	buf_fini(&jws);
	free(jwk);
}

static void
test_no_room_leaves_nothing(void **state)
{
	(void)state;
	for (size_t room = 7; room < 300; room++) {
		struct buf jws;
		enum err err;

		buf_init(&jws, room);
		buf_append_str(&jws, "before ");
		err = keyring_sign(common_ring, ALG_ES256, "JWT",
		    span_str("{\"sub\":\"a\"}"), &jws);
		assert_true(err == OK || err == ERR_LIMIT);
		assert_true((err == OK) == (jws.len > 7));
		assert_memory_equal(jws.data, "before ", 7);
		buf_fini(&jws);
	}
}

static void
test_ring_is_loaded_again(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *again;
	char *before = jwks_text(common_ring);
	char *after;

	(void)state;
	assert_int_equal(shelf.count, 2 * ALG_COUNT);
	assert_int_equal(open_ring(&shelf, &again, &detail), OK);
	assert_int_equal(shelf.count, 2 * ALG_COUNT);
	after = jwks_text(again);
	assert_string_equal(before, after);
	free(before);
	free(after);
	keyring_close(again);
}

static void
test_only_the_missing_key_is_made(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *again;
	size_t kept = 0;

	(void)state;
	for (size_t i = 0; i < shelf.count; i++) {
		if (strcmp(shelf.keys[i].alg, "ES256") != 0)
			shelf.keys[kept++] = shelf.keys[i];
	}
	assert_int_equal(kept, 4);
	shelf.count = kept;
	assert_int_equal(open_ring(&shelf, &again, &detail), OK);
	assert_int_equal(shelf.count, 6);
	assert_string_equal(shelf.keys[4].alg, "ES256");
	keyring_close(again);
}

static void
expect_corrupt(struct shelf *shelf)
{
	struct err_detail detail = {0};
	struct keyring *ring;

	assert_int_equal(open_ring(shelf, &ring, &detail), ERR_CORRUPT);
	assert_non_null(strstr(detail.text, "signing key "));
}

static void
test_changed_shelf_is_refused(void **state)
{
	struct shelf shelf = common_shelf;

	(void)state;
	shelf.keys[1].sealed[28]++;
	expect_corrupt(&shelf);

	shelf = common_shelf;
	memcpy(shelf.keys[0].kid, shelf.keys[2].kid, sizeof shelf.keys[0].kid);
	expect_corrupt(&shelf);

	/* RS256's key may not sign PS256, nor an EC key RS256. */
	shelf = common_shelf;
	snprintf(shelf.keys[0].alg, sizeof shelf.keys[0].alg, "ES256");
	expect_corrupt(&shelf);

	shelf = common_shelf;
	snprintf(shelf.keys[0].alg, sizeof shelf.keys[0].alg, "none");
	expect_corrupt(&shelf);

	shelf = common_shelf;
	shelf.keys[0].slot = shelf.keys[1].slot;
	expect_corrupt(&shelf);

	shelf = common_shelf;
	shelf.keys[0].slot = KEY_SLOTS;
	expect_corrupt(&shelf);
}

/* Sealed well, but under another key's name. */
static void
test_thumbprint_is_checked(void **state)
{
	struct shelf shelf = common_shelf;
	struct buf der;
	struct buf sealed;
	char *kid = shelf.keys[0].kid;

	(void)state;
	buf_init(&der, TEXT_MAX_BYTES);
	buf_init(&sealed, TEXT_MAX_BYTES);
	assert_int_equal(
	    vault_unseal(vault, VAULT_SIGNING_KEYS, span_str(kid),
		span_of(shelf.keys[0].sealed, shelf.keys[0].len), &der),
	    OK);
	kid[0] = kid[0] == 'A' ? 'B' : 'A';
	assert_int_equal(vault_seal(vault, VAULT_SIGNING_KEYS, span_str(kid),
			     buf_span(&der), &sealed),
	    OK);
	assert_int_equal(sealed.len, shelf.keys[0].len);
	memcpy(shelf.keys[0].sealed, sealed.data, sealed.len);
	expect_corrupt(&shelf);
	buf_wipe(&der);
	buf_fini(&sealed);
}

/* Sealed well, but not a key: every bit flipped, cut at every offset. The
 * private number may change to another valid key; the thumbprint then tells,
 * unless the bit belongs to what the public half does not show. */
static void
test_damaged_keys_do_not_crash(void **state)
{
	struct shelf shelf = common_shelf;
	struct stored_key *key = &shelf.keys[2 * ALG_ES256];
	struct buf der;

	(void)state;
	assert_string_equal(key->alg, "ES256");
	buf_init(&der, TEXT_MAX_BYTES);
	assert_int_equal(
	    vault_unseal(vault, VAULT_SIGNING_KEYS, span_str(key->kid),
		span_of(key->sealed, key->len), &der),
	    OK);
	for (size_t i = 0; i < der.len * 9; i++) {
		size_t len = i < der.len ? i : der.len;
		size_t bit = i < der.len ? 0 : i - der.len;
		unsigned flip = i < der.len ? 0 : 1U << (bit % 8);
		struct err_detail detail = {0};
		struct keyring *ring;
		struct buf sealed;
		enum err err;

		buf_init(&sealed, TEXT_MAX_BYTES);
		der.data[bit / 8] = (uint8_t)(der.data[bit / 8] ^ flip);
		assert_int_equal(
		    vault_seal(vault, VAULT_SIGNING_KEYS, span_str(key->kid),
			span_of(der.data, len), &sealed),
		    OK);
		der.data[bit / 8] = (uint8_t)(der.data[bit / 8] ^ flip);
		memcpy(key->sealed, sealed.data, sealed.len);
		key->len = sealed.len;
		buf_fini(&sealed);
		err = open_ring(&shelf, &ring, &detail);
		if (err == OK)
			keyring_close(ring);
		else
			assert_int_equal(err, ERR_CORRUPT);
		assert_true(err != OK || len == der.len);
	}
	buf_wipe(&der);
}

static void
test_unsaved_key_is_not_used(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *ring;

	(void)state;
	shelf.count = 2;
	shelf.save_error = ERR_IO;
	assert_int_equal(open_ring(&shelf, &ring, &detail), ERR_IO);
	assert_string_equal(detail.text, "the shelf is full");
}

static void *
sign_some(void *argument)
{
	struct buf jws;
	uintptr_t failures = 0;

	(void)argument;
	buf_init(&jws, TEXT_MAX_BYTES);
	for (int i = 0; i < 30; i++) {
		buf_reset(&jws);
		failures +=
		    keyring_sign(common_ring, (enum signing_alg)(i % ALG_COUNT),
			"JWT", span_str("{\"n\":1}"), &jws) != OK;
	}
	buf_fini(&jws);
	return (void *)failures;
}

static void
test_threads_sign_and_end(void **state)
{
	pthread_t threads[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, sign_some, NULL), 0);
	for (size_t i = 0; i < 8; i++) {
		void *failures;

		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
}

/* ---- rotation ----------------------------------------------------------- */

static void
kid_of(struct shelf *shelf, const char *alg, enum key_slot slot, char kid_r[64])
{
	for (size_t i = 0; i < shelf->count; i++) {
		if (strcmp(shelf->keys[i].alg, alg) == 0 &&
		    shelf->keys[i].slot == slot) {
			snprintf(kid_r, 64, "%s", shelf->keys[i].kid);
			return;
		}
	}
	fail_msg("no such key");
}

/* The kid of what is signed now. */
static void
signing_kid(struct keyring *ring, enum signing_alg alg, char kid_r[64])
{
	struct buf jws;
	struct buf header;

	buf_init(&jws, TEXT_MAX_BYTES);
	assert_int_equal(
	    keyring_sign(ring, alg, "JWT", span_str("{}"), &jws), OK);
	decode(buf_cstr(&jws), strcspn(buf_cstr(&jws), "."), &header);
	member(buf_cstr(&header), "kid", kid_r, 64);
	buf_fini(&header);
	buf_fini(&jws);
}

static void
test_rotation_moves_every_slot(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *ring;
	char next[64], current[64], now_current[64], previous[64], kid[64];
	char *jwks;

	(void)state;
	assert_int_equal(open_ring(&shelf, &ring, &detail), OK);
	for (int round = 0; round < 3; round++) {
		kid_of(&shelf, "ES256", KEY_NEXT, next);
		kid_of(&shelf, "ES256", KEY_CURRENT, current);
		assert_int_equal(
		    keyring_rotate(ring, 4000000000 + round, 0, &detail), OK);
		assert_int_equal(keyring_rotated_at(ring), 4000000000 + round);
		kid_of(&shelf, "ES256", KEY_CURRENT, now_current);
		kid_of(&shelf, "ES256", KEY_PREVIOUS, previous);
		assert_string_equal(now_current, next);
		assert_string_equal(previous, current);
		assert_int_equal(shelf.count, 3 * ALG_COUNT);
		signing_kid(ring, ALG_ES256, kid);
		assert_string_equal(kid, next);
		jwks = jwks_text(ring);
		assert_non_null(strstr(jwks, next));
		assert_non_null(strstr(jwks, current));
		kid_of(&shelf, "ES256", KEY_NEXT, next);
		assert_non_null(strstr(jwks, next));
		free(jwks);
	}
	keyring_close(ring);
	/* What was stored is what was in force. */
	assert_int_equal(open_ring(&shelf, &ring, &detail), OK);
	signing_kid(ring, ALG_ES256, kid);
	assert_string_equal(kid, now_current);
	assert_int_equal(shelf.count, 3 * ALG_COUNT);
	keyring_close(ring);
}

static void
test_rotation_too_soon_is_refused(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *ring;
	int64_t made_at;

	(void)state;
	assert_int_equal(open_ring(&shelf, &ring, &detail), OK);
	made_at = keyring_rotated_at(ring);
	assert_int_equal(
	    keyring_rotate(ring, made_at + 59, 60, &detail), ERR_STATE);
	assert_non_null(strstr(detail.text, " 1 s"));
	assert_int_equal(shelf.count, 2 * ALG_COUNT);
	assert_int_equal(keyring_rotate(ring, made_at + 60, 60, &detail), OK);
	keyring_close(ring);
}

static void
test_unstored_rotation_changes_nothing(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *ring;
	char before[64], after[64];

	(void)state;
	assert_int_equal(open_ring(&shelf, &ring, &detail), OK);
	signing_kid(ring, ALG_RS256, before);
	shelf.save_error = ERR_IO;
	assert_int_equal(keyring_rotate(ring, 1, 0, &detail), ERR_IO);
	signing_kid(ring, ALG_RS256, after);
	assert_string_equal(before, after);
	keyring_close(ring);
}

static void
test_threads_sign_while_keys_rotate(void **state)
{
	struct err_detail detail = {0};
	struct shelf shelf = common_shelf;
	struct keyring *kept = common_ring;
	pthread_t threads[4];
	void *failures;

	(void)state;
	assert_int_equal(open_ring(&shelf, &common_ring, &detail), OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, sign_some, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    keyring_rotate(common_ring, i, 0, &detail), OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	keyring_close(common_ring);
	common_ring = kept;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_algorithm_names),
	    cmocka_unit_test(test_jwks_holds_every_public_key),
	    cmocka_unit_test(test_signatures_verify),
	    cmocka_unit_test(test_es256_has_one_length),
	    cmocka_unit_test(test_no_room_leaves_nothing),
	    cmocka_unit_test(test_ring_is_loaded_again),
	    cmocka_unit_test(test_only_the_missing_key_is_made),
	    cmocka_unit_test(test_changed_shelf_is_refused),
	    cmocka_unit_test(test_thumbprint_is_checked),
	    cmocka_unit_test(test_damaged_keys_do_not_crash),
	    cmocka_unit_test(test_unsaved_key_is_not_used),
	    cmocka_unit_test(test_threads_sign_and_end),
	    cmocka_unit_test(test_rotation_moves_every_slot),
	    cmocka_unit_test(test_rotation_too_soon_is_refused),
	    cmocka_unit_test(test_unstored_rotation_changes_nothing),
	    cmocka_unit_test(test_threads_sign_while_keys_rotate),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
