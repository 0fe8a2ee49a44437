/*
 * The signing keys of the deployment and the JWK set they are published as.
 *
 * Each algorithm has three keys, all published: `next` signs nothing yet,
 * `current` signs, `previous` did. A rotation makes next current, current
 * previous, a new key next, and forgets the old previous. So whoever holds a
 * set that is younger than its max-age knows the key of every token that is
 * not older than its lifetime, as long as rotations are further apart than
 * both. Made at first start, stored sealed (VAULT_SIGNING_KEYS). `kid` is the
 * RFC 7638 thumbprint.
 *
 * Threads: any; the keys in force are an immutable counted set, swapped whole.
 */
#ifndef POSTERN_KEYRING_H
#define POSTERN_KEYRING_H

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"

/* RFC 7518 section 3.1. */
enum signing_alg { ALG_RS256, ALG_ES256, ALG_PS256, ALG_COUNT };

/* "RS256", ... as in JOSE. */
const char *signing_alg_name(enum signing_alg alg);
enum err signing_alg_parse(const char *text, enum signing_alg *alg_r) MUST_USE;

/* The numbers are stored: they never change. */
enum key_slot { KEY_NEXT, KEY_CURRENT, KEY_PREVIOUS, KEY_SLOTS };

/* As it is stored. */
struct keyring_key {
	const char *kid;
	const char *alg;
	enum key_slot slot;
	int64_t since; /* in this slot; wall-clock seconds */
	struct span sealed_private;
};

/* How the ring is kept: implemented over the store by keyring's caller, so
 * that keys/ does not know SQL. Copied; `user` must outlive the ring. */
struct keyring_shelf {
	void *user;
	/* Calls `each` for every stored key. */
	enum err (*load)(void *user,
	    enum err (*each)(void *ring, const struct keyring_key *key),
	    void *ring, struct err_detail *detail);
	/* Durable when it returns. */
	enum err (*save)(void *user, const struct keyring_key *key,
	    struct err_detail *detail);
	/* One durable step, for all algorithms: drops previous, moves current
	 * and next on at the time `now`, adds the `count` new keys. */
	enum err (*rotate)(void *user, const struct keyring_key *keys,
	    unsigned count, int64_t now, struct err_detail *detail);
};

struct keyring;

/* Loads the ring and makes the keys that are missing (RSA 2048, P-256; RS256
 * and PS256 share no key: a key has one algorithm). */
enum err keyring_open(struct vault *vault, const struct keyring_shelf *shelf,
    struct keyring **ring_r, struct err_detail *detail) MUST_USE;

/* Nobody may use it any more. */
void keyring_close(struct keyring *ring);

/*
 * Rotates all algorithms. ERR_STATE: the last rotation (or first start) is
 * less than `apart_secs` ago, `detail` says how long to wait; 0 forces it.
 * Takes as long as making two RSA keys; signing goes on meanwhile.
 */
enum err keyring_rotate(struct keyring *ring, int64_t now, int64_t apart_secs,
    struct err_detail *detail) MUST_USE;

/* When the keys were last rotated or first made; wall-clock seconds. */
int64_t keyring_rotated_at(struct keyring *ring);

/* Appends the JWK set (RFC 7517 section 5) with the public keys of all slots,
 * current ones first. */
void keyring_append_jwks(struct keyring *ring, struct buf *out);

/*
 * Appends the compact JWS (RFC 7515 section 7.1) of `claims` (JSON text) with
 * header {"alg","kid","typ"}; `typ` is "JWT", "at+jwt" or
 * "token-introspection+jwt".
 */
enum err keyring_sign(struct keyring *ring, enum signing_alg alg,
    const char *typ, struct span claims, struct buf *out) MUST_USE;

#endif
