/*
 * Whether a secret is the one behind an imported hash: argon2id, bcrypt,
 * yescrypt or pbkdf2-sha256, in the spellings that the realm accepts
 * (realm_hash.c).
 *
 * Takes up to seconds and, for argon2id, the memory that the hash asks for.
 * Threads: any with an ordinary stack (crypt_r needs 32 KB): not a worker.
 */
#ifndef POSTERN_IMPORTED_HASH_H
#define POSTERN_IMPORTED_HASH_H

#include "common/err.h"
#include "common/span.h"

/* ERR_DENIED: another secret. ERR_LIMIT: the hash costs more than we pay.
 * ERR_INVALID, ERR_NOMEM, ERR_CRYPTO: it cannot be computed here. */
enum err imported_hash_check(const char *phc, struct span secret) MUST_USE;

#endif
