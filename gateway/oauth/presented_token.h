/*
 * A token that somebody presents, found in the store: an opaque one by its
 * number and hash, a JWT by its jti and the hash of the whole of it. So no
 * signature needs checking: what has the stored SHA-256 is what we signed, to
 * the byte, and neither `alg` nor `kid` of a stranger is ever believed.
 */
#ifndef POSTERN_PRESENTED_TOKEN_H
#define POSTERN_PRESENTED_TOKEN_H

#include "gateway/oauth/oauth.h"
#include "gateway/oauth/subject.h"
#include "gateway/oauth/tokens.h"
#include "gateway/store/store_token.h"

/* Where a token would be stored. */
struct token_place {
	uint64_t number;
	uint8_t hash[DIGEST_BYTES];
	bool is_jwt;
};

/* ERR_SYNTAX: not the text of a token of ours. */
enum err presented_token_place(struct vault *vault, struct span text,
    struct token_place *place_r) MUST_USE;

struct presented_token {
	struct token_place place;
	struct store_token_view row; /* in the arena */
};

/* ERR_NOT_FOUND: unknown or revoked. It may have expired. */
enum err presented_token_find(const struct oauth *oauth, struct span text,
    struct arena *arena, struct presented_token *token_r) MUST_USE;

/* A used refresh token is not alive. */
bool presented_token_is_alive(const struct presented_token *token, int64_t now);

/* What is known of its user; in the arena. */
enum err presented_token_subject(const struct oauth *oauth,
    const struct presented_token *token, struct arena *arena,
    struct subject *subject_r) MUST_USE;

#endif
