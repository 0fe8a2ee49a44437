/*
 * The dispatcher as HTTP threads see it: admission, running, waiting, drain;
 * see dispatch.h.
 */
#include "gateway/dispatch/dispatch.h"

#include <errno.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/random.h"
#include "gateway/dispatch/admission.h"
#include "gateway/dispatch/dispatch_idle.h"
#include "gateway/dispatch/engines.h"
#include "gateway/dispatch/host_cache.h"
#include "gateway/dispatch/hosts.h"
#include "gateway/dispatch/jobs.h"
#include "gateway/dispatch/keeper.h"
#include "gateway/dispatch/live_log.h"
#include "gateway/dispatch/outcomes.h"
#include "gateway/dispatch/record.h"
#include "gateway/dispatch/shadow.h"

static void
pipe_lost(void *dispatch, uint32_t pipe)
{
	engine_pipe_lost(dispatch, pipe);
}

static struct dispatch *
dispatch_new(const struct dispatch_config *config)
{
	struct dispatch *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->records = record_store_new(config->vault);
	d->live_log = live_log_new();
	d->shadow = shadow_new(d);
	if (d->records == NULL || d->live_log == NULL || d->shadow == NULL) {
		record_store_free(d->records);
		live_log_free(d->live_log);
		shadow_free(d->shadow);
		free(d);
		return NULL;
	}
	d->config = *config;
	/* Not 1: what an engine still runs from before our restart must not
	 * carry the number of a job of ours. */
	d->next_number = (random_u64() >> 16) + 1;
	random_bytes(d->boot_id, sizeof d->boot_id);
	CHECK(pthread_mutex_init(&d->lock, NULL) == 0);
	job_cond_init(&d->idle);
	for (int state = 0; state < JOB_STATES; state++)
		TAILQ_INIT(&d->jobs[state]);
	for (int bucket = 0; bucket < JOB_BUCKETS; bucket++)
		LIST_INIT(&d->buckets[bucket]);
	TAILQ_INIT(&d->tickets);
	LIST_INIT(&d->engines);
	LIST_INIT(&d->shares);
	host_cache_init(d);
	return d;
}

static enum err
listen_for_engines(struct dispatch *d, struct err_detail *detail)
{
	const char *cursor = d->config.engines_listen;
	char url[CONF_ITEM_BYTES];
	enum err err = OK;

	while (err == OK && conf_list_next(&cursor, url, sizeof url))
		err = link_server_listen(d->link, url,
		    d->config.tls.cert == NULL ? NULL : &d->config.tls, detail);
	return err;
}

enum err
dispatch_open(const struct dispatch_config *config,
    struct dispatch **dispatch_r, struct err_detail *detail)
{
	struct dispatch *d = dispatch_new(config);
	struct link_server_handlers handlers = {
	    .user = d, .received = host_received, .pipe_lost = pipe_lost};
	enum err err;

