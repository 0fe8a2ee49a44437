/*
 * HTTP, the gateway's side; see host_http.h. Not the allow-list: the engine
 * judges the address it connects to, which nobody else can know.
 */
#include "gateway/dispatch/host_http.h"

#include "common/metric.h"
#include "gateway/dispatch/engines.h"

/*
 * From a yes on, a lost engine means unknown fate. ERR_STALE: not this
 * engine's attempt (any more). ERR_LIMIT.
 */
static enum err
grant_intent(
    struct dispatch *d, uint32_t pipe, const struct msg_http_intent *intent)
{
	enum err err = ERR_STALE;
	struct job *job;

	pthread_mutex_lock(&d->lock);
	job = job_held_by(
	    d, intent->job, intent->attempt, engine_of_pipe(d, pipe));
	if (job != NULL && !span_present(job->execution->replay)) {
		const struct script_limits *limits =
		    &job->execution->release->limits;

		job->host_calls++;
		err = job->host_calls > (uint64_t)limits->host_calls ? ERR_LIMIT
								     : OK;
		job->effect |= err == OK;
		if (job->state == JOB_SENT)
			job_move(d, job, JOB_RUNNING);
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

void
host_http_intent(struct dispatch *d, struct link_request *request,
    const struct msg_http_intent *intent)
{
	struct message answer = {.type = MSG_DONE};
	enum err err = grant_intent(d, link_request_pipe(request), intent);

	if (err == ERR_STALE) {
		metric_count(M_DISPATCH_EVENTS, "stale", NULL);
		answer_go_away(
		    request, GO_AWAY_STALE, "this attempt was given up");
		return;
	}
	metric_count(M_HOST_CALLS, "http_intent", err == OK ? "ok" : "refused");
	if (err != OK) {
		answer.type = MSG_CALL_FAILED;
		answer.call_failed.error = span_str("limit");
		answer.call_failed.sentence = span_str("too many host calls");
	}
	answer_message(request, &answer);
}
