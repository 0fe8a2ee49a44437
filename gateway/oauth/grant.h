/*
 * Turning a successful complete into tokens: subject, tokens, id_token, the
 * durable grant, the answer.
 */
#ifndef POSTERN_GRANT_H
#define POSTERN_GRANT_H

#include "gateway/oauth/call.h"

/* Granted scopes in the order asked for; items in the request's arena. */
struct string_list {
	const char *items[REQUEST_SCOPES_MAX];
	unsigned count;
};

/*
 * The scopes a client gets: those asked for if all are its own, else its
 * defaults if none were asked for. ERR_DENIED: one is unknown or not allowed,
 * or none was asked for and there is no default. ERR_NOMEM.
 */
enum err grant_scope(const struct realm_client *client,
    const struct span *asked, unsigned asked_count, struct arena *arena,
    struct string_list *granted_r) MUST_USE;

/* Borrowed for the call. */
struct grant_request {
	struct call *call;
	const struct execution_result *result;
	const struct string_list *scopes;
	const struct release *release;
	uint64_t transaction; /* claimed; 0: none */
};

/* When a refresh token issued now expires: idle, or with the grant. */
int64_t grant_refresh_expires_at(
    const struct realm_client *client, int64_t now, int64_t refresh_until);

/*
 * Mints, stores durably (settling the claim in the same commit) and answers.
 * False: nothing was stored, the answer is 500 (400 where the profile is
 * another user's) and the claim is still open.
 */
bool grant_issue(const struct grant_request *request);

#endif
