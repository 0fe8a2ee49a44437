/*
 * A child of a template: one process for one execution, or for several of one
 * release where the identity provider wants that.
 *
 * FORKING until its first word (the kernel tells its pid with it), WARM until
 * it is given a job, RUNNING until its outcome or its end, then RESTING until
 * it says that its heap is pristine again (which makes it WARM), or gone. DYING
 * once its socket is lost without an outcome and its exit status is awaited.
 *
 * Its bytes are hostile: assume native code of an attacker.
 * Threads: the main one.
 */
#ifndef POSTERN_WORKER_H
#define POSTERN_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "engine/front/conduit.h"
#include "engine/front/front.h"
#include "engine/front/reaper.h"

struct execution;
struct template_entry;

enum worker_state {
	WORKER_FORKING,
	WORKER_WARM,
	WORKER_RUNNING,
	WORKER_RESTING,
	WORKER_DYING
};

struct worker {
	TAILQ_ENTRY(worker) link; /* in its entry, unless running */
	enum worker_state state;
	struct front *front;
	struct template_entry *entry;
	struct execution *execution; /* while running and then dying */
	struct conduit conduit;
	pid_t pid;                   /* 0: not known yet */
	struct reaper_entry process; /* its pid is 0 once reaped */
	int pidfd;                   /* -1 while the pid is unknown */
	clockid_t cpu_clock;
	int64_t cpu_base_us;   /* CPU it had used when its job started */
	int64_t cpu_last_us;   /* last reading, final once reaped */
	int64_t cpu_idle_us;   /* CPU it had used when it became warm */
	struct timer deadline; /* of forking, of resting, and of dying */
	uint64_t executions;   /* begun */
	unsigned generation;   /* of the template that forked it */
	bool stays;            /* its run said keep */
	bool is_demoted;       /* by worker_demote(): not kept after this run */
};

TAILQ_HEAD(worker_list, worker);

/* A new one with its socket; `theirs_r` goes to the template, and the caller
 * closes it. NULL: no memory or descriptors. */
struct worker *
worker_new(struct front *front, struct template_entry *entry, int *theirs_r);

/* Whether it may have another execution after the one it is about to get, of
 * `executions_max` (0 counts as 1) in all. Remembered for worker_rest(). */
bool worker_will_stay(struct worker *worker, uint64_t executions_max);

/* Hands a warm worker its job. On an error kill it. */
enum err worker_run(struct worker *worker, struct execution *execution,
    const struct message *run, struct err_detail *detail) MUST_USE;

/* Its outcome came and it stays: child_idle is awaited. */
void worker_rest(struct worker *worker);

/* A warm one that computes: nothing of ours. */
bool worker_is_restless(struct worker *worker);

/* CPU time since worker_run(), as far as the kernel still tells. */
int64_t worker_cpu_us(struct worker *worker);

/* It computes for long: from now on it runs when nobody else wants to. There
 * is no way back without privileges. */
void worker_demote(struct worker *worker);

/* Kills the process if there is one and frees the worker at the end of the
 * turn. Nobody is told. Not to be used for one in its entry's lists. */
void worker_kill(struct worker *worker);

#endif
