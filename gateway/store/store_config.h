/*
 * What configuration leaves in the store: releases, generated client secrets
 * and signing keys. Small, rare, blocking.
 */
#ifndef POSTERN_STORE_CONFIG_H
#define POSTERN_STORE_CONFIG_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

/* A release by content hash; put again it is a no-op. Unless a history has it
 * (store_release.h) it is dropped after STORE_RELEASE_UNUSED_SECS. */
enum err
store_release_put(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    const char *idp, struct span content) MUST_USE;

/* The same inside an operation, on the writer thread. */
enum err store_release_keep(struct store_writer *writer,
    const uint8_t hash[STORE_HASH_BYTES], const char *idp, struct span content,
    int64_t at) MUST_USE;

/* malloc'd content; ERR_NOT_FOUND. */
enum err
store_release_get(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    uint8_t **content_r, size_t *len_r) MUST_USE;

/* Digest of the secret that was generated for a client; `kind` is "client" or
 * "api_client". ERR_NOT_FOUND / ERR_EXISTS. */
enum err store_client_secret_get(struct store *store, const char *kind,
    const char *client_id, uint8_t digest_r[STORE_HASH_BYTES]) MUST_USE;
enum err store_client_secret_put(struct store *store, const char *kind,
    const char *client_id, const uint8_t digest[STORE_HASH_BYTES]) MUST_USE;

/* A signing key; slot 0 next, 1 current, 2 previous (keyring.h). Borrowed. */
struct store_signing_key {
	const char *kid;
	const char *alg;
	int64_t slot;
	int64_t since;
	struct span sealed_private;
};

enum err store_signing_key_put(
    struct store *store, const struct store_signing_key *key) MUST_USE;

/* One durable step: previous keys go, the others move on to the next slot at
 * the time `now`, the new ones come in. */
enum err store_signing_keys_rotate(struct store *store,
    const struct store_signing_key *keys, unsigned count, int64_t now) MUST_USE;

/* Oldest first; stops at the first error of `each` and returns it. */
enum err store_signing_key_each(struct store *store,
    enum err (*each)(void *user, const struct store_signing_key *key),
    void *user) MUST_USE;

/*
 * Housekeeping, called by one thread about once a second: deletes at most
 * `batch` expired rows in one operation. `deleted_r` equal to `batch` means
 * there is more.
 */
enum err store_expire(struct store *store, int64_t now, unsigned batch,
    unsigned *deleted_r) MUST_USE;

#endif
