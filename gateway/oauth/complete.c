/*
 * POST .../complete: claims the transaction (two-step), runs complete, and
 * turns a 2xxx into a grant (grant.c). Whatever happens, a claim is settled.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/oauth/call.h"
#include "gateway/oauth/grant.h"
#include "gateway/oauth/registration_state.h"
#include "gateway/oauth/tokens.h"
#include "gateway/store/store_transaction.h"

/* ---- scope and profile -----------------------------------------------------
 */

/* False: answered invalid_scope. */
static bool
check_scope(struct call *call, struct string_list *granted_r)
{
	const struct registration_request *body = &call->body;

	if (grant_scope(call->client, body->scopes, body->scope_count,
		call->http->arena, granted_r) == OK)
		return true;
	http_problem(call->response, PROBLEM_INVALID_SCOPE, NULL);
	return false;
}

/* Exactly 6 of A-Z 0-9. */
static bool
profile_is_valid(struct span profile)
{
	for (size_t i = 0; i < profile.len; i++) {
		uint8_t c = profile.data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
	}
	return profile.len == 6;
}

static bool
check_profile(struct call *call)
{
	struct span profile = call->body.profile_id;
	bool sent = span_present(profile), right = true;

	if (call->client->profile == PROFILE_NONE)
		right = !sent;
	else if (sent)
		right = profile_is_valid(profile);
	else
		right = call->client->profile != PROFILE_REQUIRED;
	if (!right)
		http_problem(call->response, PROBLEM_INVALID_PROFILE, NULL);
	return right;
}

/* ---- the transaction --------------------------------------------------------
 */

/* A claim in force; number 0: there is none (one-step). */
struct claim {
	uint64_t number;
	const struct release *release;
	struct release *owned; /* frees with the claim; may be NULL */
	struct span registration_data;
};

static bool
refuse_transaction(struct call *call, bool tampered)
{
	call_event(call,
	    tampered ? EVENT_COMPLETE_TRANSACTION_TAMPERING
		     : EVENT_COMPLETE_INVALID_TRANSACTION,
	    NULL);
	metric_count(M_TRANSACTIONS, "refused", NULL);
	http_problem(call->response, PROBLEM_INVALID_TRANSACTION, NULL);
	return false;
}

static bool
fail_internal(struct call *call, const char *event, enum err err)
{
	log_error(event, LOG_STR("correlation_id", call->http->correlation_id),
	    LOG_STR("error", err_sentence(err)));
	http_problem(call->response, PROBLEM_INTERNAL, NULL);
	return false;
}

/* Ends a claim without a grant; a settling that fails leaves it claimed, which
 * nobody can use and the next start spends. */
static bool
settle(struct call *call, const struct claim *claim, enum store_settle how)
{
	enum err err;

	if (claim->number == 0)
		return true;
	err = store_transaction_settle(call->oauth->store, claim->number, how);
	metric_count(
	    M_TRANSACTIONS, how == SETTLE_SPEND ? "spent" : "given_back", NULL);
	return err == OK || fail_internal(call, "transaction not settled", err);
}

/* What the claimed row carries; a row that cannot be read is spent. */
static enum err
load_claimed(
    struct call *call, const struct store_claim *row, struct claim *claim)
{
	enum err err;

	err = registration_release(call->oauth, call->idp, row->release,
	    &claim->release, &claim->owned);
	if (err == OK && row->registration_data != NULL)
		err = registration_state_open(call->oauth->vault, row->number,
		    span_of(row->registration_data, row->registration_data_len),
		    call->http->arena, &claim->registration_data);
	return err;
}

/* False: answered; what `claim_r` owns by then is the caller's all the same.
 */
