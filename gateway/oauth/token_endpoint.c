/*
 * POST /oauth/v1/token and /oauth/token: authenticates the client and picks
 * the grant type (RFC 6749 section 3.2). The grant types have files of their
 * own. Runs on HTTP worker threads.
 */
#include "gateway/oauth/oauth.h"
#include "gateway/oauth/token_grants.h"

static void
run_grant(struct token_call *call)
{
	static const struct {
		const char *name;
		void (*run)(struct token_call *call);
	} grants[] = {
	    {"refresh_token", token_grant_refresh},
	    {"client_credentials", token_grant_client_credentials},
	};
	struct span grant_type = token_call_field(call, "grant_type");

	if (!span_present(grant_type)) {
		(void)token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, "grant_type is missing.");
		return;
	}
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
		if (span_is(grant_type, grants[i].name)) {
			grants[i].run(call);
			return;
		}
	}
	(void)token_call_refuse(call, PROBLEM_UNSUPPORTED_GRANT_TYPE, NULL);
}

void
token_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	struct token_call call;

	if (token_call_begin(&call, "token", context, request, response) &&
	    token_call_check_client(&call) && token_call_check_writable(&call))
		run_grant(&call);
	token_call_end(&call);
}
