/*
 * Minting access tokens: opaque, or a JWT (RFC 9068) where the client's realm
 * entry says so. Either has a row in the store, so either can be revoked and
 * introspected.
 */
#ifndef POSTERN_ACCESS_TOKEN_H
#define POSTERN_ACCESS_TOKEN_H

#include "common/buf.h"
#include "gateway/oauth/oauth.h"
#include "gateway/store/store_grant.h"

/* What one says; borrowed for the call. */
struct access_claims {
	const struct realm *realm;
	const struct realm_client *client;
	const char *sub;
	const char *scope; /* space-delimited */
	struct span amr;   /* JSON array; absent: none */
	int64_t auth_time; /* 0: no user was authenticated */
	int64_t now;       /* wall-clock seconds */
};

struct access_token {
	struct store_token row; /* scope NULL: as granted */
	struct buf text;        /* the secret */
};

/* Zero `token_r` before; access_token_fini() it, also after a failure. */
enum err access_token_mint(const struct oauth *oauth,
    const struct access_claims *claims, struct access_token *token_r) MUST_USE;

void access_token_fini(struct access_token *token);

#endif
