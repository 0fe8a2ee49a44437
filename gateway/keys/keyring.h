/*
 * The signing keys of the deployment and the JWK set they are published as.
 *
 * One current key per algorithm in this version; made at first start, stored
 * sealed (VAULT_SIGNING_KEYS). `kid` is the RFC 7638 thumbprint.
 *
 * Threads: any; the ring is an immutable snapshot after keyring_open(), each
 * thread keeps its own signing contexts.
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

/* How the ring is kept: implemented over the store by keyring's caller, so
 * that keys/ does not know SQL. */
struct keyring_shelf {
	void *user;
	/* Calls `each` for every stored key, oldest first. */
	enum err (*load)(void *user,
	    enum err (*each)(void *ring, const char *kid, const char *alg,
		struct span sealed_private),
	    void *ring, struct err_detail *detail);
	/* Durable when it returns. */
	enum err (*save)(void *user, const char *kid, const char *alg,
	    struct span sealed_private, struct err_detail *detail);
};

struct keyring;

/* Loads the ring and makes the keys that are missing (RSA 2048, P-256; RS256
 * and PS256 share no key: a key has one algorithm). */
enum err keyring_open(struct vault *vault, const struct keyring_shelf *shelf,
    struct keyring **ring_r, struct err_detail *detail) MUST_USE;
void keyring_close(struct keyring *ring);

/* The JWK set (RFC 7517 section 5) with the public keys; borrowed. */
struct span keyring_jwks(const struct keyring *ring);

/*
 * Appends the compact JWS (RFC 7515 section 7.1) of `claims` (JSON text) with
 * header {"alg","kid","typ"}; `typ` is "JWT", "at+jwt" or
 * "token-introspection+jwt".
 */
enum err keyring_sign(struct keyring *ring, enum signing_alg alg,
    const char *typ, struct span claims, struct buf *out) MUST_USE;

#endif