	if (d == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	if (config->engines_keys != NULL) {
		err = engine_keys_load(
		    config->engines_keys, &d->identity.keys, detail);
		if (err != OK)
			return err_prefix(detail, err, "engines_keys");
	}
	err = link_server_open(&handlers, &d->link, detail);
	if (err == OK)
		err = listen_for_engines(d, detail);
	if (err != OK)
		return err; /* the process ends; the link cannot be closed */
	d->listener_us = clock_mono_us();
	if (config->engines_return)
		d->opened_us = d->listener_us;
	err = keeper_start(d, detail);
	if (err != OK)
		return err; /* the process ends; the link cannot be closed */
	*dispatch_r = d;
	return OK;
}

/* ---- waiting ---------------------------------------------------------------
 */

/* Waits for the job to be woken; false once `until_us` has passed. Locked. */
static bool
wait_until(struct dispatch *d, struct job *job, int64_t until_us)
{
	struct timespec until = clock_timespec_of_us(until_us);

	return pthread_cond_timedwait(&job->wake, &d->lock, &until) !=
	       ETIMEDOUT;
}

/* ---- admission --------------------------------------------------------------
 */

/* Waits in the queue for a ticket. Locked. */
static enum refusal
wait_for_ticket(struct dispatch *d, struct job *job)
{
	int64_t until_us = job->admitted_us + d->config.queue_ms * 1000;
	int64_t last_us = job->deadline_us - 2 * ANSWER_MARGIN_MS * 1000;

	if (until_us > last_us)
		until_us = last_us;
	while (job->state == JOB_QUEUED) {
		if (d->draining)
			return REFUSED_DRAINING;
		if (!wait_until(d, job, until_us) && job->state == JOB_QUEUED)
			return engines_have(d, job->idp) ? REFUSED_LATE
							 : REFUSED_NO_ENGINE;
	}
	return REFUSED_NOT;
}

static const char *
refusal_name(enum refusal refusal)
{
	static const char *const names[] = {
	    "no", "full", "no_engine", "draining", "deadline"};

	return names[refusal];
}

enum err
dispatch_admit(struct dispatch *dispatch, const struct realm_idp *idp,
    const struct dispatch_caller *caller, int64_t deadline_us,
    struct job **job_r, enum refusal *refusal_r)
{
	struct dispatch *d = dispatch;
	struct job *job = NULL;
	enum refusal refusal;

	pthread_mutex_lock(&d->lock);
	refusal = admission_judge(d, idp, caller, deadline_us);
	if (refusal == REFUSED_NOT)
		job = job_new(d, idp, deadline_us);
	if (job != NULL && caller != NULL) {
		job->caller = *caller;
		admission_place(d, job);
	}
	pthread_mutex_unlock(&d->lock);
	if (job != NULL) {
		/* In the queue's order: nobody overtakes those who wait for the
		 * same ticket, and those who wait for another stop nobody. */
		engines_match(d);
		pthread_mutex_lock(&d->lock);
		refusal = wait_for_ticket(d, job);
		pthread_mutex_unlock(&d->lock);
	}
	if (job != NULL && refusal == REFUSED_NOT) {
		*job_r = job;
		return OK;
	}
	if (job != NULL)
		dispatch_cancel(d, job);
	*refusal_r = refusal == REFUSED_NOT ? REFUSED_FULL : refusal;
	metric_count(M_QUEUE_REFUSED, refusal_name(*refusal_r), NULL);
	return ERR_UNAVAILABLE;
}

void
dispatch_cancel(struct dispatch *dispatch, struct job *job)
{
	job_free(dispatch, job);
	engines_match(dispatch);
}

/* ---- running ----------------------------------------------------------------
 */

/* Waits for the end; past the deadline the job ends here, under the same lock,
 * so that it cannot start any more. False: it never started. Locked. */
static bool
wait_for_end(struct dispatch *d, struct job *job)
{
	while (job->state != JOB_ENDED)
		if (!wait_until(d, job, job->deadline_us) &&
		    job->state != JOB_ENDED)
			job_end(d, job, SCRIPT_LOST);
	return job->attempt > 0;
}

enum err
dispatch_run(struct dispatch *dispatch, struct job *job,
    const struct execution *execution, struct arena *arena,
    struct execution_result *result_r)
{
	struct delivery delivery = {0};
	struct dispatch *d = dispatch;
	enum err err = ERR_UNAVAILABLE;
	bool ended;

	CHECK(execution->release->scripts[execution->kind] != NULL);
	pthread_mutex_lock(&d->lock);
	job->execution = execution;
	if (job->state == JOB_HELD)
		job_send(d, job, &delivery);
	pthread_mutex_unlock(&d->lock);
	delivery_send(&delivery);