static bool
take_claim(struct call *call, struct claim *claim_r)
{
	struct store_claim row = {.client_id = call->client->client_id,
	    .idp = call->idp->identifier,
	    .now = clock_wall_secs()};
	struct token id;
	enum err err;

	if (token_parse(call->oauth->vault, call->body.transaction_id, &id) !=
	    OK)
		return refuse_transaction(call, false);
	row.number = id.number;
	memcpy(row.hash, id.hash, sizeof row.hash);
	err = store_transaction_claim(call->oauth->store, &row);
	if (err == ERR_NOT_FOUND)
		return refuse_transaction(call, row.tampered);
	if (err != OK)
		return fail_internal(call, "transaction not claimed", err);
	metric_count(M_TRANSACTIONS, "claimed", NULL);
	claim_r->number = row.number;
	err = load_claimed(call, &row, claim_r);
	free(row.registration_data);
	if (err == OK)
		return true;
	(void)settle(call, claim_r, SETTLE_SPEND);
	return fail_internal(call, "transaction cannot be read", err);
}

/* ---- after the script -------------------------------------------------------
 */

static void
answer_granted(struct call *call, const struct claim *claim,
    const struct execution_result *result, const struct string_list *scopes)
{
	const struct grant_request request = {
	    .call = call,
	    .result = result,
	    .scopes = scopes,
	    .release = claim->release,
	    .transaction = claim->number,
	};

	if (grant_issue(&request)) {
		if (claim->number != 0)
			metric_count(M_TRANSACTIONS, "spent", NULL);
		return;
	}
	(void)settle(call, claim, SETTLE_SPEND);
}

static void
settle_outcome(struct call *call, const struct claim *claim,
    const struct execution_result *result, const struct string_list *scopes)
{
	bool again = result->status >= 4000 && result->status < 5000;

	if (result->status < 3000) {
		answer_granted(call, claim, result, scopes);
		return;
	}
	if (again)
		call_count_failure(call);
	if (!settle(call, claim, again ? SETTLE_GIVE_BACK : SETTLE_SPEND))
		return;
	call_count_outcome(call, result->status);
	call_answer_status(call, result);
}

static void
run_claimed(struct call *call, const struct claim *claim,
    const struct string_list *scopes)
{
	struct execution_result result;
	struct execution execution;
	bool started;

	call->release = claim->release;
	/* A realm without complete is refused, but this may be a release that
	 * came out of the store. */
	if (claim->release->scripts[SCRIPT_COMPLETE] == NULL) {
		call_no_script(call, SCRIPT_COMPLETE);
		(void)settle(call, claim, SETTLE_SPEND);
		return;
	}
	call_execution(call, claim->release, SCRIPT_COMPLETE, &execution);
	execution.registration_data = claim->registration_data;
	if (call_run(call, &execution, &result, &started)) {
		settle_outcome(call, claim, &result, scopes);
		return;
	}
	/* Nothing ran: the caller may try again. Else it is spent, since what
	 * the script did outside is not known to be undone. */
	(void)settle(call, claim, started ? SETTLE_SPEND : SETTLE_GIVE_BACK);
}

static void
run_complete(struct call *call, const struct string_list *scopes)
{
	struct claim claim = {.release = call->idp->release};

	if (!call_admit(call))
		return;
	if (!call->idp->two_step || take_claim(call, &claim))
		run_claimed(call, &claim, scopes);
	free(claim.owned);
}

static bool
check_transaction_sent(struct call *call)
{
	if (!call->idp->two_step || span_present(call->body.transaction_id))
		return true;
	http_problem(call->response, PROBLEM_INVALID_REQUEST,
	    "transaction_id is missing: this identity provider is two-step.");
	return false;
}

static void
handle(void *context, const struct http_request *request,
    struct http_response *response, bool by_assertion)
{
	struct string_list scopes;
	struct call call;

	if (call_begin(&call, context, SCRIPT_COMPLETE, request, response)) {
		call.by_assertion = by_assertion;
		if (call_check_client(&call) && call_check_idp(&call) &&
		    call_check_body(&call) && check_transaction_sent(&call) &&
		    check_scope(&call, &scopes) && check_profile(&call))
			run_complete(&call, &scopes);
	}
	call_end(&call);
}

void
complete_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, false);
}

void
complete_v2_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, true);
}
