/*
 * The shared course of a registration call; see call.h.
 */
#include "gateway/oauth/call.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/shadow.h"
#include "gateway/oauth/client_assertion.h"
#include "gateway/oauth/client_auth.h"
#include "gateway/oauth/event.h"

#define STATELESS_GRANT \
	"urn:onewelcome:oauth2:grant_type:stateless_authentication"

/* What callers are told to wait when there is no engine or queue slot: an
 * engine is back within a second or two. */
#define RETRY_AFTER_SECS 2

/* What the job message has room for (messages.def). */
#define CUSTOM_PARAMS_BYTES_MAX (128 * 1024)

static bool
refuse(struct call *call, enum problem problem, const char *description)
{
	http_problem(call->response, problem, description);
	return false;
}

static bool
unavailable(struct call *call)
{
	metric_count(M_REGISTRATIONS, call->step, "unavailable");
	call->response->retry_after_secs = RETRY_AFTER_SECS;
	return refuse(call, PROBLEM_UNAVAILABLE, NULL);
}

bool
call_begin(struct call *call, const struct oauth *oauth, enum script_kind kind,
    const struct http_request *http, struct http_response *response)
{
	struct err_detail detail = {0};
	enum err err;

	*call = (struct call){.oauth = oauth,
	    .http = http,
	    .response = response,
	    .kind = kind,
	    .step = script_kind_name(kind)};
	call->realm = realm_acquire(oauth->realms);
	if (call->realm == NULL) {
		response->retry_after_secs = RETRY_AFTER_SECS;
		return refuse(call, PROBLEM_UNAVAILABLE, NULL);
	}
	err = registration_request_parse(http, &call->body, &detail);
	if (err == ERR_NOMEM || err == ERR_UNAVAILABLE)
		return unavailable(call);
	if (err != OK)
		return refuse(
		    call, PROBLEM_INVALID_REQUEST, err_text(&detail, err));
	return true;
}

void
call_end(struct call *call)
{
	if (call->job != NULL)
		dispatch_cancel(call->oauth->dispatch, call->job);
	realm_release(call->realm);
}

/* False: answered. */
static bool
collect(struct call *call, struct credentials *credentials_r)
{
	struct err_detail detail = {0};
	enum err err;

	err = credentials_collect(call->http, call->body.client_id,
	    call->body.client_secret, credentials_r, &detail);
	if (err == ERR_INVALID)
		return refuse(
		    call, PROBLEM_INVALID_REQUEST, err_text(&detail, err));
	if (err == ERR_NOMEM)
		return unavailable(call);
	if (err != OK)
		return refuse(call, PROBLEM_INVALID_CLIENT, NULL);
	return true;
}

/* Told to the log too, which outlives the realm's snapshot. */
static void
set_caller(struct call *call, const char *client_id)
{
	call->caller_id = client_id;
	call->response->client = arena_strdup(call->http->arena, client_id);
}

/* False: answered. */
static bool
passed(struct call *call, enum err err)
{
	if (err == OK) {
		if (call->client != NULL)
			set_caller(call, call->client->client_id);
		return true;
	}
	if (err == ERR_UNAVAILABLE || err == ERR_NOMEM)
		return unavailable(call);
	return refuse(call, PROBLEM_INVALID_CLIENT, NULL);
}

/* The method of the v2 paths (RFC 7523); the audience is the issuer. */
static bool
check_assertion(struct call *call)
{
	const struct client_assertion sent = {
	    .type = call->body.client_assertion_type,
	    .assertion = call->body.client_assertion,
	    .client_id = call->body.assertion_client_id};
	struct err_detail detail = {0};
	enum err err;

	if (!client_assertion_is_sent(&sent) &&
	    !span_present(call->http->authorization))
		return refuse(call, PROBLEM_INVALID_CLIENT, NULL);
	err = client_assertion_authenticate(call->oauth, call->realm,
	    call->http, &sent, NULL, &call->client, &detail);
	if (err == ERR_INVALID)
		return refuse(
		    call, PROBLEM_INVALID_REQUEST, err_text(&detail, err));
	return passed(call, err);
}

bool
call_check_client(struct call *call)
{
	struct credentials credentials;

	if (call->by_assertion)
		return check_assertion(call);
	if (!collect(call, &credentials))
		return false;
	return passed(call, client_check(call->oauth, call->realm, &credentials,
				&call->client));
}

