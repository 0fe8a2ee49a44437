/*
 * Loads the signing keys, makes those that are missing, rotates and publishes
 * them.
 * Not here: signatures (signer.c), where sealed keys lie (the shelf), when
 * keys are rotated (gateway/rotation.c).
 * Opened on the main thread; used on any.
 */
#include "gateway/keys/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/keys/openssl_names.h"
#include "gateway/keys/public_jwk.h"
#include "gateway/keys/signer.h"

/* NIST SP 800-57: 112 bits of strength, the least still allowed. */
#define RSA_BITS 2048

/* Nine JWKs of at most 1.5 KiB. */
#define JWKS_MAX_BYTES (32U << 10)

/* PKCS#8 of RSA 4096 is 2.4 KiB. */
#define PRIVATE_DER_MAX_BYTES (8U << 10)

static const char *const alg_names[ALG_COUNT] = {
    [ALG_RS256] = "RS256", [ALG_ES256] = "ES256", [ALG_PS256] = "PS256"};

/* The keys in force: immutable once published, counted. */
struct key_set {
	struct signer *signers[ALG_COUNT][KEY_SLOTS]; /* a reference each */
	struct buf jwks;
	int64_t rotated_at;
	atomic_uint references;
};

struct keyring {
	struct vault *vault;
	struct keyring_shelf shelf;
	pthread_mutex_t rotating; /* one rotation at a time */
	pthread_mutex_t lock;     /* guards the pointer */
	struct key_set *set;      /* owns one reference */
};

/* While a set is being put together. */
struct set_maker {
	const struct keyring *ring;
	struct key_set *set;
	struct err_detail *detail;
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

/* ---- sets of keys ------------------------------------------------------- */

static struct key_set *
set_new(void)
{
	struct key_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	buf_init(&set->jwks, JWKS_MAX_BYTES);
	atomic_init(&set->references, 1);
	return set;
}

static void
set_release(struct key_set *set)
{
	if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
		return;
	for (unsigned alg = 0; alg < ALG_COUNT; alg++)
		for (unsigned slot = 0; slot < KEY_SLOTS; slot++)
			signer_release(set->signers[alg][slot]);
	buf_fini(&set->jwks);
	free(set);
}

static struct key_set *
set_acquire(struct keyring *ring)
{
	struct key_set *set;

	pthread_mutex_lock(&ring->lock);
	set = ring->set;
	atomic_fetch_add(&set->references, 1);
	pthread_mutex_unlock(&ring->lock);
	return set;
}

static enum err
set_publish(struct key_set *set)
{
	/* Verifiers that look at few keys find those in use first. */
	static const enum key_slot order[KEY_SLOTS] = {
	    KEY_CURRENT, KEY_NEXT, KEY_PREVIOUS};
	const char *separator = "";
	enum err err = OK;

	buf_append_str(&set->jwks, "{\"keys\":[");
	for (unsigned i = 0; i < KEY_SLOTS * ALG_COUNT && err == OK; i++) {
		const struct signer *signer =
		    set->signers[i % ALG_COUNT][order[i / ALG_COUNT]];

		if (signer == NULL)
			continue;
		buf_append_str(&set->jwks, separator);
		err = signer_append_jwk(signer, &set->jwks);
		separator = ",";
	}
	buf_append_str(&set->jwks, "]}");
	return err == OK ? buf_status(&set->jwks) : err;
}

static void
put_in_force(struct keyring *ring, struct key_set *set)
{
	struct key_set *before;

	pthread_mutex_lock(&ring->lock);
	before = ring->set;
	ring->set = set;
	pthread_mutex_unlock(&ring->lock);
	set_release(before);
}

/* ---- loading ------------------------------------------------------------ */

/* The stored name must be the key's own: a swapped row would otherwise sign
 * under a kid whose published key does not verify it. */
static enum err
check_loaded(struct set_maker *maker, const EVP_PKEY *key, enum signing_alg alg,
    const char *kid)
{
	char thumbprint[THUMBPRINT_BYTES];

	if (key_suits(key, alg) &&
	    public_jwk_thumbprint(key, thumbprint) == OK &&
	    strcmp(thumbprint, kid) == 0)
		return OK;
	ERR_clear_error();
	return err_set(maker->detail, ERR_CORRUPT,
	    "signing key %s is not the key its name says", kid);
}

static enum err
unseal_key(
    struct set_maker *maker, const struct keyring_key *stored, EVP_PKEY **key_r)
{
	struct buf der;
	enum err err;

