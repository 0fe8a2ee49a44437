/*
 * The signature algorithms of JWS (RFC 7518 section 3) on OpenSSL: which
 * there are, which keys fit, signing and verifying bytes. There is no "none".
 * Threads: any; keys are only read.
 */
#ifndef POSTERN_JWT_ALGORITHM_H
#define POSTERN_JWT_ALGORITHM_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "engine/front/openssl_headers.h"

/* An RSA 8192 signature is the longest. */
#define JWT_SIGNATURE_BYTES 1024

enum jwt_family { JWT_HMAC, JWT_RSA, JWT_PSS, JWT_ECDSA };

struct jwt_algorithm {
	const char *name;
	enum jwt_family family;
	unsigned hash_bytes;
	const char *curve;     /* ECDSA: OpenSSL's name */
	unsigned number_bytes; /* ECDSA: of r and of s */
};

/* A key for one algorithm: `pkey` for all but HMAC. */
struct jwt_key {
	EVP_PKEY *pkey;
	struct span hmac;
};

/* NULL: no such algorithm. Case matters. */
const struct jwt_algorithm *jwt_algorithm_named(struct span name);

/* OK; or ERR_INVALID with why the key must not be used with the algorithm:
 * kind, curve, too few bits. */
enum err jwt_algorithm_fits(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct err_detail *detail) MUST_USE;

/* Appends the signature in JWS's form. */
enum err jwt_algorithm_sign(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct span bytes, struct buf *out) MUST_USE;

bool jwt_algorithm_verify(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct span bytes, struct span signature);

#endif
