/*
 * One private key, and the signing contexts that each thread keeps for the
 * keys it signed with last.
 *
 * Ownership: counted; each set of keys that has it holds a reference.
 * Threads: any.
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

struct signer *signer_acquire(struct signer *signer);
void signer_release(struct signer *signer); /* NULL is fine */

/* Appends the public half as a JWK. */
enum err
signer_append_jwk(const struct signer *signer, struct buf *out) MUST_USE;

/* Appends a compact JWS, or nothing; see keyring_sign(). A thread's first use
 * may say ERR_NOMEM. */
enum err signer_sign(struct signer *signer, const char *typ, struct span claims,
    struct buf *out) MUST_USE;

#endif