bool
call_check_api_client(struct call *call, unsigned scope)
{
	const struct realm_api_client *api_client = NULL;
	struct credentials credentials;

	if (!collect(call, &credentials))
		return false;
	if (!passed(call, api_client_check(call->oauth, call->realm,
			      &credentials, &api_client)))
		return false;
	set_caller(call, api_client->client_id);
	if ((api_client->scopes & scope) != scope)
		return refuse(call, PROBLEM_INSUFFICIENT_PERMISSIONS, NULL);
	return true;
}

bool
call_check_idp(struct call *call)
{
	call->idp = realm_idp(call->realm, call->http->idp);
	if (call->idp == NULL)
		return refuse(call, PROBLEM_INVALID_IDP, NULL);
	call->response->idp =
	    arena_strdup(call->http->arena, call->idp->identifier);
	if (!call->idp->enabled)
		return refuse(call, PROBLEM_IDP_DISABLED, NULL);
	if (call->client != NULL && !string_set_has(&call->client->idps,
					span_str(call->idp->identifier)))
		return refuse(call, PROBLEM_IDP_DISABLED, NULL);
	return true;
}

static bool
check_grant_type(struct call *call)
{
	if (!span_present(call->body.grant_type))
		return true;
	if (!span_is(call->body.grant_type, STATELESS_GRANT))
		return refuse(call, PROBLEM_INVALID_REQUEST,
		    "This grant_type is not one that the endpoint takes.");
	if (call->client == NULL || !call->client->grant_stateless)
		return refuse(call, PROBLEM_INVALID_REQUEST,
		    "This client may not use stateless authentication.");
	return true;
}

bool
call_check_body(struct call *call)
{
	int64_t data_kib = call->idp->release->limits.data_kib;

	if (call->body.wrong_field != NULL)
		return refuse(
		    call, PROBLEM_INVALID_REQUEST, call->body.wrong_field);
	if (call->body.data.len > (size_t)data_kib * 1024)
		return refuse(call, PROBLEM_TOO_LARGE,
		    "data is larger than this identity provider takes.");
	if (call->body.custom_params.len > CUSTOM_PARAMS_BYTES_MAX)
		return refuse(call, PROBLEM_TOO_LARGE,
		    "hook_context_custom_params is too large.");
	return check_grant_type(call);
}

/* ---- events ---------------------------------------------------------------
 */

static const enum event_type script_errors[SCRIPT_KINDS] = {
    [SCRIPT_INIT] = EVENT_INIT_SCRIPT_ERROR,
    [SCRIPT_COMPLETE] = EVENT_COMPLETE_SCRIPT_ERROR,
    [SCRIPT_BACKCHANNEL] = EVENT_BACKCHANNEL_SCRIPT_ERROR,
};

void
call_event(const struct call *call, enum event_type type, const char *detail)
{
	struct event event = event_of(call->http, type);

	event.client_id = span_str(call->caller_id);
	event.sub = call->sub;
	event.idp = call->idp->identifier;
	event.release = call->release == NULL ? call->idp->release->hash
					      : call->release->hash;
	event.detail = detail;
	event_record(call->oauth->events, &event);
}

/* ---- admission ------------------------------------------------------------
 */

static struct attempt_source
source_of(const struct call *call)
{
	return (struct attempt_source){
	    call->client->client_id, call->idp->identifier, call->http->source};
}

static bool
check_attempts(struct call *call)
{
	struct attempt_source source;
	int64_t wait_secs;

	if (call->client == NULL)
		return true;
	source = source_of(call);
	wait_secs = attempt_limit_check(call->oauth->attempts, &source,
	    call->realm->attempts_per_source_4xx);
	if (wait_secs == 0)
		return true;
	metric_count(M_ATTEMPTS_REFUSED, call->idp->identifier, NULL);
	call_event(call, EVENT_TOO_MANY_ATTEMPTS, NULL);
	call->response->retry_after_secs = (int)wait_secs;
	return refuse(call, PROBLEM_TOO_MANY_ATTEMPTS, NULL);
}

bool
call_admit(struct call *call)
{
	const struct dispatch_caller caller = {
	    call->caller_id, call->http->source};
	enum refusal refusal;

	if (!check_attempts(call))
		return false;
	if (!store_is_writable(call->oauth->store))
		return unavailable(call);
	if (dispatch_admit(call->oauth->dispatch, call->idp, &caller,
		call->http->deadline_us, &call->job, &refusal) != OK)
		return unavailable(call);
	return true;
}

/* ---- running --------------------------------------------------------------
 */

