/*
 * Grants with their first tokens: what a successful complete leaves behind.
 * What becomes of them: store_token.h.
 */
#ifndef POSTERN_STORE_GRANT_H
#define POSTERN_STORE_GRANT_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

enum store_token_kind { TOKEN_ACCESS = 1, TOKEN_REFRESH = 2 };

struct store_token {
	uint64_t number; /* SEQUENCE_TOKEN */
	enum store_token_kind kind;
	uint8_t hash[STORE_HASH_BYTES]; /* SHA-256 of the token */
	int64_t issued_at;
	int64_t expires_at;
	const char *scope; /* space-delimited; NULL: the grant's */
};

struct store_grant {
	uint64_t number; /* SEQUENCE_GRANT */
	const char *client_id;
	const char *idp; /* "": the client has it for itself */
	const char *sub;
	const char *scope;   /* space-delimited, as granted */
	const char *profile; /* NULL: none */
	uint8_t release[STORE_HASH_BYTES];
	int64_t created_at;
	int64_t refresh_until; /* no refresh token outlives it; 0: has none */
	bool stateless;
	struct span snapshot; /* sealed claims; may be absent */
	const struct store_token *tokens;
	unsigned token_count;
	/* The claim this settles as spent; 0: none (one-step). */
	uint64_t transaction;
};

/* One durable step: grant, its tokens, its profile and the spent claim, or
 * nothing. ERR_STATE: the transaction is not claimed (any more). ERR_DENIED:
 * the profile is another user's of that client. */
enum err store_grant_create(
    struct store *store, const struct store_grant *grant) MUST_USE;

/* Revokes a grant, and so every token of it; one that is not there is no
 * error. */
enum err store_grant_revoke(struct store *store, uint64_t number) MUST_USE;

#endif
