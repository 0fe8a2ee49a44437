/*
 * The shape of imported password hashes. Threads: any.
 */
#ifndef POSTERN_REALM_HASH_H
#define POSTERN_REALM_HASH_H

#include <stdbool.h>

#include "common/span.h"

/* $argon2id$, $2b$, $2y$, $y$ or $pbkdf2-sha256$, of the right shape. */
bool realm_hash_is_known(struct span text);

#endif
