/*
 * Everything that is done under the master key: one file of 32 random bytes,
 * never in the database. Each purpose has a key of its own, derived by
 * HKDF-SHA256 (RFC 5869) with the purpose's name as info.
 *
 * Ownership: the caller owns the vault; it is process-lifetime.
 * Threads: any, after vault_open(); contexts are kept per thread. Where a
 * thread's first use finds no memory for them, vault_seal() and vault_unseal()
 * say ERR_NOMEM; the functions that cannot fail end the process.
 */
#ifndef POSTERN_VAULT_H
#define POSTERN_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

#define DIGEST_BYTES 32

/* A key for each; the name is HKDF's info and may never change. */
enum vault_purpose {
	VAULT_SIGNING_KEYS,   /* seals private signing keys */
	VAULT_TRANSACTIONS,   /* seals registrationData of a transaction */
	VAULT_CACHE,          /* seals CACHE values */
	VAULT_CACHE_KEYS,     /* MACs CACHE keys: the store sees no key */
	VAULT_SNAPSHOTS,      /* seals what a script said of a user */
	VAULT_CLIENT_SECRETS, /* MACs generated and plain client secrets */
	VAULT_ROW_NUMBERS,    /* permutes row numbers in tokens */
	VAULT_SUCCESSORS,     /* derives refresh-token successors */
	VAULT_PROPERTIES,     /* makes property versions unguessable */
	VAULT_CONFIGURATION,  /* seals the realm's documents and values */
	VAULT_RECORDINGS,     /* seals recordings of executions */
	VAULT_PURPOSES
};

struct vault;

/*
 * Reads the master key, or makes it (0600) when `create` and there is none.
 * A world-readable file is ERR_DENIED, a file of another size ERR_INVALID.
 */
enum err vault_open(const char *path, bool create, struct vault **vault_r,
    struct err_detail *detail) MUST_USE;

/* Under a random master key that nobody keeps: for --check, which must judge a
 * realm without touching the deployment's key. */
enum err
vault_open_passing(struct vault **vault_r, struct err_detail *detail) MUST_USE;

void vault_close(struct vault *vault);

/*
 * AES-256-GCM under the purpose's key: appends 12 bytes nonce, ciphertext and
 * 16 bytes tag. `context` is authenticated with it (say where the value
 * belongs: table, row, IdP), so a value moved elsewhere does not open.
 */
enum err vault_seal(struct vault *vault, enum vault_purpose purpose,
    struct span context, struct span plain, struct buf *out) MUST_USE;

/* ERR_CORRUPT: not sealed by this key for this context. */
enum err vault_unseal(struct vault *vault, enum vault_purpose purpose,
    struct span context, struct span sealed, struct buf *out) MUST_USE;

/* HMAC-SHA256 under the purpose's key. */
void vault_mac(struct vault *vault, enum vault_purpose purpose,
    struct span bytes, uint8_t out_r[DIGEST_BYTES]);

/* The same of several parts, put one after the other without memory. */
void vault_mac_parts(struct vault *vault, enum vault_purpose purpose,
    const struct span *parts, size_t count, uint8_t out_r[DIGEST_BYTES]);

/* A keyed permutation of 64-bit numbers and its inverse: neighbouring row
 * numbers give unrelated token prefixes. */
uint64_t vault_permute(struct vault *vault, uint64_t number);
uint64_t vault_unpermute(struct vault *vault, uint64_t permuted);

/* For a thread that will serve: makes now what digests need, which cannot fail
 * later. Dies without memory. */
void vault_thread_begin(void);

/* SHA-256, unkeyed; here because OpenSSL is at home in this folder. */
void digest_sha256(struct span bytes, uint8_t out_r[DIGEST_BYTES]);

#endif
