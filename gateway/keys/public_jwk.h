/*
 * The public half of a key of ours as a JWK (RFC 7517, RFC 7518 section 6).
 * Threads: any.
 */
#ifndef POSTERN_PUBLIC_JWK_H
#define POSTERN_PUBLIC_JWK_H

#include "common/buf.h"
#include "common/err.h"
#include "gateway/keys/openssl_names.h"

/* base64url of SHA-256, and the NUL. */
#define THUMBPRINT_BYTES 44

/* RFC 7638 with SHA-256. ERR_INVALID: neither RSA nor P-256. */
enum err public_jwk_thumbprint(
    const EVP_PKEY *key, char thumbprint_r[THUMBPRINT_BYTES]) MUST_USE;

/* Appends {"kty",...,"use":"sig","alg","kid"}. */
enum err public_jwk_append(struct buf *out, const EVP_PKEY *key,
    const char *alg, const char *kid) MUST_USE;

#endif
