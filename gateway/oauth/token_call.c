/*
 * The shared course of the endpoints about tokens; see token_call.h. Not what
 * any of them does. Runs on HTTP worker threads.
 */
#include "gateway/oauth/token_call.h"

#include <string.h>

#include "common/log.h"
#include "common/metric.h"
#include "gateway/oauth/client_auth.h"
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

void
token_call_decided(const struct token_call *call, const char *outcome,
    const struct store_token_view *token, const char *detail)
{
	const char *caller = caller_of(call);
	char grant[ROW_ID_BYTES] = "";

	if (token != NULL)
		row_id_make(
		    call->oauth->vault, ROW_ID_GRANT, token->grant, grant);
	metric_count(M_TOKEN_REQUESTS, call->endpoint, outcome);
	log_info("token decision", LOG_STR("endpoint", call->endpoint),
	    LOG_STR("outcome", outcome), LOG_STR("client", caller),
	    LOG_STR("token_client", token == NULL ? NULL : token->client_id),
	    LOG_STR("grant", token == NULL ? NULL : grant),
	    LOG_STR("detail", detail),
	    LOG_STR("correlation_id", call->http->correlation_id));
}

bool
token_call_refuse(
    struct token_call *call, enum problem problem, const char *description)
{
	token_call_decided(call, http_problem_code(problem), NULL, description);
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
	    err == ERR_NOMEM ? PROBLEM_TOO_LARGE : PROBLEM_INVALID_REQUEST,
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
	if (err != OK)
		return token_call_refuse(
		    call, PROBLEM_INVALID_CLIENT_401, NULL);
	return true;
}

bool
token_call_check_client(struct token_call *call)
{
	struct credentials credentials;

	if (!collect(call, &credentials))
		return false;
	call->client =
	    client_authenticate(call->oauth, call->realm, &credentials);
	if (call->client == NULL)
		return token_call_refuse(
		    call, PROBLEM_INVALID_CLIENT_401, NULL);
	return true;
}

bool
token_call_check_api_client(struct token_call *call, unsigned scope)
{
	struct credentials credentials;

	if (!collect(call, &credentials))
		return false;
	call->api_client =
	    api_client_authenticate(call->oauth, call->realm, &credentials);
	if (call->api_client == NULL)
		return token_call_refuse(
		    call, PROBLEM_INVALID_CLIENT_401, NULL);
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
