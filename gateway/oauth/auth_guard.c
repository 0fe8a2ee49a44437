/*
 * Around authentication; see auth_guard.h. Not here: any credential.
 */
#include "gateway/oauth/auth_guard.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/oauth/event.h"

static struct auth_who
who_of(const struct auth_attempt *attempt)
{
	return (struct auth_who){
	    attempt->http->source, attempt->kind, attempt->client_id};
}

enum auth_verdict
auth_guard_enter(const struct auth_attempt *attempt)
{
	enum auth_verdict verdict;
	struct auth_who who;

	if (attempt->http == NULL)
		return AUTH_CHECK;
	who = who_of(attempt);
	verdict = auth_throttle_check(
	    attempt->oauth->throttle, &who, clock_mono_ms());
	if (verdict == AUTH_REFUSE_CLIENT || verdict == AUTH_REFUSE_SOURCE) {
		metric_count(M_AUTH_THROTTLED,
		    verdict == AUTH_REFUSE_CLIENT ? "client" : "source", NULL);
		metric_count(M_CLIENT_AUTH, attempt->kind, "throttled");
	}
	return verdict;
}

void
auth_guard_passed(const struct auth_attempt *attempt)
{
	struct auth_who who;

	metric_count(M_CLIENT_AUTH, attempt->kind, "ok");
	if (attempt->http == NULL)
		return;
	who = who_of(attempt);
	auth_throttle_succeeded(
	    attempt->oauth->throttle, &who, clock_mono_ms());
}

void
auth_guard_failed(const struct auth_attempt *attempt)
{
	struct auth_who who;
	struct event event;

	metric_count(M_CLIENT_AUTH, attempt->kind, "refused");
	if (attempt->http == NULL)
		return;
	who = who_of(attempt);
	event = event_of(attempt->http, EVENT_CLIENT_AUTH_FAILED);
	event.client_id = attempt->client_id;
	event.detail = attempt->kind;
	event_record(attempt->oauth->events, &event);
	if (!auth_throttle_failed(
		attempt->oauth->throttle, &who, clock_mono_ms()))
		return;
	event.type = EVENT_CLIENT_AUTH_THROTTLED;
	event_record(attempt->oauth->events, &event);
	log_warn("client authentication throttled",
	    LOG_STR("correlation_id", attempt->http->correlation_id),
	    LOG_STR("source", attempt->http->source));
}
