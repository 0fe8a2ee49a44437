/*
 * A child of a template: one process for one execution.
 *
 * FORKING until its first word (the kernel tells its pid with it), WARM until
 * it is given a job, RUNNING until its outcome or its end, DYING once its
 * socket is gone without an outcome and its exit status is awaited.
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

enum worker_state { WORKER_FORKING, WORKER_WARM, WORKER_RUNNING, WORKER_DYING };

struct worker {
	TAILQ_ENTRY(worker) link; /* in its entry, while forking or warm */
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
	struct timer deadline; /* of forking, and of dying */
};

TAILQ_HEAD(worker_list, worker);

/* A new one with its socket; `theirs_r` goes to the template, and the caller
 * closes it. NULL: no memory or descriptors. */
struct worker *
worker_new(struct front *front, struct template_entry *entry, int *theirs_r);

/* Hands a warm worker its job. On an error kill it. */
enum err worker_run(struct worker *worker, struct execution *execution,
    const struct message *run, struct err_detail *detail) MUST_USE;

/* CPU time since worker_run(), as far as the kernel still tells. */
int64_t worker_cpu_us(struct worker *worker);

/* Kills the process if there is one and frees the worker at the end of the
 * turn. Nobody is told. Not to be used for one in its entry's lists. */
void worker_kill(struct worker *worker);

#endif
