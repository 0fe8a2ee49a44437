/*
 * GET /health/live, /health/ready and /metrics: open to whoever reaches the
 * listener, which is on loopback unless an operator says otherwise. Not the
 * configuration API. Runs on the admin server's workers.
 */
#include "common/clock.h"
#include "common/json_text.h"
#include "common/metric.h"
#include "gateway/admin/admin.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/store/store.h"

void
health_live_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	buf_append_str(&response->body, "{\"status\":\"live\"}");
}

/* NULL: ready. */
static const char *
why_not_ready(bool is_writable, const struct dispatch_health *health)
{
	if (!is_writable)
		return "the store cannot be written";
	if (health->engines == 0)
		return "no engine is connected";
	return NULL;
}

static void
append_ready(struct buf *out, const char *reason, bool is_writable,
    const struct dispatch_health *health)
{
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_str(out, &first, "status",
	    span_str(reason == NULL ? "ready" : "not_ready"));
	if (reason != NULL)
		json_append_member_str(out, &first, "reason", span_str(reason));
	json_append_member_raw(out, &first, "store_writable",
	    span_str(is_writable ? "true" : "false"));
	json_append_member_int(out, &first, "engines", health->engines);
	json_append_member_int(
	    out, &first, "engines_degraded", health->engines_degraded);
	json_append_member_int(out, &first, "tickets", health->tickets);
	json_append_member_int(out, &first, "queued", health->queued);
	json_append_member_int(out, &first, "running", health->running);
	if (health->last_success_us > 0)
		json_append_member_int(out, &first, "last_success_ms_ago",
		    (clock_mono_us() - health->last_success_us) / 1000);
	buf_append_char(out, '}');
}

void
health_ready_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct dispatch_health health = {0};
	bool is_writable;
	const char *reason;

	(void)request;
	is_writable = store_is_writable(admin->store);
	dispatch_health(admin->dispatch, &health);
	reason = why_not_ready(is_writable, &health);
	response->status = reason == NULL ? 200 : 503;
	append_ready(&response->body, reason, is_writable, &health);
}

/* Gauges say what is now: moved to it before they are read. Two scrapes at a
 * time may move one twice; the next puts it right. */
static void
set_gauge(enum metric metric, unsigned value)
{
	metric_move(
	    metric, NULL, (int64_t)value - metric_value(metric, NULL, NULL));
}

void
metrics_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct dispatch_health health = {0};

	(void)request;
	dispatch_health(admin->dispatch, &health);
	set_gauge(M_ENGINES, health.engines);
	set_gauge(M_TICKETS, health.tickets);
	set_gauge(M_QUEUE_LENGTH, health.queued);
	set_gauge(M_JOBS_RUNNING, health.running);
	response->content_type = "text/plain; version=0.0.4";
	metric_render(&response->body);
}
