/*
 * GET and POST /oauth/v1/userinfo (OIDC Core section 5.3) with the errors of
 * RFC 6750. Runs on HTTP worker threads.
 */
#include <strings.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "gateway/oauth/scope.h"
#include "gateway/oauth/token_call.h"

#define CHALLENGE         "Bearer realm=\"postern\""
#define CHALLENGE_REQUEST CHALLENGE ", error=\"invalid_request\""

/* ---- refusals (RFC 6750 section 3) ----------------------------------------
 */

/* Section 3.1: no error code for who sent no token at all. */
static bool
refuse_unauthenticated(struct token_call *call)
{
	call->response->www_authenticate = CHALLENGE;
	return token_call_refuse(call, PROBLEM_INVALID_TOKEN,
	    "A bearer token is missing; send it in Authorization.");
}

static bool
refuse_token(struct token_call *call)
{
	call->response->www_authenticate =
	    CHALLENGE ", error=\"invalid_token\", error_description=\"The "
		      "access token is unknown, expired or revoked.\"";
	return token_call_refuse(call, PROBLEM_INVALID_TOKEN, NULL);
}

static bool
refuse_request(struct token_call *call, const char *description)
{
	call->response->www_authenticate = CHALLENGE_REQUEST;
	return token_call_refuse(call, PROBLEM_INVALID_REQUEST, description);
}

static bool
refuse_scope(struct token_call *call)
{
	call->response->www_authenticate =
	    CHALLENGE ", error=\"insufficient_scope\", scope=\"openid\"";
	return token_call_refuse(call, PROBLEM_INSUFFICIENT_SCOPE, NULL);
}

/* ---- the token ------------------------------------------------------------
 */

/* What follows "Bearer" and its spaces; absent for another scheme. */
static struct span
bearer_of(struct span authorization)
{
	static const char scheme[] = "Bearer";
	size_t at = sizeof scheme - 1;

	if (authorization.len <= at || authorization.data[at] != ' ' ||
	    strncasecmp((const char *)authorization.data, scheme, at) != 0)
		return (struct span){NULL, 0};
	while (at < authorization.len && authorization.data[at] == ' ')
		at++;
	return span_of(authorization.data + at, authorization.len - at);
}

/* RFC 6750 section 2: in the header or in a form, not in both, never in the
 * query. */
static bool
collect_token(struct token_call *call, struct span *text_r)
{
	struct span header = bearer_of(call->http->authorization);
	struct span field = token_call_field(call, "access_token");

	if (span_present(header) && span_present(field))
		return refuse_request(
		    call, "The access token was sent in two ways at once.");
	*text_r = span_present(header) ? header : field;
	return span_present(*text_r) || refuse_unauthenticated(call);
}

static bool
find_token(struct token_call *call, struct presented_token *token_r)
{
	struct span text = {NULL, 0};
	enum err err;

	if (!collect_token(call, &text))
		return false;
	err =
	    presented_token_find(call->oauth, text, call->http->arena, token_r);
	if (err != OK && err != ERR_NOT_FOUND)
		return token_call_fail(call, err);
	if (err != OK || token_r->row.kind != TOKEN_ACCESS ||
	    !presented_token_is_alive(token_r, clock_wall_secs()))
		return refuse_token(call);
	if (token_r->row.idp[0] == '\0' ||
	    !scope_has(span_str(token_r->row.scope), span_str("openid")))
		return refuse_scope(call);
	return true;
}

/* ---- the answer -----------------------------------------------------------
 */

/* OIDC Core section 5.3.2: sub always. */
static void
append_claims(const struct subject *subject, struct buf *body)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(body, &first, "sub", span_str(subject->sub));
	if (subject->claims.len > 0) {
		buf_append_char(body, ',');
		buf_append_span(body, subject->claims);
	}
	buf_append_char(body, '}');
}

static void
run_userinfo(struct token_call *call)
{
	struct presented_token token;
	struct subject subject;
	enum err err;

	if (!find_token(call, &token))
		return;
	err = presented_token_subject(
	    call->oauth, &token, call->http->arena, &subject);
	if (err != OK) {
		(void)token_call_fail(call, err);
		return;
	}
	append_claims(&subject, &call->response->body);
	token_call_decided(call, "active", &token.row, NULL);
}

void
userinfo_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	struct token_call call;

	if (token_call_begin(&call, "userinfo", context, request, response))
		run_userinfo(&call);
	else if (response->status == 400) /* a malformed form */
		response->www_authenticate = CHALLENGE_REQUEST;
	token_call_end(&call);
}
