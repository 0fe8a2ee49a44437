/*
 * The shared course of the endpoints about tokens; see token_call.h. Not what
 * any of them does. Runs on HTTP worker threads.
 */
#include "gateway/oauth/token_call.h"

#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/oauth/client_assertion.h"
#include "gateway/oauth/client_auth.h"
#include "gateway/oauth/event.h"
#include "gateway/oauth/row_id.h"

/* ---- decisions ------------------------------------------------------------
 */

/* Who asks; NULL before that is known. */
static const char *
caller_of(const struct token_call *call)
{
	if (call->client != NULL)
		return call->client->client_id;
	return call->api_client != NULL ? call->api_client->client_id : NULL;
}

/* EVENT_TYPES: this decision is none. */
static enum event_type
event_of_decision(const char *endpoint, const char *outcome)
{
	static const struct {
		const char *endpoint;
		const char *outcome; /* NULL: every other */
		enum event_type type;
	} rows[] = {
	    {"token", "issued", EVENT_TOKEN_REQUEST_SUCCESS},
	    {"token", "reissued", EVENT_TOKEN_REQUEST_SUCCESS},
	    {"token", "reuse", EVENT_TOKEN_REQUEST_REUSE},
	    {"token", NULL, EVENT_TOKEN_REQUEST_FAILED},
	    {"revoke", "revoked", EVENT_TOKEN_REVOKE_SUCCESS},
	    {"revoke", NULL, EVENT_TOKEN_REVOKE_FAILED},
	    {"introspect", "active", EVENT_TOKEN_INTROSPECTION_SUCCESS},
	    {"introspect", "inactive", EVENT_TOKEN_INTROSPECTION_INACTIVE},
	    {"userinfo", "active", EVENT_USERINFO_SUCCESS},
	    {"user_tokens", "revoked", EVENT_USER_TOKENS_DELETED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].endpoint, endpoint) == 0 &&
		    (rows[i].outcome == NULL ||
			strcmp(rows[i].outcome, outcome) == 0))
			return rows[i].type;
	return EVENT_TYPES;
}

static void
record_event(const struct token_call *call, enum event_type type,
    const struct store_token_view *token, const char *detail)
{
	const char *caller = caller_of(call);
	struct event event = event_of(call->http, type);

	event.client_id = span_str(
	    caller == NULL && token != NULL ? token->client_id : caller);
	event.sub = token != NULL ? token->sub : call->sub;
	if (token != NULL && token->idp[0] != '\0')
		event.idp = token->idp;
	event.detail = detail;
	/* A thief must not be able to hide the theft in a crash. */
	if (type != EVENT_TOKEN_REQUEST_REUSE)
		event_record(call->oauth->events, &event);
	else if (event_record_now(call->oauth->events, &event) != OK)
		log_warn("event not stored", LOG_STR("event", event_name(type)),
		    LOG_STR("correlation_id", call->http->correlation_id));
}

static void
log_decision(const struct token_call *call, const char *outcome,
    const struct store_token_view *token, const char *detail)
{
	char grant[ROW_ID_BYTES] = "";

	if (token != NULL)
		row_id_make(
		    call->oauth->vault, ROW_ID_GRANT, token->grant, grant);
	if (caller_of(call) != NULL)
		call->response->client =
		    arena_strdup(call->http->arena, caller_of(call));
	if (token != NULL && token->idp[0] != '\0')
		call->response->idp =
		    arena_strdup(call->http->arena, token->idp);
	metric_count(M_TOKEN_REQUESTS, call->endpoint, outcome);
	log_info("token decision", LOG_STR("endpoint", call->endpoint),
	    LOG_STR("outcome", outcome), LOG_STR("client", caller_of(call)),
	    LOG_STR("token_client", token == NULL ? NULL : token->client_id),
	    LOG_STR("grant", token == NULL ? NULL : grant),
	    LOG_STR("detail", detail),
	    LOG_STR("correlation_id", call->http->correlation_id));
}

void
token_call_decided(const struct token_call *call, const char *outcome,
    const struct store_token_view *token, const char *detail)
{
	enum event_type type = event_of_decision(call->endpoint, outcome);

	log_decision(call, outcome, token, detail);
	if (type != EVENT_TYPES)
		record_event(call, type, token,
		    detail != NULL || token != NULL ? detail : outcome);
}

bool
token_call_refuse(
    struct token_call *call, enum problem problem, const char *description)
{
	const char *code = http_problem_code(problem);
	enum event_type type = event_of_decision(call->endpoint, code);

	log_decision(call, code, NULL, description);
	/* Who could not say who it is left an event of its own (client_auth),
	 * which a stranger must not be able to double. */
	if (type != EVENT_TYPES && caller_of(call) != NULL)
		record_event(call, type, NULL, code);
	http_problem(call->response, problem, description);
	return false;
}

bool
token_call_fail(struct token_call *call, enum err err)
{
	log_error("token request failed", LOG_STR("endpoint", call->endpoint),
	    LOG_STR("error", err_sentence(err)),
	    LOG_STR("correlation_id", call->http->correlation_id));
	return token_call_refuse(call,
	    err == ERR_IO || err == ERR_FULL ? PROBLEM_UNAVAILABLE
					     : PROBLEM_INTERNAL,
	    NULL);
}

/* ---- beginning ------------------------------------------------------------
 */

