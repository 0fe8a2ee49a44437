/*
 * An execution that nobody waits for: it runs only on slots that are idle, or
 * not at all. It never queues, so it stands in no live job's way but by the
 * slot it has. Shadow runs (shadow.h) are such; they bring the answers to their
 * host calls along and are refused every effect.
 *
 * Threads: one that may block for the length of an execution.
 */
#ifndef POSTERN_DISPATCH_IDLE_H
#define POSTERN_DISPATCH_IDLE_H

#include "gateway/dispatch/dispatch.h"

/* Idle is: nobody waits, and of the slots that may run this IdP's scripts one
 * in so many is free, two at least. */
#define DISPATCH_IDLE_PART      2
#define DISPATCH_IDLE_SLOTS_MIN 2

/*
 * As dispatch_run(), without admission, and nothing is logged, counted or
 * recorded. `execution->replay` must be there, or it is a probe, which needs no
 * more than one free slot. ERR_UNAVAILABLE: not idle, the
 * gateway stops, or it is too large in sum. A lost engine, or a stop, ends it
 * as SCRIPT_LOST.
 */
enum err
dispatch_idle_run(struct dispatch *dispatch, const struct execution *execution,
    struct arena *arena, struct execution_result *result_r) MUST_USE;

/* Ends all of them: the gateway stops. Locked (jobs.h). */
void dispatch_idle_stop(struct dispatch *dispatch);

#endif
