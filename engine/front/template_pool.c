/*
 * Which template and which child serve a job: look-up, least-recently-used
 * eviction, warm children by demand. Not how a template's process lives
 * (template_process.c) nor where its text comes from (template_fetch.c).
 * Runs on the main thread.
 */
#include "engine/front/template_pool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "engine/front/execution.h"
#include "engine/front/template_fetch.h"
#include "engine/front/template_process.h"

TAILQ_HEAD(template_list, template_entry);

struct template_pool {
	struct template_list entries;
	unsigned count;
	struct timer decay;
};

/* What an entry takes: its texts, the template's process and its image, and
 * its children, whose copies of a small image are their own. */
static uint64_t
entry_cost_bytes(const struct template_entry *entry)
{
	uint64_t children = entry->forking_count + entry->warm_count +
			    entry->resting_count + entry->running;

	return entry->source.capacity + entry->properties.capacity +
	       FRONT_TEMPLATE_BYTES + entry->image_bytes +
	       children * FRONT_CHILD_BYTES;
}

static unsigned
entry_demand(const struct template_entry *entry)
{
	return entry->running + entry->waiting_count;
}

/* Warm children follow demand: up at once, down by one a period. */
static void
entry_decay(struct template_entry *entry)
{
	unsigned peak = entry->peak;
	struct worker *worker;

	if (entry->warm_target > FRONT_WARM_MIN &&
	    entry->warm_target > entry->peak)
		entry->warm_target--;
	entry->peak = entry_demand(entry);
	if (entry->warm_count <= entry->warm_target ||
	    entry->warm_count + entry->running <= peak + FRONT_WARM_MIN)
		return;
	worker = TAILQ_LAST(&entry->warm, worker_list);
	TAILQ_REMOVE(&entry->warm, worker, link);
	entry->warm_count--;
	worker_kill(worker);
}

/* A warm child has nothing to compute. */
static void
entry_kill_restless(struct template_entry *entry)
{
	struct worker *worker = TAILQ_FIRST(&entry->warm);
	struct worker *next;

	for (; worker != NULL; worker = next) {
		next = TAILQ_NEXT(worker, link);
		if (!worker_is_restless(worker))
			continue;
		log_warn("waiting child computes", LOG_STR("file", entry->file),
		    LOG_INT("pid", worker->pid));
		TAILQ_REMOVE(&entry->warm, worker, link);
		entry->warm_count--;
		worker_kill(worker);
	}
}

static void
pool_decay(void *owner)
{
	struct front *front = owner;
	struct template_entry *entry;

	TAILQ_FOREACH (entry, &front->pool->entries, link) {
		entry_decay(entry);
		entry_kill_restless(entry);
	}
	loop_timer_in(&front->loop, &front->pool->decay, FRONT_WARM_DECAY_MS);
}

struct template_pool *
template_pool_new(struct front *front)
{
	struct template_pool *pool = calloc(1, sizeof *pool);

	if (pool == NULL)
		return NULL;
	TAILQ_INIT(&pool->entries);
	timer_init(&pool->decay, pool_decay, front);
	loop_timer_in(&front->loop, &pool->decay, FRONT_WARM_DECAY_MS);
	return pool;
}

static void
worker_list_kill(struct worker_list *list)
{
	struct worker *worker;

	while ((worker = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, worker, link);
		worker_kill(worker);
	}
}

static void
entry_kill(struct template_entry *entry)
{
	worker_list_kill(&entry->forking);
	worker_list_kill(&entry->warm);
	worker_list_kill(&entry->resting);
	worker_list_kill(&entry->dying);
	entry->forking_count = entry->warm_count = entry->resting_count = 0;
	template_process_drop(entry);
}

static void
entry_free(struct template_entry *entry)
{
	struct front *front = entry->front;

	CHECK(entry_demand(entry) == 0);
	entry_kill(entry);
	template_fetch_fini(entry);
	TAILQ_REMOVE(&front->pool->entries, entry, link);
	front->pool->count--;
	loop_bury(&front->loop, entry);
}

static uint64_t
pool_cost_bytes(const struct front *front)
{
	const struct template_entry *entry;
	uint64_t bytes = 0;

	TAILQ_FOREACH (entry, &front->pool->entries, link)
		bytes += entry_cost_bytes(entry);
	return bytes;
}

/* Makes room for `more_bytes`, least recently used first; entries with a job
 * stay, and so does `keep`. A job is never refused for want of this room: the
 * slots bound how many templates can have one. */
static void
pool_evict(
    struct front *front, uint64_t more_bytes, const struct template_entry *keep)
{
	uint64_t bytes = pool_cost_bytes(front) + more_bytes;
	struct template_entry *entry;
	struct template_entry *before;

	entry = TAILQ_LAST(&front->pool->entries, template_list);
	for (; entry != NULL && bytes > front->settings->templates_max_bytes;
	     entry = before) {
		before = TAILQ_PREV(entry, template_list, link);
		if (entry == keep || entry_demand(entry) != 0)
			continue;
		bytes -= entry_cost_bytes(entry);
		front->counters.templates_evicted++;
		log_debug("template evicted", LOG_STR("file", entry->file));
		entry_free(entry);
	}
}

