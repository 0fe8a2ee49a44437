/*
 * grant_type=client_credentials (RFC 6749 section 4.4): an access token for the
 * client itself. No refresh token (section 4.4.3), no user, so no openid.
 */
#include <string.h>

#include "common/clock.h"
#include "gateway/oauth/grant.h"
#include "gateway/oauth/scope.h"
#include "gateway/oauth/token_answer.h"
#include "gateway/oauth/token_grants.h"

/* False: answered. */
static bool
find_scope(struct token_call *call, struct string_list *granted_r)
{
	struct span asked[REQUEST_SCOPES_MAX];
	struct span list = token_call_field(call, "scope");
	unsigned count;
	enum err err = ERR_DENIED;

	if (scope_split(list, asked, REQUEST_SCOPES_MAX, &count) &&
	    !scope_has(list, span_str("openid")))
		err = grant_scope(
		    call->client, asked, count, call->http->arena, granted_r);
	if (err == OK)
		return true;
	if (err != ERR_DENIED)
		return token_call_fail(call, err);
	return token_call_refuse(call, PROBLEM_INVALID_SCOPE, NULL);
}

/* Without openid, which a client's defaults may have; NULL: no memory. */
static const char *
join_scopes(const struct string_list *scopes, struct arena *arena)
{
	const char *text = "";

	for (unsigned i = 0; i < scopes->count && text != NULL; i++)
		if (strcmp(scopes->items[i], "openid") != 0)
			text = arena_printf(arena, "%s%s%s", text,
			    text[0] == '\0' ? "" : " ", scopes->items[i]);
	return text;
}

static enum err
store(struct token_call *call, const struct access_claims *claims,
    const struct access_token *access)
{
	const struct store_grant row = {
	    .number = store_next_number(call->oauth->store, SEQUENCE_GRANT),
	    .client_id = call->client->client_id,
	    .idp = "",
	    .sub = claims->sub,
	    .scope = claims->scope,
	    .created_at = claims->now,
	    .tokens = &access->row,
	    .token_count = 1,
	};

	return store_grant_create(call->oauth->store, &row);
}

static void
issue(struct token_call *call, const char *scope)
{
	const struct access_claims claims = {.realm = call->realm,
	    .client = call->client,
	    .sub = call->client->client_id, /* RFC 9068 section 2.2 */
	    .scope = scope,
	    .now = clock_wall_secs()};
	struct access_token access = {0};
	enum err err = access_token_mint(call->oauth, &claims, &access);

	if (err == OK)
		err = store(call, &claims, &access);
	if (err == OK) {
		const struct token_answer answer = {
		    .access = &access, .scope = scope};

		token_answer_append(&call->response->body, &answer);
		token_call_decided(call, "issued", NULL, "client_credentials");
	} else {
		(void)token_call_fail(call, err);
	}
	access_token_fini(&access);
}

void
token_grant_client_credentials(struct token_call *call)
{
	struct string_list granted = {.count = 0};
	const char *scope;

	if (!call->client->grant_client_credentials) {
		(void)token_call_refuse(
		    call, PROBLEM_UNAUTHORIZED_CLIENT, NULL);
		return;
	}
	if (!find_scope(call, &granted))
		return;
	scope = join_scopes(&granted, call->http->arena);
	if (scope == NULL)
		(void)token_call_fail(call, ERR_NOMEM);
	else if (scope[0] == '\0')
		(void)token_call_refuse(call, PROBLEM_INVALID_SCOPE, NULL);
	else
		issue(call, scope);
}
