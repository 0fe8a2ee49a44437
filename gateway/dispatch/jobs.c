/*
 * Jobs and their lists; see jobs.h. Not here: engines and tickets
 * (engines.c), waiting (dispatch.c), what time does (keeper.c).
 */
#include "gateway/dispatch/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/metric.h"
#include "gateway/dispatch/engines.h"

static struct job_bucket *
bucket_of(struct dispatch *d, uint64_t number)
{
	return &d->buckets[number % JOB_BUCKETS];
}

static void
link_in(struct dispatch *d, struct job *job, enum job_state state)
{
	job->state = state;
	d->counts[state]++;
	TAILQ_INSERT_TAIL(&d->jobs[state], job, link);
}

static void
unlink_from(struct dispatch *d, struct job *job)
{
	d->counts[job->state]--;
	TAILQ_REMOVE(&d->jobs[job->state], job, link);
}

unsigned
jobs_total(const struct dispatch *d)
{
	unsigned total = 0;

	for (int state = 0; state < JOB_STATES; state++)
		total += d->counts[state];
	return total;
}

void
job_cond_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(condition, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
}

struct job *
job_new(struct dispatch *d, const struct realm_idp *idp, int64_t deadline_us)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return NULL;
	job->share = share_join(d, idp);
	if (job->share == NULL) {
		free(job);
		return NULL;
	}
	job_cond_init(&job->wake);
	job->number = d->next_number++;
	job->idp = idp;
	job->deadline_us = deadline_us;
	job->admitted_us = clock_mono_us();
	link_in(d, job, JOB_QUEUED);
	LIST_INSERT_HEAD(bucket_of(d, job->number), job, bucket);
	return job;
}

void
job_free(struct dispatch *d, struct job *job)
{
	pthread_mutex_lock(&d->lock);
	if (job->ticket != NULL)
		ticket_give_back(d, job);
	unlink_from(d, job);
	LIST_REMOVE(job, bucket);
	share_leave(job->share);
	if (d->draining && jobs_total(d) == 0)
		pthread_cond_broadcast(&d->idle);
	pthread_mutex_unlock(&d->lock);
	pthread_cond_destroy(&job->wake);
	free(job->result);
	free(job);
}

void
job_move(struct dispatch *d, struct job *job, enum job_state state)
{
	unlink_from(d, job);
	link_in(d, job, state);
}

void
job_requeue(struct dispatch *d, struct job *job)
{
	unlink_from(d, job);
	job->engine = NULL;
	job->state = JOB_QUEUED;
	d->counts[JOB_QUEUED]++;
	TAILQ_INSERT_HEAD(&d->jobs[JOB_QUEUED], job, link);
}

struct job *
job_find(struct dispatch *d, uint64_t number)
{
	struct job *job;

	LIST_FOREACH (job, bucket_of(d, number), bucket)
		if (job->number == number)
			return job;
	return NULL;
}

struct job *
job_held_by(struct dispatch *d, uint64_t number, uint64_t attempt,
    const struct engine *engine)
{
	struct job *job = job_find(d, number);

	if (job == NULL || job->engine != engine || job->attempt != attempt)
		return NULL;
	return job->state == JOB_SENT || job->state == JOB_RUNNING ? job : NULL;
}

void
job_end(struct dispatch *d, struct job *job, enum script_code verdict)
{
	job->verdict = verdict;
	job->engine = NULL;
	job->ended_us = clock_mono_us();
	if (verdict == SCRIPT_OK)
		share_ran(job->share, job->ended_us - job->sent_us);
	job_move(d, job, JOB_ENDED);
	pthread_cond_signal(&job->wake);
}

bool
job_is_idle(const struct job *job)
{
	return job->execution != NULL &&
	       (span_present(job->execution->replay) ||
		   job->execution->is_probe);
}

void
job_lost(struct dispatch *d, struct job *job)
{
	int64_t left_us = job->deadline_us - clock_mono_us();

	if (job->effect || job->attempt >= ATTEMPTS_MAX || job_is_idle(job) ||
	    left_us < ANSWER_MARGIN_MS * 1000) {
		job_end(d, job, SCRIPT_LOST);
		return;
	}
	metric_count(M_DISPATCH_EVENTS, "redispatched", NULL);
	job_requeue(d, job);
}

static uint64_t
wall_ms_of(const struct job *job, int64_t now_us)
{
	int64_t left_ms = (job->deadline_us - now_us) / 1000 - ANSWER_MARGIN_MS;
	int64_t wall_ms = job->execution->release->limits.wall_ms;

	if (left_ms < 1)
		left_ms = 1;
	return (uint64_t)(wall_ms < left_ms ? wall_ms : left_ms);
}

/* messages.def: job.record. */
static uint64_t
record_of(const struct execution *x)
{
	if (x->wants_recording)
		return 2;
	if (x->idp->record_keep <= 0)
		return 0;
	return x->idp->record_mode == RECORD_ALL        ? 2
	       : x->idp->record_mode == RECORD_FAILURES ? 1
							: 0;
}

enum err
job_encode(const struct job *job, struct buf *out)
{
	const struct execution *x = job->execution;
	const struct script_limits *limits = &x->release->limits;
	struct message message = {.type = MSG_JOB};
	struct msg_job *m = &message.job;

	m->job = job->number;
	m->attempt = job->attempt;
	m->idp = span_str(x->idp->identifier);
	m->correlation_id = span_str(x->correlation_id);
	m->release = span_of(x->release->hash, DIGEST_BYTES);
	m->kind = x->kind;
	m->source =
	    span_of(x->release->scripts[x->kind]->source_hash, DIGEST_BYTES);
	m->properties = span_of(x->idp->properties_version, DIGEST_BYTES);
	m->wall_ms = wall_ms_of(job, clock_mono_us());
	m->cpu_ms = (uint64_t)limits->cpu_ms;
	m->heap_bytes = (uint64_t)limits->heap_mib * 1024 * 1024;
	m->host_calls = (uint64_t)limits->host_calls;
	m->result_bytes = (uint64_t)limits->result_kib * 1024;
	m->log_bytes = (uint64_t)limits->log_kib * 1024;
	m->cache_value_bytes = (uint64_t)limits->cache_value_kib * 1024;
	m->cache_ttl_secs = (uint64_t)x->realm->cache_ttl_secs;
	m->executions_per_process = (uint64_t)limits->executions_per_process;
	m->http_body_bytes = (uint64_t)limits->http_body_kib * 1024;
	if (x->idp->http_allow.count > 0)
		m->http_allow = span_str(x->idp->http_allow_lines);
	m->http_ca = x->idp->http_ca_pem != NULL;
	m->data = x->data;
	m->registration_data = x->registration_data;
	m->custom_params = x->custom_params;
	m->record = record_of(x);
	if (x->trace.is_set) {
		m->trace = span_of(x->trace.trace, TRACE_ID_BYTES);
		m->span = span_of(x->trace.span, TRACE_SPAN_BYTES);
		m->sampled = x->trace.is_sampled;
	}
	m->replay = x->replay;
	return message_encode(&message, out, NULL);
}
