/*
 * GET /health/live, /health/ready and /metrics. Not the admin API with its
 * credentials. Only health is open to whoever reaches the listener; /metrics
 * is open too for as long as there are no admin credentials, which is why the
 * listener is on loopback unless an operator says otherwise. Runs on the admin
 * server's workers.
 */
#include "common/clock.h"
#include "common/json_text.h"
#include "common/metric.h"
#include "gateway/admin/admin.h"
#include "gateway/admin/executions.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/store/store.h"

/*
 * A web page can make a browser on this host send requests here under a name
 * of its own (DNS rebinding), but not under ours. Who sends no Host (HTTP/1.0)
 * is no browser.
 */
static bool
is_host_ours(const struct admin_context *admin,
    const struct http_request *request, struct http_response *response)
{
	if (!span_present(request->host) ||
	    http_host_is_loopback(request->host) ||
	    http_host_is_listen(request->host, admin->listen))
		return true;
	http_problem(response, PROBLEM_MISDIRECTED, NULL);
	return false;
}

static void
live(void *context, const struct http_request *request,
    struct http_response *response)
{
	if (is_host_ours(context, request, response))
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

static void
ready(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct dispatch_health health = {0};
	bool is_writable;
	const char *reason;

	if (!is_host_ours(admin, request, response))
		return;
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

static void
metrics(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct dispatch_health health = {0};

	if (!is_host_ours(admin, request, response))
		return;
	dispatch_health(admin->dispatch, &health);
	set_gauge(M_ENGINES, health.engines);
	set_gauge(M_TICKETS, health.tickets);
	set_gauge(M_QUEUE_LENGTH, health.queued);
	set_gauge(M_JOBS_RUNNING, health.running);
	response->content_type = "text/plain; version=0.0.4";
	metric_render(&response->body);
}

static void
list_executions(void *context, const struct http_request *request,
    struct http_response *response)
{
	if (is_host_ours(context, request, response))
		executions_list(context, request, response);
}

static void
get_execution(void *context, const struct http_request *request,
    struct http_response *response)
{
	if (is_host_ours(context, request, response))
		executions_get(context, request, response);
}

static const struct http_route routes[] = {
    {"health_live", HTTP_GET, "/health/live", HTTP_BODY_NONE, live},
    {"health_ready", HTTP_GET, "/health/ready", HTTP_BODY_NONE, ready},
    {"metrics", HTTP_GET, "/metrics", HTTP_BODY_NONE, metrics},
    {"executions", HTTP_GET, "/api/v1/configuration/executions", HTTP_BODY_NONE,
	list_executions},
    {"execution", HTTP_GET, "/api/v1/configuration/executions/{correlation_id}",
	HTTP_BODY_NONE, get_execution},
};

const struct http_route *
admin_routes(size_t *count_r)
{
	*count_r = sizeof routes / sizeof routes[0];
	return routes;
}
