/*
 * Whether one more execution may wait for an engine. Refusing costs a
 * millisecond, waiting in vain costs the caller seconds and us a thread, so
 * what cannot end well is refused at once and before anything was claimed:
 * nothing of a transaction is spent.
 *
 * The places of the queue are shared: an identity provider has a part of them,
 * and of that a (client, source) has a part again. Who floods fills its own
 * part, and the others still find places, ahead of it: of an IdP those come
 * first whose callers have the fewest waiting. Not here: slots (share.c).
 *
 * Same lock as jobs.h: everything here is locked.
 */
#ifndef POSTERN_ADMISSION_H
#define POSTERN_ADMISSION_H

#include "gateway/dispatch/jobs.h"

/* One HTTP thread in so many never waits here: it tells the others that they
 * are refused. */
#define ADMISSION_REFUSER_PART 8

/* What an IdP may have of all places and a caller of its IdP's, at most: three
 * of so many parts. */
#define ADMISSION_PARTS 4

/* REFUSED_NOT: it may wait. */
enum refusal admission_judge(struct dispatch *d, const struct realm_idp *idp,
    const struct dispatch_caller *caller, int64_t deadline_us);

/* Gives a job that has just come to the queue's end the place of its caller.
 */
void admission_place(struct dispatch *d, struct job *job);

#endif
