/*
 * Grants and tokens: what a successful complete leaves behind.
 */
#ifndef POSTERN_STORE_GRANT_H
#define POSTERN_STORE_GRANT_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

enum store_token_kind { TOKEN_ACCESS = 1, TOKEN_REFRESH = 2 };

struct store_token {
	uint64_t number; /* SEQUENCE_TOKEN */
	enum store_token_kind kind;
	uint8_t hash[STORE_HASH_BYTES]; /* SHA-256 of the token's 32 bytes */
	int64_t expires_at;
	int64_t idle_secs; /* refresh: 0 otherwise */
};

struct store_grant {
	uint64_t number; /* SEQUENCE_GRANT */
	const char *client_id;
	const char *idp;
	const char *sub;
	const char *scope;   /* space-delimited, as granted */
	const char *profile; /* NULL: none */
	uint8_t release[STORE_HASH_BYTES];
	int64_t created_at;
	struct span snapshot; /* sealed claims; may be absent */
	const struct store_token *tokens;
	unsigned token_count;
	/* The claim this settles as spent; 0: none (one-step). */
	uint64_t transaction;
};

/* One durable step: grant, its tokens and the spent claim, or nothing.
 * ERR_STATE: the transaction is not claimed (any more). */
enum err store_grant_create(
    struct store *store, const struct store_grant *grant) MUST_USE;

/* Checks a presented token: OK and its grant's number if it is stored, alive at
 * `now` and its hash matches in constant time; ERR_NOT_FOUND otherwise. */
enum err store_token_find(struct store *store, uint64_t number,
    const uint8_t hash[STORE_HASH_BYTES], enum store_token_kind kind,
    int64_t now, uint64_t *grant_r) MUST_USE;

#endif