static bool
read_form(struct token_call *call)
{
	enum err err;

	if (call->http->body_type != HTTP_BODY_FORM)
		return true;
	err = http_form_parse(call->http->body, call->http->arena, &call->form);
	if (err == OK)
		return true;
	/* RFC 6749 section 3.2: parameters must not come more than once. */
	return token_call_refuse(call,
	    err == ERR_NOMEM ? PROBLEM_UNAVAILABLE : PROBLEM_INVALID_REQUEST,
	    err == ERR_NOMEM     ? NULL
	    : err == ERR_INVALID ? "The form has a field twice."
				 : "The form is malformed.");
}

bool
token_call_begin(struct token_call *call, const char *endpoint,
    const struct oauth *oauth, const struct http_request *http,
    struct http_response *response)
{
	*call = (struct token_call){.oauth = oauth,
	    .http = http,
	    .response = response,
	    .endpoint = endpoint};
	call->realm = realm_acquire(oauth->realms);
	if (call->realm == NULL)
		return token_call_refuse(call, PROBLEM_UNAVAILABLE, NULL);
	return read_form(call);
}

void
token_call_end(struct token_call *call)
{
	realm_release(call->realm);
}

struct span
token_call_field(const struct token_call *call, const char *name)
{
	struct span value = http_form_get(&call->form, name);

	return value.len > 0 ? value : (struct span){NULL, 0};
}

/* ---- who asks --------------------------------------------------------------
 */

static bool
collect(struct token_call *call, struct credentials *credentials_r)
{
	struct err_detail detail = {0};
	enum err err;

	err = credentials_collect(call->http,
	    token_call_field(call, "client_id"),
	    token_call_field(call, "client_secret"), credentials_r, &detail);
	if (err == ERR_INVALID)
		return token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, err_text(&detail, err));
	if (err == ERR_NOMEM)
		return token_call_refuse(call, PROBLEM_UNAVAILABLE, NULL);
	return err == OK ||
	       token_call_refuse(call, PROBLEM_INVALID_CLIENT_401, NULL);
}

/* What checking credentials said; false: answered. */
static bool
settle_check(
    struct token_call *call, enum err err, const struct err_detail *detail)
{
	if (err == OK)
		return true;
	if (err == ERR_INVALID)
		return token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, err_text(detail, err));
	return token_call_refuse(call,
	    err == ERR_UNAVAILABLE || err == ERR_NOMEM
		? PROBLEM_UNAVAILABLE
		: PROBLEM_INVALID_CLIENT_401,
	    NULL);
}

/* Where this endpoint is, which an assertion may name as its audience; NULL: no
 * memory. */
static const char *
endpoint_url(const struct token_call *call)
{
	const char *base = call->oauth->default_issuer;
	size_t len = strlen(base), suffix_len = strlen("/oauth");

	CHECK(len > suffix_len);
	return arena_printf(call->http->arena, "%.*s%s",
	    (int)(len - suffix_len), base, call->http->path);
}

static bool
check_assertion(struct token_call *call, const struct client_assertion *sent)
{
	struct err_detail detail = {0};
	const char *url = endpoint_url(call);
	enum err err;

	/* RFC 6749 section 2.3: one method in each request. */
	if (span_present(token_call_field(call, "client_secret")))
		return token_call_refuse(call, PROBLEM_INVALID_REQUEST,
		    "Client credentials were sent in two ways at once.");
	if (url == NULL)
		return token_call_fail(call, ERR_NOMEM);
	err = client_assertion_authenticate(call->oauth, call->realm,
	    call->http, sent, url, &call->client, &detail);
	return settle_check(call, err, &detail);
}

bool
token_call_check_client(struct token_call *call)
{
	const struct client_assertion sent = {
	    .type = token_call_field(call, "client_assertion_type"),
	    .assertion = token_call_field(call, "client_assertion"),
	    .client_id = token_call_field(call, "client_id")};
	struct credentials credentials;

	if (client_assertion_is_sent(&sent))
		return check_assertion(call, &sent);
	if (!collect(call, &credentials))
		return false;
	return settle_check(call,
	    client_check(call->oauth, call->realm, &credentials, &call->client),
	    NULL);
}

bool
token_call_check_api_client(struct token_call *call, unsigned scope)
{
	struct credentials credentials;
	enum err err;

	if (!collect(call, &credentials))
		return false;
	err = api_client_check(
	    call->oauth, call->realm, &credentials, &call->api_client);
	if (!settle_check(call, err, NULL))
		return false;
	if ((call->api_client->scopes & scope) != scope)
		return token_call_refuse(
		    call, PROBLEM_INSUFFICIENT_PERMISSIONS, NULL);
	return true;
}

bool
token_call_check_writable(struct token_call *call)
{
	return store_is_writable(call->oauth->store) ||
	       token_call_refuse(call, PROBLEM_UNAVAILABLE, NULL);
}

/* ---- what it is about ------------------------------------------------------
 */

bool
token_call_find(struct token_call *call, struct presented_token *room,
    const struct presented_token **token_r)
{
	struct span text = token_call_field(call, "token");
	enum err err;

	*token_r = NULL;
	if (!span_present(text))
		return token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, "token is missing.");
	err = presented_token_find(call->oauth, text, call->http->arena, room);
	if (err != OK && err != ERR_NOT_FOUND)
		return token_call_fail(call, err);
	if (err == OK)
		*token_r = room;
	return true;
}
