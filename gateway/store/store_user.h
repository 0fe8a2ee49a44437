/*
 * A user's grants: what the user has allowed which client, listed and revoked
 * by subject.
 */
#ifndef POSTERN_STORE_USER_H
#define POSTERN_STORE_USER_H

#include "common/arena.h"
#include "gateway/store/store.h"

/* Strings are in the arena. */
struct store_user_grant {
	uint64_t number;
	const char *client_id;
	const char *idp;
	const char *scope;
	const char *profile; /* NULL: none */
	int64_t created_at;
	int64_t expires_at;
	bool stateless;
	bool refreshable;
};

/*
 * The user's live grants, oldest first, from the one after number `after` on:
 * at most `*count_r` (in: the room of `grants_r`; out: how many there are).
 */
struct store_user_query {
	const char *sub;
	uint64_t after;
	int64_t now;
};
enum err store_user_grants(struct store *store,
    const struct store_user_query *query, struct arena *arena,
    struct store_user_grant *grants_r, size_t *count_r) MUST_USE;

/* With its tokens and what is known of the user. ERR_NOT_FOUND: the user has no
 * such grant. */
enum err store_user_grant_revoke(
    struct store *store, const char *sub, uint64_t number) MUST_USE;

/* All of a user's, a batch of rows at a time so that nobody waits long. */
enum err store_user_revoke_all(
    struct store *store, const char *sub, unsigned *revoked_r) MUST_USE;

#endif
