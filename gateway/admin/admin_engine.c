/*
 * The engines: listed. Not their sessions (dispatch/).
 */
#include "gateway/admin/admin.h"
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
