/*
 * POST /oauth/api/v2/token/introspect (RFC 7662) and v1, whose `exp` is the
 * seconds left; as a signed JWT where Accept asks for it (RFC 9701).
 * Runs on HTTP worker threads.
 */
#include <string.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "gateway/oauth/row_id.h"
#include "gateway/oauth/token_call.h"

#define JWT_TYPE       "token-introspection+jwt"
#define JWT_MEDIA_TYPE "application/" JWT_TYPE

/* A user object at its limit, escaped, and the members around it. */
#define ANSWER_BYTES_MAX (64 * 1024)

struct introspection {
	struct token_call *call;
	const struct presented_token *token; /* NULL: inactive */
	struct subject subject;
	bool exp_is_left; /* v1 */
	int64_t now;
};

/* ---- members --------------------------------------------------------------
 */

static void
append_times(const struct introspection *i, struct buf *out, bool *first)
{
	const struct store_token_view *row = &i->token->row;

	json_append_member_int(out, first, "exp",
	    i->exp_is_left ? row->expires_at - i->now : row->expires_at);
	json_append_member_int(out, first, "iat", row->issued_at);
}

/* What the script said of the user; a client's own token has no user. */
static void
append_user(const struct introspection *i, struct buf *out, bool *first)
{
	if (i->token->row.idp[0] == '\0')
		return;
	if (span_present(i->subject.amr))
		json_append_member_raw(out, first, "amr", i->subject.amr);
	json_append_key(out, first, "user_details");
	buf_append_char(out, '{');
	buf_append_span(out, i->subject.claims);
	buf_append_char(out, '}');
}

static void
append_jti(const struct introspection *i, struct buf *out, bool *first)
{
	char jti[ROW_ID_BYTES];

	if (!i->token->place.is_jwt)
		return;
	row_id_make(
	    i->call->oauth->vault, ROW_ID_TOKEN, i->token->place.number, jti);
	json_append_member_str(out, first, "jti", span_str(jti));
}

/* RFC 7662 section 2.2. token_type is that of RFC 6749 section 5.1, which a
 * refresh token has none of. */
static void
append_active(const struct introspection *i, struct buf *out)
{
	const struct store_token_view *row = &i->token->row;
	struct token_call *call = i->call;
	bool first = false;

	buf_append_str(out, "{\"active\":true");
	json_append_member_str(out, &first, "scope", span_str(row->scope));
	json_append_member_str(
	    out, &first, "client_id", span_str(row->client_id));
	json_append_member_str(out, &first, "sub", span_str(row->sub));
	if (row->kind == TOKEN_ACCESS)
		json_append_member_str(
		    out, &first, "token_type", span_str("bearer"));
	append_times(i, out, &first);
	json_append_member_str(out, &first, "iss",
	    span_str(oauth_issuer(call->oauth, call->realm)));
	append_jti(i, out, &first);
	append_user(i, out, &first);
	buf_append_char(out, '}');
}

static void
append_introspection(const struct introspection *i, struct buf *out)
{
	/* Section 2.2: nothing more is said of a token that is not active. */
	if (i->token == NULL)
		buf_append_str(out, "{\"active\":false}");
	else
		append_active(i, out);
}

/* ---- the answer -----------------------------------------------------------
 */

static struct span
trim(struct span text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = span_of(text.data + 1, text.len - 1);
	while (text.len > 0 && (text.data[text.len - 1] == ' ' ||
				   text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* Whether the list names the media type itself; ranges such as * / * are
 * everybody's and mean JSON. */
static bool
accepts_jwt(struct span accept)
{
	size_t at = 0;

	while (at < accept.len) {
		struct span item = span_of(accept.data + at, accept.len - at);
		const uint8_t *comma = memchr(item.data, ',', item.len);
		const uint8_t *semicolon;

		if (comma != NULL)
			item.len = (size_t)(comma - item.data);
		at += item.len + 1;
		semicolon = memchr(item.data, ';', item.len);
		if (semicolon != NULL)
			item.len = (size_t)(semicolon - item.data);
		if (span_is(trim(item), JWT_MEDIA_TYPE))
			return true;
	}
	return false;
}

/* RFC 9701 section 5: addressed to the caller, who cannot pass it off as an
 * access token or id_token: neither sub nor exp stand at its top. */
static enum err
answer_jwt(const struct introspection *i)
{
	struct token_call *call = i->call;
	struct buf claims;
	bool first = true;
	enum err err;

	buf_init(&claims, ANSWER_BYTES_MAX);
	buf_append_char(&claims, '{');
	json_append_member_str(&claims, &first, "iss",
	    span_str(oauth_issuer(call->oauth, call->realm)));
	json_append_member_str(
	    &claims, &first, "aud", span_str(call->api_client->client_id));
	json_append_member_int(&claims, &first, "iat", i->now);
	json_append_key(&claims, &first, "token_introspection");
	append_introspection(i, &claims);
	buf_append_char(&claims, '}');
	err = buf_status(&claims);
	if (err == OK)
		err = keyring_sign(call->oauth->keyring, ALG_RS256, JWT_TYPE,
		    buf_span(&claims), &call->response->body);
	buf_wipe(&claims);
	if (err == OK)
		call->response->content_type = JWT_MEDIA_TYPE;
	return err;
}

static void
answer(const struct introspection *i)
{
	struct token_call *call = i->call;
	enum err err = OK;

	if (accepts_jwt(call->http->accept))
		err = answer_jwt(i);
	else
		append_introspection(i, &call->response->body);
	if (err != OK)
		(void)token_call_fail(call, err);
	else
		token_call_decided(call,
		    i->token != NULL ? "active" : "inactive",
		    i->token != NULL ? &i->token->row : NULL, NULL);
}

static void
run_introspect(struct token_call *call, bool exp_is_left)
{
	struct introspection i = {
	    .call = call, .exp_is_left = exp_is_left, .now = clock_wall_secs()};
	struct presented_token room;
	enum err err = OK;

	if (!token_call_find(call, &room, &i.token))
		return;
	if (i.token != NULL && !presented_token_is_alive(i.token, i.now))
		i.token = NULL;
	if (i.token != NULL)
		err = presented_token_subject(
		    call->oauth, i.token, call->http->arena, &i.subject);
	if (err != OK)
		(void)token_call_fail(call, err);
	else
		answer(&i);
}

static void
handle(void *context, const struct http_request *request,
    struct http_response *response, bool exp_is_left)
{
	struct token_call call;

	if (token_call_begin(&call, "introspect", context, request, response) &&
	    token_call_check_api_client(&call, API_TOKEN_INTROSPECTION))
		run_introspect(&call, exp_is_left);
	token_call_end(&call);
}

void
introspect_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, false);
}

void
introspect_v1_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, true);
}
