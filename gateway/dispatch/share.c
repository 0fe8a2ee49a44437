/*
 * Shares of engines' slots; see share.h.
 */
#include "gateway/dispatch/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/dispatch/jobs.h"

static bool
is_forgotten(const struct share *share, int64_t now_us)
{
	return share->jobs == 0 && now_us - share->seen_us > SHARE_MEMORY_US;
}

/* Realms are reloaded and IdPs go: what nobody uses is not kept. */
static void
forget_old(struct dispatch *d, int64_t now_us)
{
	struct share *share, *next;

	for (share = LIST_FIRST(&d->shares); share != NULL; share = next) {
		next = LIST_NEXT(share, link);
		if (!is_forgotten(share, now_us))
			continue;
		LIST_REMOVE(share, link);
		free(share);
	}
}

static struct share *
share_find(struct dispatch *d, const char *idp)
{
	struct share *share;

	LIST_FOREACH (share, &d->shares, link)
		if (strcmp(share->idp, idp) == 0)
			return share;
	return NULL;
}

struct share *
share_join(struct dispatch *d, const struct realm_idp *idp)
{
	struct share *share = share_find(d, idp->identifier);
	int64_t now_us = clock_mono_us();

	if (share == NULL) {
		forget_old(d, now_us);
		share = calloc(1, sizeof *share);
		if (share == NULL)
			return NULL;
		(void)snprintf(
		    share->idp, sizeof share->idp, "%s", idp->identifier);
		LIST_INSERT_HEAD(&d->shares, share, link);
	}
	share->weight = idp->weight > 0 ? idp->weight : 1;
	share->seen_us = now_us;
	share->jobs++;
	return share;
}

void
share_leave(struct share *share)
{
	share->jobs--;
	share->seen_us = clock_mono_us();
}

void
share_ran(struct share *share, int64_t run_us)
{
	if (share->run_us == 0)
		share->run_us = run_us;
	else
		share->run_us += (run_us - share->run_us) / SHARE_MEAN_OF;
}

int64_t
share_run_us(struct dispatch *d, const char *idp)
{
	const struct share *share = share_find(d, idp);

	return share == NULL ? 0 : share->run_us;
}

int64_t
share_weights(struct dispatch *d, int64_t now_us)
{
	const struct share *share;
	int64_t sum = 0;

	LIST_FOREACH (share, &d->shares, link)
		if (!is_forgotten(share, now_us))
			sum += share->weight;
	return sum;
}

static unsigned
slots_held(
    struct dispatch *d, const struct share *share, const struct engine *engine)
{
	static const enum job_state on_engine[] = {JOB_SENT, JOB_RUNNING};
	const struct job *job;
	unsigned held = 0;

	TAILQ_FOREACH (job, &d->jobs[JOB_HELD], link)
		held += job->share == share && job->ticket != NULL &&
			job->ticket->engine == engine;
	for (size_t i = 0; i < sizeof on_engine / sizeof on_engine[0]; i++)
		TAILQ_FOREACH (job, &d->jobs[on_engine[i]], link)
			held += job->share == share && job->engine == engine;
	return held;
}

static unsigned
slots_free(struct dispatch *d, const struct engine *engine)
{
	const struct ticket *ticket;
	unsigned count = 0;

	TAILQ_FOREACH (ticket, &d->tickets, link)
		count += ticket->engine == engine;
	return count;
}

bool
share_allows(struct dispatch *d, const struct job *job,
    const struct engine *engine, int64_t weights, enum share_claim claim)
{
	unsigned reserve = engine->slots / SHARE_RESERVE_PART;
	int64_t fair = engine->slots * job->share->weight / weights;

	if (weights == job->share->weight)
		return true; /* nobody to share with */
	if (claim == SHARE_BEYOND)
		return slots_free(d, engine) > (reserve > 0 ? reserve : 1);
	return slots_held(d, job->share, engine) < (fair > 0 ? fair : 1);
}
