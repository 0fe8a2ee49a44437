/*
 * Records of executions for API clients; see executions.h. Runs on the admin
 * server's workers.
 */
#include "gateway/admin/executions.h"

#include "gateway/admin/admin.h"
#include "gateway/dispatch/record.h"
#include "gateway/oauth/client_auth.h"

/* A list's default and greatest length. */
#define LIST_DEFAULT 50
#define LIST_MAX     1000

static void
answer_check(struct http_response *response, enum err err,
    const struct realm_api_client *client)
{
	if (err == ERR_UNAVAILABLE)
		http_problem(response, PROBLEM_UNAVAILABLE, NULL);
	else if (err != OK)
		http_problem(response, PROBLEM_INVALID_CLIENT_401, NULL);
	else if ((client->scopes & API_ADMIN) == 0)
		http_problem(response, PROBLEM_INSUFFICIENT_PERMISSIONS, NULL);
}

/* Basic credentials of an API client with `admin`. False: answered. */
static bool
is_admin(const struct admin_context *admin, const struct http_request *request,
    struct http_response *response)
{
	const struct span nothing = {NULL, 0};
	const struct realm_api_client *client = NULL;
	struct credentials credentials;
	const struct realm *realm;
	struct err_detail detail;
	bool allowed;
	enum err err;

	err = credentials_collect(
	    request, nothing, nothing, &credentials, &detail);
	if (err != OK) {
		http_problem(response,
		    err == ERR_INVALID ? PROBLEM_INVALID_REQUEST
				       : PROBLEM_INVALID_CLIENT_401,
		    NULL);
		return false;
	}
	realm = realm_acquire(admin->oauth->realms);
	err = api_client_check(admin->oauth, realm, &credentials, &client);
	allowed = err == OK && (client->scopes & API_ADMIN) != 0;
	answer_check(response, err, client);
	realm_release(realm);
	return allowed;
}

/* False: no number from 1 to LIST_MAX. */
static bool
read_max(struct span text, size_t *max_r)
{
	size_t max = 0;

	*max_r = LIST_DEFAULT;
	if (!span_present(text))
		return true;
	if (text.len == 0 || text.len > 4)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		max = max * 10 + (size_t)(text.data[i] - '0');
	}
	*max_r = max;
	return max >= 1 && max <= LIST_MAX;
}

void
executions_list(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct http_form query = {0};
	struct span idp;
	size_t max;

	if (!is_admin(admin, request, response))
		return;
	if (span_present(request->query) &&
	    http_form_parse(request->query, request->arena, &query) != OK) {
		http_problem(response, PROBLEM_INVALID_REQUEST, NULL);
		return;
	}
	idp = http_form_get(&query, "idp");
	if (!span_present(idp) ||
	    !read_max(http_form_get(&query, "max"), &max)) {
		http_problem(response, PROBLEM_INVALID_REQUEST,
		    "idp is needed; max is a number from 1 to 1000.");
		return;
	}
	record_list(
	    dispatch_records(admin->dispatch), idp, max, &response->body);
}

void
executions_get(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;

	if (!is_admin(admin, request, response))
		return;
	if (!span_present(request->segments[0]) ||
	    record_get(dispatch_records(admin->dispatch), request->segments[0],
		&response->body) != OK)
		http_problem(response, PROBLEM_NOT_FOUND,
		    "No execution with this correlation id is recorded.");
}