	pthread_mutex_lock(&d->lock);
	ended = wait_for_end(d, job);
	pthread_mutex_unlock(&d->lock);
	if (ended)
		err =
		    outcome_read(d->live_log, job, execution, arena, result_r);
	if (ended && err == OK)
		record_add(d->records, execution, result_r, RECORD_NEW);
	job_free(d, job);
	return err;
}

void
dispatch_amend_record(struct dispatch *dispatch,
    const struct execution *execution, const struct execution_result *result)
{
	record_add(dispatch->records, execution, result, RECORD_AMENDED);
}

struct record_store *
dispatch_records(struct dispatch *dispatch)
{
	return dispatch->records;
}

struct live_log *
dispatch_live_log(struct dispatch *dispatch)
{
	return dispatch->live_log;
}

struct shadow *
dispatch_shadow(struct dispatch *dispatch)
{
	return dispatch->shadow;
}

/* ---- drain and health
 * --------------------------------------------------------- */

/* Engines learn at once that nothing more will come. */
static void
send_tickets_away(struct dispatch *d)
{
	struct ticket_list tickets = TAILQ_HEAD_INITIALIZER(tickets);
	struct ticket *ticket;

	pthread_mutex_lock(&d->lock);
	TAILQ_CONCAT(&tickets, &d->tickets, link);
	d->ticket_count = 0;
	pthread_mutex_unlock(&d->lock);
	while ((ticket = TAILQ_FIRST(&tickets)) != NULL) {
		TAILQ_REMOVE(&tickets, ticket, link);
		answer_go_away(
		    ticket->request, GO_AWAY_DRAINING, "the gateway stops");
		free(ticket);
	}
}

void
dispatch_drain(struct dispatch *dispatch, int64_t grace_ms)
{
	struct timespec until =
	    clock_timespec_of_us(clock_mono_us() + grace_ms * 1000);
	struct dispatch *d = dispatch;
	struct job *job;

	pthread_mutex_lock(&d->lock);
	d->draining = true;
	TAILQ_FOREACH (job, &d->jobs[JOB_QUEUED], link)
		pthread_cond_signal(&job->wake);
	dispatch_idle_stop(d);
	while (jobs_total(d) > 0)
		if (pthread_cond_timedwait(&d->idle, &d->lock, &until) ==
		    ETIMEDOUT)
			break;
	pthread_mutex_unlock(&d->lock);
	send_tickets_away(d);
	link_server_quiesce(d->link);
}

void
dispatch_health(struct dispatch *dispatch, struct dispatch_health *health_r)
{
	struct dispatch *d = dispatch;
	struct dispatch_health health = {0};
	const struct engine *engine;
	int64_t now_us = clock_mono_us();

	pthread_mutex_lock(&d->lock);
	LIST_FOREACH (engine, &d->engines, link) {
		health.engines_out +=
		    engine->pipe != 0 && engine->health.standing == ENGINE_OUT;
		if (engine->pipe == 0 || engine->draining ||
		    engine->health.standing == ENGINE_OUT ||
		    now_us - engine->heard_us >= ENGINE_SILENT_US)
			continue;
		health.engines++;
		health.engines_degraded += engine->sandbox_missing[0] != '\0';
	}
	health.tickets = d->ticket_count;
	health.queued = d->counts[JOB_QUEUED];
	health.running = d->counts[JOB_SENT] + d->counts[JOB_RUNNING];
	health.last_success_us = d->last_success_us;
	health.probe = d->probe;
	health.listener_us = d->listener_us;
	pthread_mutex_unlock(&d->lock);
	*health_r = health;
}

void
dispatch_engines_measure(struct dispatch *dispatch)
{
	struct dispatch *d = dispatch;
	const struct engine *engine;

	metric_hide(M_ENGINE_RSS);
	pthread_mutex_lock(&d->lock);
	LIST_FOREACH (engine, &d->engines, link)
		if (engine->pipe != 0 && engine->resident_bytes > 0)
			metric_set(M_ENGINE_RSS, engine->name,
			    (int64_t)engine->resident_bytes);
	pthread_mutex_unlock(&d->lock);
}
