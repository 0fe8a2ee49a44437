/*
 * PBKDF2 with HMAC-SHA256 (RFC 8018 section 5.2), for imported hashes only.
 * Threads: any; takes as long as `rounds` say.
 */
#ifndef POSTERN_PBKDF2_H
#define POSTERN_PBKDF2_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

enum err pbkdf2_sha256(struct span secret, struct span salt, unsigned rounds,
    uint8_t *key_r, size_t key_bytes) MUST_USE;

#endif
