/*
 * grant_type=refresh_token (RFC 6749 section 6): rotation, retries and reuse
 * (RFC 9700 section 4.14.2). What decides between them is one step of the
 * store; everything before it only reads. Runs on HTTP worker threads.
 */
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "gateway/oauth/grant.h"
#include "gateway/oauth/id_token.h"
#include "gateway/oauth/scope.h"
#include "gateway/oauth/token_answer.h"
#include "gateway/oauth/token_grants.h"

/* A client that lost the answer asks again within this (SPEC 2). */
#define RETRY_SECS 10

/* An id_token with a user object at its limit, base64url and signature. */
#define ID_TOKEN_BYTES_MAX (96 * 1024)

/* One refresh; wiped at its end. */
struct refresh {
	struct token_call *call;
	struct span text; /* the token as presented */
	struct presented_token token;
	struct subject subject;
	const char *scope;
	int64_t now;
	struct access_token access;
	struct token successor;
	struct buf id_token; /* empty without openid */
};

/* ---- checks ---------------------------------------------------------------
 */

static bool
find_token(struct refresh *r)
{
	struct token_call *call = r->call;
	enum err err;

	r->text = token_call_field(call, "refresh_token");
	if (!span_present(r->text))
		return token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, "refresh_token is missing.");
	err = presented_token_find(
	    call->oauth, r->text, call->http->arena, &r->token);
	if (err == ERR_NOT_FOUND)
		return token_call_refuse(call, PROBLEM_INVALID_GRANT, NULL);
	return err == OK || token_call_fail(call, err);
}

static bool
check_token(struct refresh *r)
{
	const struct store_token_view *row = &r->token.row;
	struct token_call *call = r->call;

	/* RFC 6749 section 6: bound to the client it was issued to. */
	if (row->kind != TOKEN_REFRESH || row->expires_at <= r->now ||
	    strcmp(row->client_id, call->client->client_id) != 0)
		return token_call_refuse(call, PROBLEM_INVALID_GRANT, NULL);
	if (!call->client->refresh_enabled)
		return token_call_refuse(
		    call, PROBLEM_UNAUTHORIZED_CLIENT, NULL);
	return true;
}

static bool
find_scope(struct refresh *r)
{
	struct token_call *call = r->call;
	enum err err =
	    scope_narrow(call->client, span_str(r->token.row.grant_scope),
		token_call_field(call, "scope"), call->http->arena, &r->scope);

	if (err == ERR_DENIED)
		return token_call_refuse(call, PROBLEM_INVALID_SCOPE, NULL);
	return err == OK || token_call_fail(call, err);
}

/* ---- minting --------------------------------------------------------------
 */

static enum err
mint_access(struct refresh *r)
{
	const struct access_claims claims = {.realm = r->call->realm,
	    .client = r->call->client,
	    .sub = r->subject.sub,
	    .scope = r->scope,
	    .amr = r->subject.amr,
	    .auth_time = r->token.row.granted_at,
	    .now = r->now};
	enum err err = access_token_mint(r->call->oauth, &claims, &r->access);

	if (strcmp(r->scope, r->token.row.grant_scope) != 0)
		r->access.row.scope = r->scope;
	return err;
}

/* OIDC Core section 12.2: same iss, sub and aud; auth_time is the original's.
 */
static enum err
mint_id_token(struct refresh *r)
{
	const struct oauth *oauth = r->call->oauth;
	const struct id_token token = {
	    .issuer = oauth_issuer(oauth, r->call->realm),
	    .client = r->call->client,
	    .subject = &r->subject,
	    .access_token = buf_cstr(&r->access.text),
	    .now = r->now,
	    .auth_time = r->token.row.granted_at,
	};

	if (!scope_has(span_str(r->scope), span_str("openid")))
		return OK;
	if (token.access_token == NULL)
		return ERR_NOMEM;
	return id_token_append(oauth->keyring, &token, &r->id_token);
}

static enum err
mint(struct refresh *r)
{
	const struct oauth *oauth = r->call->oauth;
	enum err err;

	err = presented_token_subject(
	    oauth, &r->token, r->call->http->arena, &r->subject);
	if (err == OK)
		err = mint_access(r);
	if (err == OK)
		err = mint_id_token(r);
	if (err == OK)
		err = token_successor(oauth->vault, r->text,
		    store_next_number(oauth->store, SEQUENCE_TOKEN),
		    &r->successor);
	return err;
}

/* ---- the decision ---------------------------------------------------------
 */

static enum err
decide(struct refresh *r, struct store_refresh *step_r)
{
	const struct store_token_view *row = &r->token.row;
	int64_t expires_at = grant_refresh_expires_at(
	    r->call->client, r->now, row->refresh_until);

	*step_r = (struct store_refresh){
	    .number = r->token.place.number,
	    .now = r->now,
	    .retry_secs = RETRY_SECS,
	    .used_expires_at = expires_at,
	    .successor = {.number = r->successor.number,
		.kind = TOKEN_REFRESH,
		.issued_at = r->now,
		.expires_at = expires_at},
	    .access = r->access.row,
	};
	memcpy(step_r->hash, r->token.place.hash, sizeof step_r->hash);
	memcpy(step_r->successor.hash, r->successor.hash,
	    sizeof step_r->successor.hash);
	return store_token_refresh(r->call->oauth->store, step_r);
}

static void
answer(struct refresh *r, const char *outcome)
{
	const struct token_answer answer = {
	    .access = &r->access,
	    .scope = r->scope,
	    .refresh_token = r->successor.text,
	    .id_token = buf_span(&r->id_token),
	};

	token_answer_append(&r->call->response->body, &answer);
	token_call_decided(r->call, outcome, &r->token.row, "refresh_token");
}

/* A retry gets the successor that the first use got. */
static void
answer_again(struct refresh *r, uint64_t successor)
{
	enum err err = token_successor(
	    r->call->oauth->vault, r->text, successor, &r->successor);

	if (err == OK)
		answer(r, "reissued");
	else
		(void)token_call_fail(r->call, err);
}

/* The attacker or the client uses it a second time; nobody knows which, so
 * nobody keeps it. */
static void
answer_reuse(struct refresh *r)
{
	log_warn("refresh token reuse: all tokens of the grant are revoked",
	    LOG_STR("client", r->call->client->client_id),
	    LOG_STR("source", r->call->http->source),
	    LOG_STR("correlation_id", r->call->http->correlation_id));
	token_call_decided(r->call, "reuse", &r->token.row, NULL);
	http_problem(r->call->response, PROBLEM_INVALID_GRANT, NULL);
}

static void
settle(struct refresh *r)
{
	struct store_refresh step;
	enum err err = mint(r);

	if (err == OK)
		err = decide(r, &step);
	if (err != OK) {
		(void)token_call_fail(r->call, err);
		return;
	}
	switch (step.outcome) {
	case REFRESHED:
		answer(r, "issued");
		break;
	case REFRESHED_AGAIN:
		answer_again(r, step.successor_number);
		break;
	case REFRESH_IS_REUSE:
		answer_reuse(r);
		break;
	case REFRESH_REFUSED:
		(void)token_call_refuse(r->call, PROBLEM_INVALID_GRANT, NULL);
		break;
	}
}

void
token_grant_refresh(struct token_call *call)
{
	struct refresh r = {.call = call, .now = clock_wall_secs()};

	buf_init(&r.id_token, ID_TOKEN_BYTES_MAX);
	if (find_token(&r) && check_token(&r) && find_scope(&r))
		settle(&r);
	access_token_fini(&r.access);
	buf_wipe(&r.id_token);
	secret_wipe(&r, sizeof r);
}
