/*
 * The records of executions, read-only, for API clients with `admin` alone:
 * stacks and log lines are a customer's inside. The answers are
 * record_list()'s and record_get()'s.
 */
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"
#include "gateway/dispatch/record.h"

/* A list's default and greatest length. */
#define LIST_DEFAULT 50
#define LIST_MAX     1000

void
admin_execution_list_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct record_query wanted = {.failed_only = false};
	uint64_t max = LIST_DEFAULT;
	struct http_form query;

	if (!admin_query_parse(request, &query, response) ||
	    !admin_query_number(&query, "max", 1, LIST_MAX, &max, response) ||
	    !admin_query_bool(&query, "failed", &wanted.failed_only, response))
		return;
	wanted.idp = http_form_get(&query, "idp");
	wanted.max = (size_t)max;
	record_list(
	    dispatch_records(admin->dispatch), &wanted, &response->body);
}

void
admin_execution_get_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;

	if (!span_present(request->segments[0]) ||
	    record_get(dispatch_records(admin->dispatch), request->segments[0],
		&response->body) != OK)
		admin_problem(response, ADMIN_NOT_FOUND,
		    "No execution with this correlation id is recorded.");
}
