/*
 * POST /oauth/v1/revoke and /oauth/revoke (RFC 7009). token_type_hint needs no
 * attention: a token is found by what it is. Runs on HTTP worker threads.
 */
#include <string.h>

#include "gateway/oauth/token_call.h"

/* Section 2.1: with a refresh token goes all that is based on the same grant;
 * an access token goes alone. */
static enum err
revoke(struct token_call *call, const struct presented_token *token)
{
	struct store *store = call->oauth->store;

	if (token->row.kind == TOKEN_REFRESH)
		return store_grant_revoke(store, token->row.grant);
	return store_token_delete(store, token->place.number);
}

static void
run_revoke(struct token_call *call)
{
	const struct presented_token *token;
	struct presented_token room;
	enum err err = OK;

	if (!token_call_find(call, &room, &token))
		return;
	/* Section 2.1: another client's token is refused with an error. */
	if (token != NULL &&
	    strcmp(token->row.client_id, call->client->client_id) != 0) {
		(void)token_call_refuse(call, PROBLEM_INVALID_GRANT,
		    "The token was issued to another client.");
		return;
	}
	if (token != NULL)
		err = revoke(call, token);
	if (err != OK) {
		(void)token_call_fail(call, err);
		return;
	}
	/* Section 2.2: an unknown token needs no revoking, so all is well. */
	buf_append_str(&call->response->body, "{}");
	if (token == NULL)
		token_call_decided(call, "unknown", NULL, NULL);
	else
		token_call_decided(call, "revoked", &token->row,
		    token->row.kind == TOKEN_REFRESH ? "refresh_token"
						     : "access_token");
}

void
revoke_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	struct token_call call;

	if (token_call_begin(&call, "revoke", context, request, response) &&
	    token_call_check_client(&call) && token_call_check_writable(&call))
		run_revoke(&call);
	token_call_end(&call);
}