void
call_execution(const struct call *call, const struct release *release,
    enum script_kind kind, struct execution *execution_r)
{
	*execution_r = (struct execution){
	    .realm = call->realm,
	    .idp = call->idp,
	    .release = release,
	    .kind = kind,
	    .correlation_id = call->http->correlation_id,
	    .data = call->body.data,
	    .custom_params = call->body.custom_params,
	    .wants_recording = shadow_wants(
		dispatch_shadow(call->oauth->dispatch), call->idp, release),
	};
	trace_child(&call->http->trace, &execution_r->trace);
}

bool
call_run(struct call *call, const struct execution *execution,
    struct execution_result *result_r, bool *started_r)
{
	struct job *job = call->job;
	enum err err;

	call->job = NULL;
	err = dispatch_run(
	    call->oauth->dispatch, job, execution, call->http->arena, result_r);
	*started_r = err != ERR_UNAVAILABLE;
	if (err == OK && execution->wants_recording) {
		call->response->sent = shadow_submit;
		call->response->sent_user =
		    shadow_item_new(dispatch_shadow(call->oauth->dispatch),
			execution, result_r);
	}
	if (err == ERR_UNAVAILABLE)
		return unavailable(call);
	if (err == OK && result_r->code == SCRIPT_OK) {
		call->execution = execution;
		call->result = result_r;
		return true;
	}
	metric_count(M_REGISTRATIONS, call->step, "script_error");
	call_event(call, script_errors[call->kind],
	    script_code_name(err == OK ? result_r->code : SCRIPT_LOST));
	return refuse(call, PROBLEM_INTERNAL, NULL);
}

/* The record said that it went well. */
static void
amend_record(struct call *call, enum script_code code, const char *sentence)
{
	struct execution_result result;

	if (call->result == NULL)
		return;
	result = *call->result;
	result.code = code;
	result.message = sentence;
	dispatch_amend_record(call->oauth->dispatch, call->execution, &result);
}

static void
log_code(struct call *call, enum script_code code, const char *sentence)
{
	amend_record(call, code, sentence);
	log_warn("execution refused",
	    LOG_STR("correlation_id", call->http->correlation_id),
	    LOG_STR("idp", call->idp->identifier),
	    LOG_STR("script", call->step), LOG_INT("code", code),
	    LOG_STR("name", script_code_name(code)),
	    LOG_STR("message", sentence));
	metric_count(M_REGISTRATIONS, call->step, "script_error");
	call_event(call, script_errors[call->kind], script_code_name(code));
	http_problem(call->response, PROBLEM_INTERNAL, NULL);
}

void
call_bad_result(struct call *call, const char *sentence)
{
	log_code(call, SCRIPT_BAD_RESULT, sentence);
}

void
call_no_script(struct call *call, enum script_kind kind)
{
	(void)kind;
	metric_count(M_EXECUTIONS, call->idp->identifier,
	    script_code_name(SCRIPT_MISSING));
	log_code(call, SCRIPT_MISSING, script_code_sentence(SCRIPT_MISSING));
}

void
call_count_failure(struct call *call)
{
	struct attempt_source source = source_of(call);

	attempt_limit_count(
	    call->oauth->attempts, &source, call->realm->attempts_window_secs);
}

void
call_count_outcome(struct call *call, unsigned status)
{
	static const enum event_type success[SCRIPT_KINDS] = {
	    [SCRIPT_INIT] = EVENT_INIT_SUCCESS,
	    [SCRIPT_COMPLETE] = EVENT_COMPLETE_SUCCESS,
	    [SCRIPT_BACKCHANNEL] = EVENT_BACKCHANNEL_SUCCESS,
	};
	static const enum event_type failed[SCRIPT_KINDS] = {
	    [SCRIPT_INIT] = EVENT_INIT_FAILED,
	    [SCRIPT_COMPLETE] = EVENT_COMPLETE_FAILED,
	    [SCRIPT_BACKCHANNEL] = EVENT_BACKCHANNEL_FAILED,
	};
	char text[16];

	snprintf(text, sizeof text, "%u", status);
	call_event(call,
	    status < 3000 ? success[call->kind] : failed[call->kind], text);
	metric_count(M_REGISTRATIONS, call->step,
	    status < 3000   ? "success"
	    : status < 5000 ? "retry"
			    : "fail");
}

void
call_answer_status(struct call *call, const struct execution_result *result)
{
	struct buf *body = &call->response->body;
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_int(body, &first, "status", result->status);
	if (span_present(result->payload))
		json_append_member_str(body, &first, "data", result->payload);
	buf_append_char(body, '}');
}
