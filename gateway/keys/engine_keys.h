/*
 * The identity keys of engines, as the file of the setting engines_keys has
 * them. A line is
 *
 *	NAME KEY [LABEL,LABEL...]
 *
 * with 64 hexadecimal digits for the key. With a third column the engine may
 * claim these labels and no others, so that one that was taken over cannot
 * draw the work of an identity provider that is pinned elsewhere. Empty lines
 * and those that begin with # are skipped. A name without a line is no engine:
 * removing the line revokes it.
 *
 * Threads: a set is immutable once loaded; any may read it.
 */
#ifndef POSTERN_ENGINE_KEYS_H
#define POSTERN_ENGINE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/span.h"

#define ENGINE_KEY_BYTES   32
#define ENGINE_PROOF_BYTES 32

/* More engines than a gateway serves, for those that take turns. */
#define ENGINE_KEYS_MAX 1024

struct engine_keys;

/* ERR_INVALID with the line's number; ERR_DENIED: others may read the file;
 * ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
enum err engine_keys_load(const char *path, struct engine_keys **keys_r,
    struct err_detail *detail) MUST_USE;

/* The same of a file's bytes. */
enum err engine_keys_parse(struct span text, struct engine_keys **keys_r,
    struct err_detail *detail) MUST_USE;

void engine_keys_free(struct engine_keys *keys); /* NULL is fine */

bool engine_keys_has(const struct engine_keys *keys, struct span name);

/* Whether the line of a name is in both, and the same in both. */
bool engine_keys_agree(
    const struct engine_keys *a, const struct engine_keys *b, struct span name);

/* Whether its line lets the engine claim these comma-separated labels. */
bool engine_keys_allow(
    const struct engine_keys *keys, struct span name, struct span labels);

/* HMAC-SHA-256 of `bytes` under the key of `name`. ERR_NOT_FOUND; ERR_CRYPTO.
 */
enum err engine_keys_prove(const struct engine_keys *keys, struct span name,
    struct span bytes, uint8_t proof_r[ENGINE_PROOF_BYTES]) MUST_USE;

#endif
