/*
 * Places in the queue and the time they cost; see admission.h.
 */
#include "gateway/dispatch/admission.h"

#include <limits.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/dispatch/engines.h"

/* Who waits of all, of an IdP, of a caller of it. */
struct places {
	unsigned all, idp, caller;
};

static unsigned
at_least_one(unsigned count)
{
	return count > 0 ? count : 1;
}

static unsigned
part_of(unsigned count)
{
	return at_least_one(count * (ADMISSION_PARTS - 1) / ADMISSION_PARTS);
}

/* Who waits holds an HTTP thread, so there are fewer places than threads. */
static struct places
places_there_are(const struct dispatch *d)
{
	unsigned half = at_least_one(d->config.queue_max / 2);
	unsigned threads = d->config.workers;
	struct places places = {.all = d->config.queue_max};

	threads -= threads / ADMISSION_REFUSER_PART;
	if (threads > 0 && threads < places.all)
		places.all = threads;
	/* No IdP may fill the queue alone. */
	places.idp = part_of(places.all);
	if (half < places.idp)
		places.idp = half;
	places.caller = part_of(places.idp);
	return places;
}

static bool
is_callers(const struct job *job, const struct dispatch_caller *caller)
{
	return caller != NULL && job->caller.client_id != NULL &&
	       strcmp(job->caller.client_id, caller->client_id) == 0 &&
	       strcmp(job->caller.source, caller->source) == 0;
}

static struct places
places_taken(struct dispatch *d, const struct realm_idp *idp,
    const struct dispatch_caller *caller)
{
	struct places taken = {.all = d->counts[JOB_QUEUED]};
	const struct job *job;

	TAILQ_FOREACH (job, &d->jobs[JOB_QUEUED], link) {
		if (strcmp(job->idp->identifier, idp->identifier) != 0)
			continue;
		taken.idp++;
		taken.caller += is_callers(job, caller);
	}
	return taken;
}

/*
 * Behind the caller's own last one, and not ahead of the IdP's first: ranks are
 * kept while the queue moves on, so counting from 0 would let who comes now
 * overtake those who wait, the caller's own among them.
 */
static unsigned
rank_of(struct dispatch *d, const struct job *job)
{
	const struct job *other;
	unsigned first = UINT_MAX;
	unsigned own = 0;

	TAILQ_FOREACH (other, &d->jobs[JOB_QUEUED], link) {
		if (other == job ||
		    strcmp(other->idp->identifier, job->idp->identifier) != 0)
			continue;
		if (other->rank < first)
			first = other->rank;
		if (is_callers(other, &job->caller) && other->rank >= own)
			own = other->rank + 1;
	}
	if (first == UINT_MAX)
		return 0;
	return own > first ? own : first;
}

void
admission_place(struct dispatch *d, struct job *job)
{
	struct job *other;

	job->rank = rank_of(d, job);
	TAILQ_FOREACH (other, &d->jobs[JOB_QUEUED], link)
		if (other->rank > job->rank &&
		    strcmp(other->idp->identifier, job->idp->identifier) == 0)
			break;
	if (other == NULL)
		return;
	TAILQ_REMOVE(&d->jobs[JOB_QUEUED], job, link);
	TAILQ_INSERT_BEFORE(other, job, link);
}

static unsigned
slots_for(struct dispatch *d, const struct realm_idp *idp)
{
	const struct engine *engine;
	unsigned slots = 0;

	LIST_FOREACH (engine, &d->engines, link)
		if (engine->pipe != 0 && !engine->draining &&
		    engine_may_run(d, engine, idp))
			slots += engine->slots;
	return slots;
}

/*
 * Whether those of its IdP who wait already need the time it has, with all
 * slots for them alone and executions as long as the last ones were. A guess
 * that refuses only what is lost. With nobody waiting there is no guess: else
 * one bad hour would refuse for ever.
 */
static bool
is_in_vain(struct dispatch *d, const struct realm_idp *idp, unsigned waiting,
    int64_t left_us)
{
	int64_t run_us = share_run_us(d, idp->identifier);
	unsigned slots = slots_for(d, idp);
	int64_t wait_us;

	if (waiting == 0 || slots == 0)
		return false;
	wait_us = run_us * waiting / slots;
	return wait_us > d->config.queue_ms * 1000 ||
	       wait_us + run_us > left_us;
}

enum refusal
admission_judge(struct dispatch *d, const struct realm_idp *idp,
    const struct dispatch_caller *caller, int64_t deadline_us)
{
	int64_t left_us = deadline_us - clock_mono_us();
	struct places there_are, taken;

	if (d->draining)
		return REFUSED_DRAINING;
	if (left_us < 2 * ANSWER_MARGIN_MS * 1000)
		return REFUSED_LATE;
	if (!engines_have(d, idp))
		return REFUSED_NO_ENGINE;
	there_are = places_there_are(d);
	taken = places_taken(d, idp, caller);
	if (taken.all >= there_are.all || taken.idp >= there_are.idp ||
	    taken.caller >= there_are.caller)
		return REFUSED_FULL;
	if (is_in_vain(d, idp, taken.idp, left_us - ANSWER_MARGIN_MS * 1000))
		return REFUSED_LATE;
	return REFUSED_NOT;
}
