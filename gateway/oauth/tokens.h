/*
 * The text of opaque tokens and transaction ids: 64 upper-case hex digits = 8
 * bytes of permuted row number, then 24 random bytes. The number finds the
 * row; the SHA-256 of all 32 bytes, the only thing stored, proves the rest.
 * Threads: any.
 */
#ifndef POSTERN_TOKENS_H
#define POSTERN_TOKENS_H

#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"

#define TOKEN_BYTES      32
#define TOKEN_TEXT_BYTES (2 * TOKEN_BYTES + 1)

struct token {
	uint64_t number;
	uint8_t hash[DIGEST_BYTES];
	char text[TOKEN_TEXT_BYTES]; /* the secret: wipe after use */
};

void token_make(struct vault *vault, uint64_t number, struct token *token_r);

/* ERR_SYNTAX: not 64 hex digits. `text` of the result is not filled. */
enum err token_parse(
    struct vault *vault, struct span text, struct token *token_r) MUST_USE;

/*
 * The refresh token that comes after `text` and has row `number`: derived, so
 * that it can be told a second time although only its hash is stored.
 * ERR_SYNTAX: `text` is not 64 hex digits.
 */
enum err token_successor(struct vault *vault, struct span text, uint64_t number,
    struct token *token_r) MUST_USE;

#endif
