/*
 * The sorted list of timers. It does not know what time it is: callers say.
 * Runs on the loop's thread.
 */
#include "engine/front/timers.h"

#include <limits.h>
#include <stddef.h>

#include "common/check.h"

void
timers_init(struct timers *timers)
{
	TAILQ_INIT(&timers->list);
	timers->floor_us = INT64_MIN;
}

void
timer_init(struct timer *timer, void (*fired)(void *owner), void *owner)
{
	*timer = (struct timer){.fired = fired, .owner = owner};
}

void
timer_set(struct timers *timers, struct timer *timer, int64_t at_us)
{
	struct timer *before;

	CHECK(timer->fired != NULL);
	timer_clear(timers, timer);
	if (at_us < timers->floor_us)
		at_us = timers->floor_us;
	timer->at_us = at_us;
	timer->armed = true;
	before = TAILQ_LAST(&timers->list, timer_list);
	while (before != NULL && before->at_us > at_us)
		before = TAILQ_PREV(before, timer_list, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&timers->list, timer, link);
	else
		TAILQ_INSERT_AFTER(&timers->list, before, timer, link);
}

void
timer_clear(struct timers *timers, struct timer *timer)
{
	if (!timer->armed)
		return;
	TAILQ_REMOVE(&timers->list, timer, link);
	timer->armed = false;
}

int
timers_wait_ms(const struct timers *timers, int64_t now_us)
{
	const struct timer *first = TAILQ_FIRST(&timers->list);
	int64_t wait_ms;

	if (first == NULL)
		return -1;
	if (first->at_us <= now_us)
		return 0;
	/* Rounded up: waking early would only mean waking twice. */
	wait_ms = (first->at_us - now_us - 1) / 1000 + 1;
	return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

void
timers_run(struct timers *timers, int64_t now_us)
{
	struct timer *due;

	/* A handler that re-arms itself for the past cannot keep us here. */
	timers->floor_us = now_us + 1;
	while ((due = TAILQ_FIRST(&timers->list)) != NULL &&
	       due->at_us <= now_us) {
		TAILQ_REMOVE(&timers->list, due, link);
		due->armed = false;
		due->fired(due->owner);
	}
	timers->floor_us = INT64_MIN;
}
