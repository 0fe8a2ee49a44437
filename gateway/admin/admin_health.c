/*
 * GET /health/live, /health/ready and /metrics: open to whoever reaches the
 * listener, which is on loopback unless an operator says otherwise. Not the
 * configuration API. Runs on the admin server's workers.
 */
#include "common/clock.h"
#include "common/json_text.h"
#include "common/metric.h"
#include "common/resident.h"
#include "gateway/admin/admin.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/probe.h"
#include "gateway/keys/keyring.h"
#include "gateway/oauth/oauth.h"
#include "gateway/store/store.h"

void
health_live_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	buf_append_str(&response->body, "{\"status\":\"live\"}");
}

/* Since an engine ran a script to its end; -1: never. */
static int64_t
success_age_us(const struct dispatch_health *health)
{
	return health->last_success_us == 0
		   ? -1
		   : clock_mono_us() - health->last_success_us;
}

/* NULL: ready. */
static const char *
why_not_ready(bool is_writable, const struct dispatch_health *health)
{
	int64_t age_us = success_age_us(health);

	if (!is_writable)
		return "the store cannot be written";
	if (health->engines == 0)
		return health->engines_out > 0 ? "no engine is healthy"
					       : "no engine is connected";
	if (age_us >= 0 && age_us < PROBE_READY_US)
		return NULL;
	if (health->probe != SCRIPT_OK)
		return "no engine runs scripts: the test run fails";
	if (health->tickets == 0)
		return "no script ended lately and no slot is free for a test "
		       "run";
	return "no engine has run a script lately";
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
	json_append_member_int(out, &first, "engines_out", health->engines_out);
	json_append_member_int(out, &first, "tickets", health->tickets);
	json_append_member_int(out, &first, "queued", health->queued);
	json_append_member_int(out, &first, "running", health->running);
	if (health->last_success_us > 0)
		json_append_member_int(out, &first, "last_success_ms_ago",
		    success_age_us(health) / 1000);
	if (health->probe != SCRIPT_OK)
		json_append_member_str(out, &first, "test_run",
		    span_str(script_code_name(health->probe)));
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

static void
measure_engines(struct dispatch *dispatch, bool is_writable)
{
	struct dispatch_health health = {0};
	int64_t age_us;

	dispatch_health(dispatch, &health);
	age_us = success_age_us(&health);
	metric_set(M_ENGINES, NULL, health.engines);
	metric_set(M_ENGINES_OUT, NULL, health.engines_out);
	metric_set(M_TICKETS, NULL, health.tickets);
	metric_set(M_QUEUE_LENGTH, NULL, health.queued);
	metric_set(M_JOBS_RUNNING, NULL, health.running);
	metric_set(M_READY, NULL, why_not_ready(is_writable, &health) == NULL);
	metric_hide(M_LAST_SUCCESS);
	if (age_us >= 0)
		metric_set(M_LAST_SUCCESS, NULL, age_us / 1000000);
	dispatch_engines_measure(dispatch);
}

/* Gauges say what is now: set before they are read. */
static void
measure(const struct admin_context *admin)
{
	bool is_writable = store_is_writable(admin->store);

	measure_engines(admin->dispatch, is_writable);
	metric_set(M_STORE_WRITABLE, NULL, is_writable);
	metric_set(M_KEYS_AGE, NULL,
	    clock_wall_secs() - keyring_rotated_at(admin->oauth->keyring));
	metric_set(M_GATEWAY_RSS, NULL, (int64_t)resident_bytes());
	metric_set(M_STARTED, NULL, admin->started_at);
}

void
metrics_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)request;
	measure(context);
	response->content_type = "text/plain; version=0.0.4";
	metric_render(&response->body);
}
