/*
 * Executions on idle slots; see dispatch_idle.h. Not here: what they are for.
 */
#include "gateway/dispatch/dispatch_idle.h"

#include <errno.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/dispatch/engines.h"
#include "gateway/dispatch/jobs.h"
#include "gateway/dispatch/outcomes.h"

/* A ticket that can be spared; NULL: none. Locked. */
static struct ticket *
find_spare(struct dispatch *d, const struct realm_idp *idp)
{
	const struct engine *engine;
	struct ticket *ticket, *spare = NULL;
	unsigned slots = 0, free_slots = 0;

	if (d->draining || d->counts[JOB_QUEUED] > 0)
		return NULL;
	LIST_FOREACH (engine, &d->engines, link)
		if (engine_may_run(d, engine, idp))
			slots += engine->slots;
	TAILQ_FOREACH (ticket, &d->tickets, link) {
		if (!engine_may_run(d, ticket->engine, idp))
			continue;
		free_slots++;
		spare = ticket;
	}
	if (free_slots < DISPATCH_IDLE_SLOTS_MIN ||
	    free_slots * DISPATCH_IDLE_PART < slots)
		return NULL;
	return spare;
}

static int64_t
deadline_of(const struct execution *execution)
{
	return clock_mono_us() +
	       (execution->release->limits.wall_ms + 2 * ANSWER_MARGIN_MS) *
		   1000;
}

/* Any ticket that may run it, where nobody waits. Locked. */
static struct ticket *
find_any(struct dispatch *d, const struct realm_idp *idp)
{
	struct ticket *ticket;

	if (d->draining || d->counts[JOB_QUEUED] > 0)
		return NULL;
	TAILQ_FOREACH (ticket, &d->tickets, link)
		if (engine_may_run(d, ticket->engine, idp))
			return ticket;
	return NULL;
}

/* The job, sent; NULL: not now. Locked. */
static struct job *
start(struct dispatch *d, const struct execution *execution,
    struct delivery *delivery_r)
{
	struct ticket *spare = execution->is_probe
				   ? find_any(d, execution->idp)
				   : find_spare(d, execution->idp);
	struct job *job =
	    spare == NULL ? NULL
			  : job_new(d, execution->idp, deadline_of(execution));

	if (job == NULL)
		return NULL;
	job->execution = execution;
	TAILQ_REMOVE(&d->tickets, spare, link);
	d->ticket_count--;
	job->ticket = spare;
	job_move(d, job, JOB_HELD);
	job_send(d, job, delivery_r);
	return job;
}

static void
wait_for_end(struct dispatch *d, struct job *job)
{
	struct timespec until = clock_timespec_of_us(job->deadline_us);

	while (job->state != JOB_ENDED)
		if (pthread_cond_timedwait(&job->wake, &d->lock, &until) ==
			ETIMEDOUT &&
		    job->state != JOB_ENDED)
			job_end(d, job, SCRIPT_LOST);
}

enum err
dispatch_idle_run(struct dispatch *dispatch, const struct execution *execution,
    struct arena *arena, struct execution_result *result_r)
{
	struct delivery delivery = {0};
	struct dispatch *d = dispatch;
	struct job *job;
	enum err err;

	CHECK(span_present(execution->replay) || execution->is_probe);
	pthread_mutex_lock(&d->lock);
	job = start(d, execution, &delivery);
	pthread_mutex_unlock(&d->lock);
	if (job == NULL)
		return ERR_UNAVAILABLE;
	delivery_send(&delivery);
	pthread_mutex_lock(&d->lock);
	wait_for_end(d, job);
	pthread_mutex_unlock(&d->lock);
	/* Too large for a message, with the recording: it never left. */
	err = job->sent_us == 0
		  ? ERR_UNAVAILABLE
		  : outcome_read(NULL, job, execution, arena, result_r);
	job_free(d, job);
	return err;
}

void
dispatch_idle_stop(struct dispatch *dispatch)
{
	static const enum job_state states[] = {JOB_SENT, JOB_RUNNING};
	struct job *job, *next;

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		for (job = TAILQ_FIRST(&dispatch->jobs[states[i]]); job != NULL;
		     job = next) {
			next = TAILQ_NEXT(job, link);
			if (job_is_idle(job))
				job_end(dispatch, job, SCRIPT_LOST);
		}
	}
}
