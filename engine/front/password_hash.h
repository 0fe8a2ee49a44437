/*
 * Checking a password against a hash that somebody else made. Both functions
 * take as long as the hash asks for, up to limits of ours. Threads: any.
 */
#ifndef POSTERN_PASSWORD_HASH_H
#define POSTERN_PASSWORD_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

/* OWASP asks for 600,000 with SHA-256; about a second here. */
#define PASSWORD_ITERATIONS_MAX 2000000
/* RFC 9106 recommends 64 MiB and 3 passes for machines like these. */
#define PASSWORD_ARGON2_KIB_MAX    131072
#define PASSWORD_ARGON2_PASSES_MAX 10
#define PASSWORD_ARGON2_LANES_MAX  8

/* `digest`: sha256, sha384, sha512. ERR_INVALID: a parameter out of range. */
enum err password_hash_pbkdf2(struct span password, struct span digest,
    uint64_t iterations, struct span salt, struct span expected,
    bool *matches_r, struct err_detail *detail) MUST_USE;

/* `encoded`: $argon2id$v=19$m=..,t=..,p=..$salt$hash. */
enum err password_hash_argon2id(struct span password, struct span encoded,
    bool *matches_r, struct err_detail *detail) MUST_USE;

#endif
