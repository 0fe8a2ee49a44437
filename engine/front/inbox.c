/*
 * The hand-over from nng's threads to the main thread; it looks into nothing.
 * Writers: nng's threads. Reader: the main thread.
 */
#include "engine/front/inbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/check.h"
#include "proto/message.h"

struct inbox_cell {
	bool full;
	enum err err;
	struct buf bytes;
};

struct inbox {
	int event_fd;
	pthread_mutex_t lock; /* guards all below */
	bool lost;            /* since the last delivery */
	bool up;              /* there is a connection now */
	bool up_is_news;
	unsigned contexts;
	struct inbox_cell cells[];
};

struct inbox *
inbox_new(unsigned contexts)
{
	struct inbox *inbox =
	    calloc(1, sizeof *inbox + contexts * sizeof inbox->cells[0]);

	if (inbox == NULL)
		return NULL;
	inbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inbox->event_fd < 0) {
		free(inbox);
		return NULL;
	}
	CHECK(pthread_mutex_init(&inbox->lock, NULL) == 0);
	inbox->contexts = contexts;
	for (unsigned i = 0; i < contexts; i++)
		buf_init(&inbox->cells[i].bytes, MESSAGE_MAX_BYTES);
	return inbox;
}

int
inbox_event_fd(const struct inbox *inbox)
{
	return inbox->event_fd;
}

static void
inbox_wake(struct inbox *inbox)
{
	uint64_t one = 1;

	/* Can only fail by overflow, when it is readable anyway. */
	ssize_t ignored = write(inbox->event_fd, &one, sizeof one);
	(void)ignored;
}

void
inbox_answered(void *user, unsigned context, enum err err, struct span bytes)
{
	struct inbox *inbox = user;
	struct inbox_cell *cell;

	CHECK(context < inbox->contexts);
	cell = &inbox->cells[context];
	pthread_mutex_lock(&inbox->lock);
	CHECK(!cell->full);
	buf_reset(&cell->bytes);
	if (err == OK)
		buf_append_span(&cell->bytes, bytes);
	cell->err = err != OK ? err : buf_status(&cell->bytes);
	cell->full = true;
	pthread_mutex_unlock(&inbox->lock);
	inbox_wake(inbox);
}

void
inbox_connected(void *user, bool up)
{
	struct inbox *inbox = user;

	pthread_mutex_lock(&inbox->lock);
	inbox->up = up;
	inbox->up_is_news = true;
	if (!up)
		inbox->lost = true;
	pthread_mutex_unlock(&inbox->lock);
	inbox_wake(inbox);
}

static void
inbox_deliver_cell(
    struct inbox *inbox, unsigned context, const struct inbox_sink *sink)
{
	struct inbox_cell *cell = &inbox->cells[context];
	struct buf bytes;
	enum err err;

	pthread_mutex_lock(&inbox->lock);
	if (!cell->full) {
		pthread_mutex_unlock(&inbox->lock);
		return;
	}
	err = cell->err;
	bytes = cell->bytes;
	buf_init(&cell->bytes, MESSAGE_MAX_BYTES);
	cell->full = false;
	pthread_mutex_unlock(&inbox->lock);
	sink->answered(sink->owner, context, err, buf_span(&bytes));
	buf_fini(&bytes);
}

void
inbox_deliver(struct inbox *inbox, const struct inbox_sink *sink)
{
	bool lost;
	bool up;
	uint64_t count;
	ssize_t ignored = read(inbox->event_fd, &count, sizeof count);

	(void)ignored;
	pthread_mutex_lock(&inbox->lock);
	lost = inbox->lost;
	up = inbox->up && inbox->up_is_news;
	inbox->lost = false;
	inbox->up_is_news = false;
	pthread_mutex_unlock(&inbox->lock);
	/* The loss first, so that nobody answers it with a question that would
	 * leave by the next connection, ahead of its hello. */
	if (lost)
		sink->lost(sink->owner);
	for (unsigned i = 0; i < inbox->contexts; i++)
		inbox_deliver_cell(inbox, i, sink);
	if (up)
		sink->up(sink->owner);
}
