/*
 * GET status: what the gateway is and how it does, for people at a terminal.
 * Not health, which is for machines (admin_health.c).
 */
#include "common/json_text.h"
#include "gateway/admin/admin.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/store/store.h"

static void
append_bool(struct buf *out, bool *first, const char *key, bool value)
{
	json_append_member_raw(
	    out, first, key, span_str(value ? "true" : "false"));
}

static void
append_dispatch(struct buf *out, bool *first, struct dispatch *dispatch)
{
	struct dispatch_health health = {0};

	dispatch_health(dispatch, &health);
	json_append_member_int(out, first, "engines", health.engines);
	json_append_member_int(
	    out, first, "engines_degraded", health.engines_degraded);
	json_append_member_int(out, first, "tickets", health.tickets);
	json_append_member_int(out, first, "queued", health.queued);
	json_append_member_int(out, first, "running", health.running);
}

void
admin_status_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const struct config_view *view = config_view_acquire(admin->config);
	struct buf *body = &response->body;
	bool first = true;

	(void)request;
	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "version", span_str(POSTERN_VERSION));
	json_append_member_int(body, &first, "started_at", admin->started_at);
	json_append_member_str(
	    body, &first, "revision", span_str(config_view_revision(view)));
	append_bool(
	    body, &first, "read_only", config_is_read_only(admin->config));
	append_bool(
	    body, &first, "store_writable", store_is_writable(admin->store));
	append_dispatch(body, &first, admin->dispatch);
	buf_append_char(body, '}');
	config_view_release(view);
}
