/*
 * The engine's event loop: epoll, timers, and memory that may only be freed
 * once a turn is over.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_LOOP_H
#define POSTERN_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "common/err.h"
#include "engine/front/timers.h"

#define LOOP_BATCH 64

/* A descriptor being watched; embedded in its owner. */
struct loop_source {
	int fd; /* -1: not watched */
	uint32_t events;
	void (*ready)(void *owner, uint32_t events);
	void *owner;
};

struct loop {
	int epoll_fd;
	struct timers timers;
	/* What epoll_wait gave in this turn and is still to be delivered. */
	struct epoll_event batch[LOOP_BATCH];
	int batch_next;
	int batch_count;
	/* Freed at the end of the turn; grows as needed. */
	void **graves;
	unsigned grave_count;
	unsigned grave_capacity;
};

enum err loop_init(struct loop *loop, struct err_detail *detail) MUST_USE;

/* Level-triggered. The descriptor stays the owner's. */
enum err loop_watch(struct loop *loop, struct loop_source *source, int fd,
    uint32_t events) MUST_USE;

void
loop_change(struct loop *loop, struct loop_source *source, uint32_t events);

/* No event for this source comes after this, not even one of this turn. */
void loop_forget(struct loop *loop, struct loop_source *source);

/* Milliseconds from now. */
void loop_timer_in(struct loop *loop, struct timer *timer, int64_t ms);

/* Frees `memory` when this turn is over: callers up the stack may still look
 * at it. */
void loop_bury(struct loop *loop, void *memory);

/* Waits for events or the first timer and delivers them all. */
void loop_turn(struct loop *loop);

#endif
