/*
 * epoll and timers, nothing of what they are for. Runs on the main thread.
 */
#include "engine/front/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"

enum err
loop_init(struct loop *loop, struct err_detail *detail)
{
	*loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	timers_init(&loop->timers);
	if (loop->epoll_fd < 0)
		return err_set_errno(detail, ERR_IO, "epoll_create1");
	return OK;
}

enum err
loop_watch(
    struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return ERR_IO;
	source->fd = fd;
	source->events = events;
	return OK;
}

void
loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (source->events == events)
		return;
	source->events = events;
	CHECK(
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) == 0);
}

void
loop_forget(struct loop *loop, struct loop_source *source)
{
	if (source->fd < 0)
		return;
	CHECK(epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL) == 0);
	source->fd = -1;
	for (int i = loop->batch_next; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
	}
}

void
loop_timer_in(struct loop *loop, struct timer *timer, int64_t ms)
{
	timer_set(&loop->timers, timer, clock_mono_us() + ms * 1000);
}

void
loop_bury(struct loop *loop, void *memory)
{
	if (loop->grave_count == loop->grave_capacity) {
		unsigned capacity = loop->grave_capacity * 2 + 64;
		void **graves =
		    realloc(loop->graves, capacity * sizeof *graves);

		/* Dying is safe (crash-only); a leak would go on for ever. */
		CHECK(graves != NULL);
		loop->graves = graves;
		loop->grave_capacity = capacity;
	}
	loop->graves[loop->grave_count++] = memory;
}

static void
loop_free_graves(struct loop *loop)
{
	while (loop->grave_count > 0)
		free(loop->graves[--loop->grave_count]);
}

void
loop_turn(struct loop *loop)
{
	int wait_ms = timers_wait_ms(&loop->timers, clock_mono_us());
	int count;

	count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, wait_ms);
	CHECK(count >= 0 || errno == EINTR);
	loop->batch_count = count < 0 ? 0 : count;
	for (loop->batch_next = 0; loop->batch_next < loop->batch_count;) {
		struct epoll_event *event = &loop->batch[loop->batch_next++];
		struct loop_source *source = event->data.ptr;

		if (source != NULL)
			source->ready(source->owner, event->events);
	}
	loop->batch_count = 0;
	timers_run(&loop->timers, clock_mono_us());
	loop_free_graves(loop);
}
