/*
 * Tokens after they were issued: looking at one, refreshing, revoking.
 *
 * A token is alive while its row and its grant's are there and it has not
 * expired; so revoking a family is the deletion of one row, the grant's.
 * A refresh token is used once: its row then names its successor and stays, so
 * that a second use is seen.
 */
#ifndef POSTERN_STORE_TOKEN_H
#define POSTERN_STORE_TOKEN_H

#include "common/arena.h"
#include "gateway/store/store.h"
#include "gateway/store/store_grant.h"

/* A token's row and its grant's. Strings and spans are in the arena. */
struct store_token_view {
	enum store_token_kind kind;
	int64_t issued_at;
	int64_t expires_at;
	bool used;         /* a refresh token with a successor */
	const char *scope; /* of the token, else of the grant */
	uint64_t grant;
	const char *grant_scope;
	const char *client_id;
	const char *idp; /* "" where a client has it for itself */
	const char *sub;
	int64_t granted_at;    /* when the user was authenticated */
	int64_t refresh_until; /* no refresh token lives beyond it; 0: none */
	struct span snapshot;  /* sealed; absent if there is none */
};

/* ERR_NOT_FOUND: no such row, another hash (compared in constant time), or the
 * grant is gone. Whether it has expired is the caller's to see. */
enum err store_token_get(struct store *store, uint64_t number,
    const uint8_t hash[STORE_HASH_BYTES], struct arena *arena,
    struct store_token_view *view_r) MUST_USE;

enum store_refreshed {
	REFRESHED,        /* the successor and the access token are stored */
	REFRESHED_AGAIN,  /* a retry: the access token is stored */
	REFRESH_IS_REUSE, /* the grant was revoked */
	REFRESH_REFUSED   /* unknown, expired or revoked in the meantime */
};

struct store_refresh {
	/* in: the refresh token that was presented */
	uint64_t number;
	uint8_t hash[STORE_HASH_BYTES];
	int64_t now;
	int64_t retry_secs;      /* how long a retry is no reuse */
	int64_t used_expires_at; /* until when its reuse is noticed */
	struct store_token successor;
	struct store_token access;
	/* out, on OK */
	enum store_refreshed outcome;
	uint64_t successor_number; /* the first one's, for a retry */
};

/* One step, durable on OK, whatever the outcome. */
enum err store_token_refresh(
    struct store *store, struct store_refresh *refresh) MUST_USE;

/* The token alone; a token that is not there is no error. */
enum err store_token_delete(struct store *store, uint64_t number) MUST_USE;

#endif
