/*
 * Work that would hold the loop: done by threads, finished on the loop's.
 *
 * Threads: everything here is the main thread's, except a task's `run`, which
 * a thread of the offload runs. A task belongs to the offload from
 * offload_submit() until its `done`.
 */
#ifndef POSTERN_OFFLOAD_H
#define POSTERN_OFFLOAD_H

#include <sys/queue.h>

#include "common/err.h"
#include "engine/front/loop.h"

struct offload;

/* Embedded in whatever the work is about. */
struct offload_task {
	TAILQ_ENTRY(offload_task) link;
	void (*run)(struct offload_task *task);  /* touches only the task */
	void (*done)(struct offload_task *task); /* from the loop */
};

/* `queue_max` tasks may wait beyond those that run. Lives as long as the
 * process. */
enum err offload_open(struct loop *loop, unsigned threads, unsigned queue_max,
    struct offload **offload_r, struct err_detail *detail) MUST_USE;

/* ERR_FULL: refused, the task stays the caller's. */
enum err
offload_submit(struct offload *offload, struct offload_task *task) MUST_USE;

#endif
