/*
 * POST .../init: runs init and, after a 2xxx, opens the transaction that
 * complete will claim.
 */
#include <string.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/secret.h"
#include "gateway/oauth/call.h"
#include "gateway/oauth/registration_state.h"
#include "gateway/oauth/tokens.h"
#include "gateway/store/store_transaction.h"

static void
fill_row(const struct call *call, const struct token *id,
    struct store_transaction *row_r)
{
	*row_r = (struct store_transaction){
	    .number = id->number,
	    .client_id = call->client->client_id,
	    .idp = call->idp->identifier,
	    .expires_at =
		clock_wall_secs() + call->realm->transaction_lifetime_secs,
	    .attempts_left = call->realm->transaction_attempts,
	};
	memcpy(row_r->hash, id->hash, sizeof row_r->hash);
	memcpy(row_r->release, call->idp->release->hash, sizeof row_r->release);
}

/* Durable when it returns OK. */
static enum err
open_transaction(struct call *call, const struct execution_result *result,
    const struct token *id)
{
	struct store_transaction row;
	struct buf sealed;
	enum err err = OK;

	fill_row(call, id, &row);
	buf_init(&sealed, REGISTRATION_STATE_SEALED_MAX);
	if (result->registration_data.len > 0) {
		err = registration_state_seal(call->oauth->vault, id->number,
		    result->registration_data, &sealed);
		row.registration_data = buf_span(&sealed);
	}
	if (err == OK)
		err = store_transaction_open(call->oauth->store, &row);
	buf_wipe(&sealed);
	if (err == OK)
		metric_count(M_TRANSACTIONS, "opened", NULL);
	return err;
}

static void
answer_opened(struct call *call, const struct execution_result *result,
    const struct token *id)
{
	struct buf *body = &call->response->body;
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "transaction_id", span_str(id->text));
	if (span_present(result->payload))
		json_append_member_str(body, &first, "data", result->payload);
	json_append_member_int(body, &first, "status", result->status);
	buf_append_char(body, '}');
}

static void
settle_success(struct call *call, const struct execution_result *result)
{
	struct token id;
	enum err err;

	if (result->registration_data.len > REGISTRATION_STATE_MAX) {
		call_bad_result(
		    call, "registrationData is larger than 16 KiB of JSON");
		return;
	}
	token_make(call->oauth->vault,
	    store_next_number(call->oauth->store, SEQUENCE_TRANSACTION), &id);
	err = open_transaction(call, result, &id);
	if (err == OK) {
		call_count_outcome(call, result->status);
		answer_opened(call, result, &id);
	} else {
		log_error("transaction not opened",
		    LOG_STR("correlation_id", call->http->correlation_id),
		    LOG_STR("error", err_sentence(err)));
		http_problem(call->response, PROBLEM_INTERNAL, NULL);
	}
	secret_wipe(&id, sizeof id);
}

static void
run_init(struct call *call)
{
	struct execution_result result;
	struct execution execution;
	bool started;

	if (call->idp->release->scripts[SCRIPT_INIT] == NULL) {
		call_no_script(call, SCRIPT_INIT);
		return;
	}
	if (!call_admit(call))
		return;
	call_execution(call, call->idp->release, SCRIPT_INIT, &execution);
	if (!call_run(call, &execution, &result, &started))
		return;
	if (result.status < 3000) {
		settle_success(call, &result);
		return;
	}
	if (result.status < 5000)
		call_count_failure(call);
	call_count_outcome(call, result.status);
	call_answer_status(call, &result);
}

static bool
check_two_step(struct call *call)
{
	if (call->idp->two_step)
		return true;
	http_problem(call->response, PROBLEM_INVALID_REQUEST,
	    "This identity provider is one-step: call complete only.");
	return false;
}

static void
handle(void *context, const struct http_request *request,
    struct http_response *response, bool by_assertion)
{
	struct call call;

	if (call_begin(&call, context, SCRIPT_INIT, request, response)) {
		call.by_assertion = by_assertion;
		if (call_check_client(&call) && call_check_idp(&call) &&
		    check_two_step(&call) && call_check_body(&call))
			run_init(&call);
	}
	call_end(&call);
}

void
init_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, false);
}

void
init_v2_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, true);
}
