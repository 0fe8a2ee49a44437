/*
 * The id_token (OIDC Core section 2) and the snapshot of claims kept with a
 * grant.
 */
#ifndef POSTERN_ID_TOKEN_H
#define POSTERN_ID_TOKEN_H

#include "common/buf.h"
#include "gateway/oauth/oauth.h"
#include "gateway/oauth/subject.h"

/* All borrowed for the call. */
struct id_token {
	const char *issuer;
	const struct realm_client *client;
	const struct subject *subject;
	const char *access_token; /* for at_hash */
	int64_t now;              /* iat, wall-clock seconds */
	int64_t auth_time;        /* 0: now */
};

/* Appends the compact JWS. */
enum err id_token_append(struct keyring *keyring, const struct id_token *token,
    struct buf *out) MUST_USE;

/* Seals what the script said of the user, for UserInfo, introspection and
 * refresh: {"amr":[..],"claims":{..}}, bound to the grant's number. */
enum err snapshot_seal(struct vault *vault, uint64_t grant,
    const struct subject *subject, struct buf *out) MUST_USE;

/* Its inverse: claims and amr, in the arena; the rest of `subject_r` is as it
 * was. An absent `sealed`: there are none. ERR_CORRUPT, ERR_NOMEM. */
enum err snapshot_open(struct vault *vault, uint64_t grant, struct span sealed,
    struct arena *arena, struct subject *subject_r) MUST_USE;

#endif