static struct template_entry *
entry_new(struct front *front, const struct template_key *key)
{
	struct template_entry *entry;

	pool_evict(front,
	    FRONT_TEMPLATE_BYTES + FRONT_WARM_MIN * FRONT_CHILD_BYTES, NULL);
	entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	entry->front = front;
	entry->key = *key;
	entry->warm_target = FRONT_WARM_MIN;
	TAILQ_INIT(&entry->forking);
	TAILQ_INIT(&entry->warm);
	TAILQ_INIT(&entry->resting);
	TAILQ_INIT(&entry->dying);
	TAILQ_INIT(&entry->waiting);
	template_fetch_init(entry);
	template_process_init(entry);
	TAILQ_INSERT_HEAD(&front->pool->entries, entry, link);
	front->pool->count++;
	return entry;
}

static struct template_key
key_of(const struct msg_job *job)
{
	struct template_key key;

	/* Padding too: keys are compared as bytes. */
	memset(&key, 0, sizeof key);
	memcpy(key.release, job->release.data, sizeof key.release);
	memcpy(key.source, job->source.data, sizeof key.source);
	memcpy(key.properties, job->properties.data, sizeof key.properties);
	key.kind = job->kind;
	key.heap_bytes = job->heap_bytes;
	return key;
}

static struct template_entry *
pool_get(struct front *front, const struct msg_job *job)
{
	struct template_key key = key_of(job);
	struct template_entry *entry;

	TAILQ_FOREACH (entry, &front->pool->entries, link) {
		if (memcmp(&entry->key, &key, sizeof key) != 0)
			continue;
		TAILQ_REMOVE(&front->pool->entries, entry, link);
		TAILQ_INSERT_HEAD(&front->pool->entries, entry, link);
		return entry;
	}
	return entry_new(front, &key);
}

enum err
template_pool_want(struct front *front, struct execution *execution)
{
	struct template_entry *entry = pool_get(front, &execution->job);

	if (entry == NULL)
		return ERR_NOMEM;
	entry->used_us = clock_mono_us();
	execution->entry = entry;
	TAILQ_INSERT_TAIL(&entry->waiting, execution, waiting);
	entry->waiting_count++;
	if (entry_demand(entry) > entry->peak)
		entry->peak = entry_demand(entry);
	/* It has to wait for a fork: next time there shall be one more. */
	if (entry->warm_count == 0 && entry->state == TEMPLATE_READY &&
	    entry->warm_target < front->settings->slots)
		entry->warm_target++;
	template_pool_serve(entry);
	return OK;
}

void
template_pool_unwant(struct execution *execution)
{
	TAILQ_REMOVE(&execution->entry->waiting, execution, waiting);
	execution->entry->waiting_count--;
	execution->entry = NULL;
}

void
template_pool_done(struct execution *execution)
{
	CHECK(execution->entry->running > 0);
	execution->entry->running--;
	execution->entry = NULL;
}

void
template_pool_fail(
    struct template_entry *entry, enum script_code code, const char *sentence)
{
	struct execution *execution;

	while ((execution = TAILQ_FIRST(&entry->waiting)) != NULL)
		execution_end(execution, code, sentence);
}

/* Gives warm children to those who wait. */
static void
entry_match(struct template_entry *entry)
{
	while (entry->waiting_count > 0 && entry->warm_count > 0) {
		struct execution *execution = TAILQ_FIRST(&entry->waiting);
		struct worker *worker = TAILQ_FIRST(&entry->warm);

		TAILQ_REMOVE(&entry->waiting, execution, waiting);
		entry->waiting_count--;
		TAILQ_REMOVE(&entry->warm, worker, link);
		entry->warm_count--;
		entry->running++;
		execution_start(execution, worker);
	}
}

/* False: the template cannot take a request now. */
static bool
entry_fork(struct template_entry *entry)
{
	struct worker *worker;
	int theirs;
	enum err err;

	worker = worker_new(entry->front, entry, &theirs);
	if (worker == NULL)
		return false;
	err = template_process_fork(entry, theirs);
	close(theirs);
	if (err != OK) {
		worker_kill(worker);
		return false;
	}
	entry->forks++;
	TAILQ_INSERT_TAIL(&entry->forking, worker, link);
	entry->forking_count++;
	return true;
}

static void
entry_fork_missing(struct template_entry *entry)
{
	unsigned wanted = entry->warm_target;

	if (entry->retry.armed)
		return;
	if (entry->waiting_count > wanted)
		wanted = entry->waiting_count;
	/* One that rests is about to be warm. */
	while (entry->warm_count + entry->forking_count + entry->resting_count <
	       wanted) {
		if (!entry_fork(entry))
			return;
	}
}

/* Whether a template that is not there should be. */
static bool
entry_needs_template(const struct template_entry *entry)
{
	int64_t idle_us = clock_mono_us() - entry->used_us;

	if (entry->waiting_count > 0)
		return true;
	return !entry->is_broken &&
	       (entry->running > 0 ||
		   idle_us < FRONT_TEMPLATE_DEMAND_MS * 1000);
}

