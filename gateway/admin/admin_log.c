/*
 * Log lines of executions as they come: a long poll. Not the ring they are in
 * (dispatch/live_log.c).
 */
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"
#include "gateway/dispatch/live_log.h"
#include "common/clock.h"

/* Below what proxies and clients wait for an answer. */
#define WAIT_MAX_MS 30000

void
admin_log_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct live_log_query wanted = {.has_after = false};
	uint64_t wait_ms = 0;
	struct http_form query;
	enum err err;

	if (!admin_query_parse(request, &query, response) ||
	    !admin_query_number(
		&query, "wait_ms", 0, WAIT_MAX_MS, &wait_ms, response) ||
	    !admin_query_number(
		&query, "after", 0, INT64_MAX, &wanted.after, response))
		return;
	wanted.has_after = span_present(http_form_get(&query, "after"));
	wanted.idp = http_form_get(&query, "idp");
	wanted.deadline_us = clock_mono_us() + (int64_t)wait_ms * 1000;
	err = live_log_read(
	    dispatch_live_log(admin->dispatch), &wanted, &response->body);
	if (err == ERR_FULL)
		admin_problem(response, ADMIN_UNAVAILABLE,
		    "Too many watch the log already.");
}