	buf_init(&der, PRIVATE_DER_MAX_BYTES);
	err = vault_unseal(maker->ring->vault, VAULT_SIGNING_KEYS,
	    span_str(stored->kid), stored->sealed_private, &der);
	if (err == OK)
		err = private_of_der(buf_span(&der), key_r);
	buf_wipe(&der);
	if (err == ERR_CORRUPT)
		return err_set(maker->detail, err,
		    "signing key %s does not open with this master key",
		    stored->kid);
	return err;
}

/* The shelf calls it for each stored key. */
static enum err
load_one(void *argument, const struct keyring_key *stored)
{
	struct set_maker *maker = argument;
	enum signing_alg alg;
	EVP_PKEY *key = NULL;
	enum err err;

	if (signing_alg_parse(stored->alg, &alg) != OK ||
	    (unsigned)stored->slot >= KEY_SLOTS ||
	    maker->set->signers[alg][stored->slot] != NULL)
		return err_set(maker->detail, ERR_CORRUPT,
		    "signing key %s is stored for an unknown algorithm or a "
		    "slot that is taken",
		    stored->kid);
	err = unseal_key(maker, stored, &key);
	if (err != OK)
		return err;
	err = check_loaded(maker, key, alg, stored->kid);
	if (err == OK)
		err = signer_new(alg, stored->kid, key,
		    &maker->set->signers[alg][stored->slot]);
	EVP_PKEY_free(key);
	if (stored->since > maker->set->rotated_at)
		maker->set->rotated_at = stored->since;
	return err;
}

/* ---- making ------------------------------------------------------------- */

/* A new key, not yet stored. */
struct made_key {
	char kid[THUMBPRINT_BYTES];
	struct buf sealed;
	struct signer *signer; /* the caller's reference */
};

static enum err
seal_key(struct vault *vault, EVP_PKEY *key, struct made_key *made)
{
	uint8_t *der = NULL;
	size_t len = 0;
	enum err err = private_to_der(key, &der, &len);

	if (err != OK)
		return err;
	err = vault_seal(vault, VAULT_SIGNING_KEYS, span_str(made->kid),
	    span_of(der, len), &made->sealed);
	OPENSSL_clear_free(der, len);
	return err;
}

static enum err
make_key(struct vault *vault, enum signing_alg alg, struct made_key *made_r,
    struct err_detail *detail)
{
	EVP_PKEY *key = alg == ALG_ES256 ? EVP_EC_gen("P-256")
					 : EVP_RSA_gen((size_t)RSA_BITS);
	enum err err;

	if (key == NULL)
		return err_set(detail, ERR_CRYPTO, "cannot make a key for %s",
		    alg_names[alg]);
	buf_init(&made_r->sealed, PRIVATE_DER_MAX_BYTES);
	err = public_jwk_thumbprint(key, made_r->kid);
	if (err == OK)
		err = seal_key(vault, key, made_r);
	if (err == OK)
		err = signer_new(alg, made_r->kid, key, &made_r->signer);
	EVP_PKEY_free(key);
	return err;
}

static struct keyring_key
row_of(const struct made_key *made, enum signing_alg alg, enum key_slot slot,
    int64_t now)
{
	return (struct keyring_key){
	    made->kid, alg_names[alg], slot, now, buf_span(&made->sealed)};
}

/* Saved before it is used: a signature outlives a crash. */
static enum err
make_missing(struct set_maker *maker, enum signing_alg alg, enum key_slot slot)
{
	const struct keyring_shelf *shelf = &maker->ring->shelf;
	int64_t now = clock_wall_secs();
	struct made_key made = {.signer = NULL};
	struct keyring_key row;
	enum err err;

	if (maker->set->signers[alg][slot] != NULL)
		return OK;
	err = make_key(maker->ring->vault, alg, &made, maker->detail);
	row = row_of(&made, alg, slot, now);
	if (err == OK)
		err = shelf->save(shelf->user, &row, maker->detail);
	buf_fini(&made.sealed);
	if (err != OK) {
		signer_release(made.signer);
		return err;
	}
	maker->set->signers[alg][slot] = made.signer;
	maker->set->rotated_at = now;
	return OK;
}

static enum err
fill_set(struct set_maker *maker)
{
	const struct keyring_shelf *shelf = &maker->ring->shelf;
	enum err err;

	err = shelf->load(shelf->user, load_one, maker, maker->detail);
	for (enum signing_alg alg = 0; alg < ALG_COUNT && err == OK; alg++) {
		err = make_missing(maker, alg, KEY_CURRENT);
		if (err == OK)
			err = make_missing(maker, alg, KEY_NEXT);
	}
	return err == OK ? set_publish(maker->set) : err;
}

enum err
keyring_open(struct vault *vault, const struct keyring_shelf *shelf,
    struct keyring **ring_r, struct err_detail *detail)
{
	struct keyring *ring = calloc(1, sizeof *ring);
	struct set_maker maker = {ring, set_new(), detail};
	enum err err;

