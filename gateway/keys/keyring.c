/*
 * Loads the signing keys, makes those that are missing, and publishes them.
 * Not here: signatures (signer.c), where sealed keys lie (the shelf).
 * Opened on the main thread; used on any.
 */
#include "gateway/keys/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/keys/openssl_names.h"
#include "gateway/keys/public_jwk.h"
#include "gateway/keys/signer.h"

/* NIST SP 800-57: 112 bits of strength, the least still allowed. */
#define RSA_BITS 2048

/* More stored keys than three slots of each algorithm mean a foreign file. */
#define KEYS_MAX 16

/* 16 JWKs of at most 1.5 KiB. */
#define JWKS_MAX_BYTES (32U << 10)

/* PKCS#8 of RSA 4096 is 2.4 KiB. */
#define PRIVATE_DER_MAX_BYTES (8U << 10)

static const char *const alg_names[ALG_COUNT] = {
    [ALG_RS256] = "RS256", [ALG_ES256] = "ES256", [ALG_PS256] = "PS256"};

struct keyring {
	struct vault *vault;
	struct signer *signers[KEYS_MAX]; /* oldest first */
	size_t signer_count;
	struct signer *current[ALG_COUNT]; /* the newest; among signers */
	struct buf jwks;
	struct err_detail *detail; /* the opener's, only while opening */
};

const char *
signing_alg_name(enum signing_alg alg)
{
	CHECK(alg < ALG_COUNT);
	return alg_names[alg];
}

enum err
signing_alg_parse(const char *text, enum signing_alg *alg_r)
{
	for (enum signing_alg alg = 0; alg < ALG_COUNT; alg++) {
		if (strcmp(text, alg_names[alg]) == 0) {
			*alg_r = alg;
			return OK;
		}
	}
	return ERR_INVALID;
}

/* ---- private keys as bytes ---------------------------------------------- */

/* malloc'd by OpenSSL: free with OPENSSL_clear_free(). */
static enum err
private_to_der(EVP_PKEY *key, uint8_t **der_r, size_t *len_r)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	uint8_t *der = NULL;
	int len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	PKCS8_PRIV_KEY_INFO_free(info);
	if (len <= 0) {
		ERR_clear_error();
		return ERR_CRYPTO;
	}
	*der_r = der;
	*len_r = (size_t)len;
	return OK;
}

static enum err
private_of_der(struct span der, EVP_PKEY **key_r)
{
	const uint8_t *cursor = der.data;
	PKCS8_PRIV_KEY_INFO *info =
	    d2i_PKCS8_PRIV_KEY_INFO(NULL, &cursor, (long)der.len);
	EVP_PKEY *key = NULL;

	if (info != NULL && cursor == der.data + der.len)
		key = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (key == NULL) {
		ERR_clear_error();
		return ERR_CORRUPT;
	}
	*key_r = key;
	return OK;
}

static bool
key_suits(const EVP_PKEY *key, enum signing_alg alg)
{
	if (alg == ALG_ES256)
		return EVP_PKEY_is_a(key, "EC") == 1;
	return EVP_PKEY_is_a(key, "RSA") == 1 &&
	       EVP_PKEY_get_bits(key) >= RSA_BITS;
}

/* ---- the ring ----------------------------------------------------------- */

/* Publishes the key and makes it its algorithm's current one. */
static enum err
ring_add(
    struct keyring *ring, enum signing_alg alg, const char *kid, EVP_PKEY *key)
{
	struct signer *signer;
	enum err err;

	if (ring->signer_count == KEYS_MAX)
		return err_set(ring->detail, ERR_LIMIT,
		    "more than %d signing keys are stored", KEYS_MAX);
	err = signer_new(alg, kid, key, &signer);
	if (err != OK)
		return err;
	ring->signers[ring->signer_count++] = signer;
	ring->current[alg] = signer;
	if (ring->signer_count > 1)
		buf_append_char(&ring->jwks, ',');
	return public_jwk_append(&ring->jwks, key, alg_names[alg], kid);
}

/* The stored name must be the key's own: a swapped row would otherwise sign
 * under a kid whose published key does not verify it. */
static enum err
check_loaded(struct keyring *ring, const EVP_PKEY *key, enum signing_alg alg,
    const char *kid)
{
	char thumbprint[THUMBPRINT_BYTES];

	if (key_suits(key, alg) &&
	    public_jwk_thumbprint(key, thumbprint) == OK &&
	    strcmp(thumbprint, kid) == 0)
		return OK;
	ERR_clear_error();
	return err_set(ring->detail, ERR_CORRUPT,
	    "signing key %s is not the key its name says", kid);
}

