/*
 * One private key and the signing contexts that threads keep for it.
 *
 * Ownership: the ring owns its signers.
 * Threads: signer_sign() any; new and free by the ring's owner.
 */
#ifndef POSTERN_SIGNER_H
#define POSTERN_SIGNER_H

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/keyring.h"
#include "gateway/keys/openssl_names.h"

struct signer;

/* Takes a reference of its own to `key`, which must suit `alg`. */
enum err signer_new(enum signing_alg alg, const char *kid, EVP_PKEY *key,
    struct signer **signer_r) MUST_USE;

/* No other thread may be signing, or ending after having signed. */
void signer_free(struct signer *signer);

/* Appends a compact JWS, or nothing; see keyring_sign(). A thread's first use
 * may say ERR_NOMEM. */
enum err signer_sign(struct signer *signer, const char *typ, struct span claims,
    struct buf *out) MUST_USE;

#endif
