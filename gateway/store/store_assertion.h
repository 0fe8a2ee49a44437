/*
 * Identifiers of client assertions that were used (RFC 7523 section 3: jti is
 * single-use), kept until the assertion expires.
 */
#ifndef POSTERN_STORE_ASSERTION_H
#define POSTERN_STORE_ASSERTION_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

/* `hash` names client and jti. Durable when it returns OK; ERR_EXISTS: it was
 * used before. */
enum err store_assertion_use(struct store *store,
    const uint8_t hash[STORE_HASH_BYTES], int64_t expires_at) MUST_USE;

#endif
