/*
 * When the writer waits a little for a group to grow: a commit costs about the
 * same for one operation as for many, and each commit wakes the writer.
 * It waits where many callers are there, which the largest group of late
 * tells, and while waiting pays, by what the last waits brought. A few callers
 * never wait: the next operation of each comes only after its answer.
 * Private to store/. Not here: clocks, locks and the waiting itself.
 *
 * Threads: the writer's own.
 */
#ifndef POSTERN_STORE_GATHER_H
#define POSTERN_STORE_GATHER_H

/* What a caller may lose at most; an fsync takes longer on most disks. */
#define GATHER_US 1000

/* So many make a commit cheap for each: no need for more. */
#define GATHER_ENOUGH 64

/* Zeroed: has not waited yet. */
struct store_gather {
	unsigned brought_x16; /* by a wait, on average, sixteenths */
	unsigned largest_x16; /* group of late, likewise; falls slowly */
	unsigned passed;      /* groups since the last wait */
};

/* How many operations to wait for, where `queued` are there; 0: not to wait. */
unsigned store_gather_until(struct store_gather *gather, unsigned queued);

/* A wait made `queued` operations `grown`. */
void store_gather_waited(
    struct store_gather *gather, unsigned queued, unsigned grown);

/* A group of so many is committed, with or without a wait. */
void store_gather_taken(struct store_gather *gather, unsigned count);

#endif