	if (ring == NULL || maker.set == NULL) {
		free(ring);
		set_release(maker.set);
		return ERR_NOMEM;
	}
	ring->vault = vault;
	ring->shelf = *shelf;
	ring->set = maker.set;
	pthread_mutex_init(&ring->rotating, NULL);
	pthread_mutex_init(&ring->lock, NULL);
	err = fill_set(&maker);
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
	set_release(ring->set);
	pthread_mutex_destroy(&ring->rotating);
	pthread_mutex_destroy(&ring->lock);
	free(ring);
}

/* ---- rotating ----------------------------------------------------------- */

static enum err
check_apart(const struct key_set *set, int64_t now, int64_t apart_secs,
    struct err_detail *detail)
{
	int64_t wait_secs = set->rotated_at + apart_secs - now;

	if (apart_secs == 0 || wait_secs <= 0)
		return OK;
	return err_set(detail, ERR_STATE,
	    "the last rotation is too recent: tokens or cached JWK sets from "
	    "before it may still be in use for %lld s",
	    (long long)wait_secs);
}

/* The set after `before`, with the new keys as next. */
static struct key_set *
set_after(
    const struct key_set *before, struct made_key made[ALG_COUNT], int64_t now)
{
	struct key_set *set = set_new();

	if (set == NULL)
		return NULL;
	set->rotated_at = now;
	for (unsigned alg = 0; alg < ALG_COUNT; alg++) {
		struct signer *const *old = before->signers[alg];

		set->signers[alg][KEY_PREVIOUS] =
		    signer_acquire(old[KEY_CURRENT]);
		set->signers[alg][KEY_CURRENT] = signer_acquire(old[KEY_NEXT]);
		set->signers[alg][KEY_NEXT] = signer_acquire(made[alg].signer);
	}
	if (set_publish(set) == OK)
		return set;
	set_release(set);
	return NULL;
}

/* Stored first: what signs or is published outlives a crash. */
static enum err
store_and_swap(struct keyring *ring, struct key_set *before,
    struct made_key made[ALG_COUNT], int64_t now, struct err_detail *detail)
{
	struct keyring_key rows[ALG_COUNT];
	struct key_set *set = set_after(before, made, now);
	enum err err;

	if (set == NULL)
		return ERR_NOMEM;
	for (enum signing_alg alg = 0; alg < ALG_COUNT; alg++)
		rows[alg] = row_of(&made[alg], alg, KEY_NEXT, now);
	err =
	    ring->shelf.rotate(ring->shelf.user, rows, ALG_COUNT, now, detail);
	if (err == OK)
		put_in_force(ring, set);
	else
		set_release(set);
	return err;
}

static enum err
rotate(struct keyring *ring, struct key_set *before, int64_t now,
    struct err_detail *detail)
{
	struct made_key made[ALG_COUNT] = {{.signer = NULL}};
	enum err err = OK;

	for (enum signing_alg alg = 0; alg < ALG_COUNT && err == OK; alg++)
		err = make_key(ring->vault, alg, &made[alg], detail);
	if (err == OK)
		err = store_and_swap(ring, before, made, now, detail);
	for (unsigned alg = 0; alg < ALG_COUNT; alg++) {
		buf_fini(&made[alg].sealed);
		signer_release(made[alg].signer);
	}
	return err;
}

enum err
keyring_rotate(struct keyring *ring, int64_t now, int64_t apart_secs,
    struct err_detail *detail)
{
	struct key_set *before;
	enum err err;

	pthread_mutex_lock(&ring->rotating);
	before = set_acquire(ring);
	err = check_apart(before, now, apart_secs, detail);
	if (err == OK)
		err = rotate(ring, before, now, detail);
	set_release(before);
	pthread_mutex_unlock(&ring->rotating);
	return err;
}

int64_t
keyring_rotated_at(struct keyring *ring)
{
	struct key_set *set = set_acquire(ring);
	int64_t rotated_at = set->rotated_at;

	set_release(set);
	return rotated_at;
}

/* ---- using -------------------------------------------------------------- */

void
keyring_append_jwks(struct keyring *ring, struct buf *out)
{
	struct key_set *set = set_acquire(ring);

	buf_append_span(out, buf_span(&set->jwks));
	set_release(set);
}

enum err
keyring_sign(struct keyring *ring, enum signing_alg alg, const char *typ,
    struct span claims, struct buf *out)
{
	struct key_set *set;
	enum err err;

	CHECK(alg < ALG_COUNT);
	set = set_acquire(ring);
	err = signer_sign(set->signers[alg][KEY_CURRENT], typ, claims, out);
	set_release(set);
	return err;
}
