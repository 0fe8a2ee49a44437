/*
 * How the slots of an engine are shared between identity providers, so that
 * one whose scripts loop or wait holds up nobody else's.
 *
 * Each IdP that had work lately has a fair share of every engine: slots times
 * its weight over the weights of all. Within it an IdP may always take a free
 * slot; beyond it only while some are left over for those within theirs. So
 * who comes rarely finds a slot free, and who is alone has them all. Not here:
 * the order of jobs (engines.c) or how much may wait (dispatch.c).
 *
 * Same lock as jobs.h: everything here is locked.
 */
#ifndef POSTERN_SHARE_H
#define POSTERN_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gateway/realm/realm.h"

struct dispatch;
struct engine;
struct job;

/* An IdP counts as one that shares for this long after its last job: a login
 * every few minutes must find its slot. */
#define SHARE_MEMORY_US (10 * 60 * 1000000ll)

/* One slot in so many is left for IdPs within their share, at least one: what
 * a busy IdP gives up so that another need not wait for its scripts' ends. */
#define SHARE_RESERVE_PART 4

/* The mean of so many executions, about: a change shows within a second. */
#define SHARE_MEAN_OF 8

#define SHARE_IDP_BYTES 65 /* REALM.md: identifiers up to 64 */

struct share {
	LIST_ENTRY(share) link; /* dispatch.shares */
	char idp[SHARE_IDP_BYTES];
	int64_t weight;
	int64_t seen_us;
	int64_t run_us; /* how long executions hold a slot: a running mean */
	unsigned jobs;  /* that point here, in any state */
	uint64_t round; /* the matching that found no slot for it */
};
LIST_HEAD(share_list, share);

/* The share of a new job's IdP; share_leave() when the job is freed. NULL: out
 * of memory. */
struct share *share_join(struct dispatch *d, const struct realm_idp *idp);
void share_leave(struct share *share);

/* An execution of it held a slot so long. */
void share_ran(struct share *share, int64_t run_us);

/* How long its executions hold a slot; 0: not known. */
int64_t share_run_us(struct dispatch *d, const char *idp);

/* Weights of all that had work lately; for share_allows(). */
int64_t share_weights(struct dispatch *d, int64_t now_us);

enum share_claim { SHARE_WITHIN, SHARE_BEYOND };

/* Whether this waiting job may have one of the engine's free slots, as one that
 * is within its share or as one beyond. */
bool share_allows(struct dispatch *d, const struct job *job,
    const struct engine *engine, int64_t weights, enum share_claim claim);

#endif
