/*
 * Timers of one loop: a list sorted by time. There are a few per slot and per
 * template (about 200 at most), most are set far ahead and cleared unfired, so
 * a list searched from its end beats a heap and allocates nothing.
 *
 * A timer is embedded in its owner, who clears it before freeing itself.
 * Threads: the loop's.
 */
#ifndef POSTERN_TIMERS_H
#define POSTERN_TIMERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct timer {
	TAILQ_ENTRY(timer) link;
	int64_t at_us; /* monotonic; valid while armed */
	bool armed;
	void (*fired)(void *owner);
	void *owner;
};

TAILQ_HEAD(timer_list, timer);

struct timers {
	struct timer_list list;
	int64_t floor_us; /* while running: nothing is set earlier than this */
};

void timers_init(struct timers *timers);

void timer_init(struct timer *timer, void (*fired)(void *owner), void *owner);

/* (Re-)arms; a time that has passed fires in the next timers_run(). */
void timer_set(struct timers *timers, struct timer *timer, int64_t at_us);

void timer_clear(struct timers *timers, struct timer *timer);

/* Milliseconds until the first is due, rounded up (0: now), -1: none armed. */
int timers_wait_ms(const struct timers *timers, int64_t now_us);

/* Fires all that are due at `now_us`. A handler may set and clear any timer;
 * one set to `now_us` or earlier by a handler fires 1 us later. */
void timers_run(struct timers *timers, int64_t now_us);

#endif
