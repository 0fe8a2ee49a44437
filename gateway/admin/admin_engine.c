/*
 * The engines: listed, drained. Not their sessions (dispatch/).
 */
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/dispatch/dispatch.h"

void
admin_engine_list_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;

	(void)request;
	buf_append_str(&response->body, "{\"items\":");
	dispatch_engines_list(admin->dispatch, &response->body);
	buf_append_char(&response->body, '}');
}

void
admin_engine_drain_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct span name = request->segments[0];
	enum err err = ERR_NOT_FOUND;

	if (span_present(name))
		err = dispatch_engine_drain(admin->dispatch, name);
	if (err == OK) {
		response->status = 204;
		admin_event(admin, request, EVENT_ENGINE_DRAINED, NULL,
		    arena_copy_str(request->arena, name));
	} else if (err == ERR_NOT_FOUND) {
		admin_problem(response, ADMIN_NOT_FOUND,
		    "No engine of this name is connected.");
	} else {
		admin_problem_err(response, err, NULL);
	}
}
