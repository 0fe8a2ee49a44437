/*
 * JSON Web Tokens for scripts: RFC 7519 over JWS compact form (RFC 7515).
 * Tokens, keys and claims are hostile bytes. Threads: any.
 */
#ifndef POSTERN_JWT_H
#define POSTERN_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* Exactly one of the three is present. */
struct jwt_trust {
	struct span jwk;      /* JSON of a JWK or a JWK set */
	struct span pem;      /* a public key or certificate */
	struct span property; /* a key property: either, or a secret's text */
};

struct jwt_expectation {
	struct span algorithms; /* comma-separated; others are refused */
	struct span issuer;     /* absent: any */
	struct span audience;   /* absent: any */
	int64_t clock_skew_secs;
	int64_t now; /* seconds of the wall clock */
};

/* `error` is NULL where the token is valid. */
struct jwt_verdict {
	const char *error; /* static: malformed, algorithm, key, ... */
	struct buf header; /* JSON text, empty if it could not be read */
	struct buf claims; /* JSON text, empty unless valid */
};

void jwt_verdict_init(struct jwt_verdict *verdict);
void jwt_verdict_fini(struct jwt_verdict *verdict);

/* OK: the verdict is there, whatever it is. ERR_INVALID with a sentence: the
 * caller's own mistake (an unknown algorithm, an unusable key). */
enum err jwt_verify(struct span token, const struct jwt_trust *trust,
    const struct jwt_expectation *expected, struct jwt_verdict *verdict,
    struct err_detail *detail) MUST_USE;

struct jwt_order {
	struct span claims;    /* JSON text of an object */
	struct span algorithm; /* one name */
	struct span kid;       /* absent: none */
	struct span typ;       /* absent: JWT */
	struct span property;  /* the key */
};

/* Appends the token. ERR_INVALID with a sentence. */
enum err jwt_sign(const struct jwt_order *order, struct buf *out,
    struct err_detail *detail) MUST_USE;

#endif
