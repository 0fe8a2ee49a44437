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
	int64_t now;              /* iat and auth_time, wall-clock seconds */
};

/* Appends the compact JWS. */
enum err id_token_append(struct keyring *keyring, const struct id_token *token,
    struct buf *out) MUST_USE;

/* Seals what the script said of the user, for UserInfo, introspection and
 * refresh: {"amr":[..],"claims":{..}}, bound to the grant's number. */
enum err snapshot_seal(struct vault *vault, uint64_t grant,
    const struct subject *subject, struct buf *out) MUST_USE;

#endif
