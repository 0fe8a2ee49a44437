/*
 * Keys for JWS from what people have: PEM (key pairs, public keys,
 * certificates), a JWK, or the plain text of a secret.
 * Threads: any.
 */
#ifndef POSTERN_JWT_KEY_H
#define POSTERN_JWT_KEY_H

#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "engine/front/jwt_algorithm.h"

/* A key and what it owns. */
struct jwt_loaded_key {
	struct jwt_key key;
	struct buf hmac; /* what key.hmac points to */
};

/* Text that looks like PEM is never anything else, above all no secret. */
bool jwt_key_is_pem(struct span text);

/* With `want_private` only a private key will do. ERR_INVALID. */
enum err jwt_key_from_pem(struct span text, bool want_private,
    struct jwt_loaded_key *key_r, struct err_detail *detail) MUST_USE;

/* RFC 7517 and 7518 section 6: oct, RSA, EC. ERR_INVALID. */
enum err jwt_key_from_jwk(const json_t *jwk, bool want_private,
    struct jwt_loaded_key *key_r, struct err_detail *detail) MUST_USE;

enum err
jwt_key_from_secret(struct span text, struct jwt_loaded_key *key_r) MUST_USE;

/* Wipes and frees. */
void jwt_key_fini(struct jwt_loaded_key *key);

#endif