/* Each process has one address layout, and so have all its children. */
static bool
entry_is_worn(const struct template_entry *entry)
{
	const struct front_settings *settings = entry->front->settings;

	return entry->state == TEMPLATE_READY &&
	       (entry->forks >= settings->template_forks_max ||
		   clock_mono_us() - entry->started_us >=
		       settings->template_age_us);
}

/* Warm children serve until the next process is ready. */
static void
entry_renew(struct template_entry *entry)
{
	entry->front->counters.templates_renewed++;
	worker_list_kill(&entry->forking);
	entry->forking_count = 0;
	template_process_drop(entry);
	template_process_start(entry);
}

void
template_pool_ready(struct template_entry *entry)
{
	struct worker *worker = TAILQ_FIRST(&entry->warm);
	struct worker *next;

	for (; worker != NULL; worker = next) {
		next = TAILQ_NEXT(worker, link);
		if (worker->generation == entry->generation)
			continue;
		TAILQ_REMOVE(&entry->warm, worker, link);
		entry->warm_count--;
		worker_kill(worker);
	}
	pool_evict(entry->front, 0, entry);
	template_pool_serve(entry);
}

void
template_pool_serve(struct template_entry *entry)
{
	entry_match(entry);
	if (entry_is_worn(entry))
		entry_renew(entry);
	switch (entry->state) {
	case TEMPLATE_READY:
		entry_fork_missing(entry);
		return;
	case TEMPLATE_ABSENT:
		if (entry_needs_template(entry) &&
		    template_fetch_ready(entry) && !entry->retry.armed)
			template_process_start(entry);
		return;
	case TEMPLATE_STARTING:
	case TEMPLATE_DYING:
		return; /* it serves again when that is over */
	}
}

void
template_pool_child_ready(struct worker *worker)
{
	struct template_entry *entry = worker->entry;

	TAILQ_REMOVE(&entry->forking, worker, link);
	entry->forking_count--;
	TAILQ_INSERT_TAIL(&entry->warm, worker, link);
	entry->warm_count++;
	/* Forks work, so a next failure is a first one; not if the template
	 * is one of a series that die young. */
	if (clock_mono_us() - entry->started_us >=
	    FRONT_TEMPLATE_STABLE_MS * 1000)
		entry->backoff_ms = 0;
	template_pool_serve(entry);
}

void
template_pool_rest(struct worker *worker)
{
	struct template_entry *entry = worker->entry;

	worker_rest(worker);
	TAILQ_INSERT_TAIL(&entry->resting, worker, link);
	entry->resting_count++;
}

void
template_pool_drop_resting(struct worker *worker)
{
	struct template_entry *entry = worker->entry;

	TAILQ_REMOVE(&entry->resting, worker, link);
	entry->resting_count--;
	worker_kill(worker);
	template_pool_serve(entry);
}

void
template_pool_child_idle(struct worker *worker)
{
	struct template_entry *entry = worker->entry;

	/* Of an older template's layout: no more of it. */
	if (worker->generation != entry->generation) {
		template_pool_drop_resting(worker);
		return;
	}
	TAILQ_REMOVE(&entry->resting, worker, link);
	entry->resting_count--;
	/* First: its memory is in the caches, the last ones are surplus. */
	TAILQ_INSERT_HEAD(&entry->warm, worker, link);
	entry->warm_count++;
	template_pool_serve(entry);
}

void
template_pool_remove_warm(struct worker *worker)
{
	TAILQ_REMOVE(&worker->entry->warm, worker, link);
	worker->entry->warm_count--;
	TAILQ_INSERT_TAIL(&worker->entry->dying, worker, link);
}

void
template_pool_child_died(struct worker *worker, const int *status)
{
	struct template_entry *entry = worker->entry;
	char text[REAPER_TEXT_BYTES];

	if (worker->state == WORKER_WARM)
		template_pool_remove_warm(worker);
	TAILQ_REMOVE(&entry->dying, worker, link);
	log_warn("waiting child died", LOG_STR("file", entry->file),
	    LOG_STR("how", status == NULL ? "not reaped"
					  : reaper_describe(*status, text)));
	worker_kill(worker);
	template_pool_serve(entry);
}

void
template_pool_fork_failed(struct worker *worker, const char *why)
{
	struct template_entry *entry = worker->entry;

	TAILQ_REMOVE(&entry->forking, worker, link);
	entry->forking_count--;
	worker_kill(worker);
	/* Those of a dead template are its obituary's business. */
	if (entry->state != TEMPLATE_READY)
		return;
	entry->front->counters.forks_failed++;
	log_warn("template did not fork", LOG_STR("file", entry->file),
	    LOG_STR("error", why));
	template_process_back_off(entry);
}

void
template_pool_resume(struct front *front)
{
	struct template_entry *entry;

	TAILQ_FOREACH (entry, &front->pool->entries, link)
		template_pool_serve(entry);
}

void
template_pool_kill_all(struct front *front)
{
	struct template_entry *entry;

	TAILQ_FOREACH (entry, &front->pool->entries, link)
		entry_kill(entry);
}

unsigned
template_pool_count(const struct front *front)
{
	return front->pool->count;
}
