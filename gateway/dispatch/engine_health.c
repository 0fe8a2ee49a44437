/*
 * The standing of an engine; see engine_health.h. Not what becomes of its jobs
 * (engines.c, keeper.c).
 */
#include "gateway/dispatch/engine_health.h"

#include "common/clock.h"
#include "common/metric.h"
#include "gateway/dispatch/jobs.h"

static bool
is_silent(const struct engine *engine, int64_t now_us)
{
	return now_us - engine->heard_us >= ENGINE_SILENT_US;
}

static unsigned
jobs_of(struct dispatch *d, const struct engine *engine)
{
	static const enum job_state on_engine[] = {JOB_SENT, JOB_RUNNING};
	const struct job *job;
	unsigned count = 0;

	TAILQ_FOREACH (job, &d->jobs[JOB_HELD], link)
		count += job->ticket != NULL && job->ticket->engine == engine;
	for (size_t i = 0; i < sizeof on_engine / sizeof on_engine[0]; i++)
		TAILQ_FOREACH (job, &d->jobs[on_engine[i]], link)
			count += job->engine == engine;
	return count;
}

bool
engine_is_fit(struct dispatch *d, const struct engine *engine)
{
	if (engine->pipe == 0 || engine->draining ||
	    engine->health.standing == ENGINE_OUT ||
	    is_silent(engine, clock_mono_us()))
		return false;
	return engine->health.standing == ENGINE_FULL ||
	       jobs_of(d, engine) == 0;
}

bool
engine_is_out_for_long(const struct engine *engine)
{
	return engine->health.standing == ENGINE_OUT &&
	       engine->health.back_us > clock_mono_us() + ENGINE_RETURN_US;
}

static void
take_out(struct engine *engine, int64_t now_us, int64_t backoff_us)
{
	struct engine_health *health = &engine->health;

	health->standing = ENGINE_OUT;
	health->out_us = now_us;
	health->back_us = now_us + backoff_us;
	health->missed = 0;
	health->lies = 0;
	metric_count(M_DISPATCH_EVENTS, "engine_out", NULL);
}

/* For a fault, not for mere silence. */
static void
take_out_for_longer(struct engine *engine, int64_t now_us)
{
	struct engine_health *health = &engine->health;

	health->backoff_us = health->backoff_us == 0 ? HEALTH_BACKOFF_US
						     : 2 * health->backoff_us;
	if (health->backoff_us > HEALTH_BACKOFF_MAX_US)
		health->backoff_us = HEALTH_BACKOFF_MAX_US;
	take_out(engine, now_us, health->backoff_us);
}

bool
engine_health_look(struct engine *engine, int64_t now_us)
{
	struct engine_health *health = &engine->health;

	if (health->standing == ENGINE_OUT) {
		if (engine->heard_us > health->out_us &&
		    now_us >= health->back_us && !is_silent(engine, now_us))
			health->standing = ENGINE_PROBE;
		return false;
	}
	if (!is_silent(engine, now_us))
		return false;
	take_out(engine, now_us, 0);
	return true;
}

void
engine_missed(struct engine *engine, const struct job *job)
{
	struct engine_health *health = &engine->health;
	int64_t now_us = clock_mono_us();

	if (health->standing == ENGINE_OUT)
		return;
	health->missed++;
	/* Nothing was heard since the job left: it stands still, or its
	 * connection does. */
	if (engine->heard_us <= job->sent_us)
		take_out(engine, now_us, 0);
	else if (health->standing == ENGINE_PROBE ||
		 health->missed >= HEALTH_MISSED_MAX)
		take_out_for_longer(engine, now_us);
}

void
engine_lied(struct engine *engine)
{
	struct engine_health *health = &engine->health;
	int64_t now_us = clock_mono_us();

	metric_count(M_DISPATCH_EVENTS, "engine_lied", NULL);
	if (health->standing == ENGINE_OUT)
		return;
	if (health->lies == 0 || now_us - health->lied_us > HEALTH_LIES_US) {
		health->lies = 0;
		health->lied_us = now_us;
	}
	health->lies++;
	if (health->standing == ENGINE_PROBE || health->lies >= HEALTH_LIES_MAX)
		take_out_for_longer(engine, now_us);
}

void
engine_served(struct engine *engine)
{
	struct engine_health *health = &engine->health;

	health->missed = 0;
	if (health->standing != ENGINE_PROBE)
		return;
	health->standing = ENGINE_FULL;
	health->backoff_us = 0;
	metric_count(M_DISPATCH_EVENTS, "engine_back", NULL);
}

const char *
engine_state_name(const struct engine *engine)
{
	static const char *const names[] = {"serving", "out", "probing"};

	if (engine->pipe == 0)
		return "lost";
	if (engine->draining)
		return "draining";
	return is_silent(engine, clock_mono_us())
		   ? "out"
		   : names[engine->health.standing];
}
