/*
 * A local engine, `postern-engine local`, as a child of `postern`: jobs to it,
 * outcomes from it (docs/LOCAL-ENGINE.md). It ends with its input, and at once
 * when `postern` is gone.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_LOCAL_H
#define POSTERN_CTL_LOCAL_H

#include <jansson.h>

#include "common/err.h"

struct ctl_local;

/*
 * Starts the engine beside this executable, or the one that the environment
 * variable POSTERN_ENGINE names. ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
 */
enum err
ctl_local_start(struct ctl_local **local_r, struct err_detail *detail) MUST_USE;

/* Queues a job; the document stays the caller's. */
enum err ctl_local_send(struct ctl_local *local, const json_t *job) MUST_USE;

/*
 * Waits for the next outcome, of whichever job. ERR_LOST: the engine ended;
 * ERR_STATE: interrupted by a signal.
 */
enum err ctl_local_next(struct ctl_local *local, json_t **outcome_r,
    struct err_detail *detail) MUST_USE;

/* Ends the engine and waits for it; NULL is fine. */
void ctl_local_stop(struct ctl_local *local);

#endif