static enum err
unseal_key(
    struct keyring *ring, const char *kid, struct span sealed, EVP_PKEY **key_r)
{
	struct buf der;
	enum err err;

	buf_init(&der, PRIVATE_DER_MAX_BYTES);
	err = vault_unseal(
	    ring->vault, VAULT_SIGNING_KEYS, span_str(kid), sealed, &der);
	if (err == OK)
		err = private_of_der(buf_span(&der), key_r);
	buf_wipe(&der);
	if (err == ERR_CORRUPT)
		return err_set(ring->detail, err,
		    "signing key %s does not open with this master key", kid);
	return err;
}

/* The shelf calls it for each stored key. */
static enum err
load_one(
    void *argument, const char *kid, const char *alg_name, struct span sealed)
{
	struct keyring *ring = argument;
	enum signing_alg alg;
	EVP_PKEY *key = NULL;
	enum err err;

	if (signing_alg_parse(alg_name, &alg) != OK)
		return err_set(ring->detail, ERR_CORRUPT,
		    "signing key %s is stored for an unknown algorithm", kid);
	err = unseal_key(ring, kid, sealed, &key);
	if (err != OK)
		return err;
	err = check_loaded(ring, key, alg, kid);
	if (err == OK)
		err = ring_add(ring, alg, kid, key);
	EVP_PKEY_free(key);
	return err;
}

static enum err
save_one(struct keyring *ring, const struct keyring_shelf *shelf,
    enum signing_alg alg, const char *kid, EVP_PKEY *key)
{
	struct buf sealed;
	uint8_t *der = NULL;
	size_t len = 0;
	enum err err;

	err = private_to_der(key, &der, &len);
	if (err != OK)
		return err;
	buf_init(&sealed, PRIVATE_DER_MAX_BYTES);
	err = vault_seal(ring->vault, VAULT_SIGNING_KEYS, span_str(kid),
	    span_of(der, len), &sealed);
	OPENSSL_clear_free(der, len);
	if (err == OK)
		err = shelf->save(shelf->user, kid, alg_names[alg],
		    buf_span(&sealed), ring->detail);
	buf_fini(&sealed);
	return err;
}

static enum err
make_one(struct keyring *ring, const struct keyring_shelf *shelf,
    enum signing_alg alg)
{
	EVP_PKEY *key = alg == ALG_ES256 ? EVP_EC_gen("P-256")
					 : EVP_RSA_gen((size_t)RSA_BITS);
	char kid[THUMBPRINT_BYTES];
	enum err err;

	if (key == NULL)
		return err_set(ring->detail, ERR_CRYPTO,
		    "cannot make a key for %s", alg_names[alg]);
	err = public_jwk_thumbprint(key, kid);
	/* Saved before it is used: a signature outlives a crash. */
	if (err == OK)
		err = save_one(ring, shelf, alg, kid, key);
	if (err == OK)
		err = ring_add(ring, alg, kid, key);
	EVP_PKEY_free(key);
	return err;
}

static enum err
fill_ring(struct keyring *ring, const struct keyring_shelf *shelf)
{
	enum err err;

	buf_append_str(&ring->jwks, "{\"keys\":[");
	err = shelf->load(shelf->user, load_one, ring, ring->detail);
	for (enum signing_alg alg = 0; alg < ALG_COUNT && err == OK; alg++) {
		if (ring->current[alg] == NULL)
			err = make_one(ring, shelf, alg);
	}
	if (err != OK)
		return err;
	buf_append_str(&ring->jwks, "]}");
	return buf_status(&ring->jwks);
}

enum err
keyring_open(struct vault *vault, const struct keyring_shelf *shelf,
    struct keyring **ring_r, struct err_detail *detail)
{
	struct keyring *ring = calloc(1, sizeof *ring);
	enum err err;

	if (ring == NULL)
		return ERR_NOMEM;
	ring->vault = vault;
	ring->detail = detail;
	buf_init(&ring->jwks, JWKS_MAX_BYTES);
	err = fill_ring(ring, shelf);
	ring->detail = NULL;
	if (err != OK) {
		keyring_close(ring);
		return err;
	}
	*ring_r = ring;
	return OK;
}

void
keyring_close(struct keyring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->signer_count; i++)
		signer_free(ring->signers[i]);
	buf_fini(&ring->jwks);
	free(ring);
}

struct span
keyring_jwks(const struct keyring *ring)
{
	return buf_span(&ring->jwks);
}

enum err
keyring_sign(struct keyring *ring, enum signing_alg alg, const char *typ,
    struct span claims, struct buf *out)
{
	CHECK(alg < ALG_COUNT);
	return signer_sign(ring->current[alg], typ, claims, out);
}
