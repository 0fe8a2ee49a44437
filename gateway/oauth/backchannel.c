/*
 * POST .../backchannel: an API client runs the IdP's backchannel script. No
 * transaction; what it leaves for complete goes through CACHE.
 */
#include "gateway/oauth/call.h"

static void
run_backchannel(struct call *call)
{
	struct execution_result result;
	struct execution execution;
	bool started;

	if (call->idp->release->scripts[SCRIPT_BACKCHANNEL] == NULL) {
		call_no_script(call, SCRIPT_BACKCHANNEL);
		return;
	}
	if (!call_admit(call))
		return;
	call_execution(
	    call, call->idp->release, SCRIPT_BACKCHANNEL, &execution);
	if (!call_run(call, &execution, &result, &started))
		return;
	call_count_outcome(call, result.status);
	call_answer_status(call, &result);
}

void
backchannel_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	struct call call;

	if (call_begin(&call, context, SCRIPT_BACKCHANNEL, request, response) &&
	    call_check_api_client(&call, API_USER_REGISTRATION) &&
	    call_check_idp(&call) && call_check_body(&call))
		run_backchannel(&call);
	call_end(&call);
}
