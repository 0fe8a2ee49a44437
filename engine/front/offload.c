/*
 * Threads with a bounded queue before and a list behind them (see offload.h).
 * Knows no task. Both sides run here; the mutex guards the two lists.
 */
#include "engine/front/offload.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/check.h"

TAILQ_HEAD(offload_tasks, offload_task);

struct offload {
	pthread_mutex_t lock; /* guards the lists and `waiting` */
	pthread_cond_t came;
	struct offload_tasks queue;
	struct offload_tasks finished;
	unsigned waiting;
	unsigned queue_max;
	struct loop_source source; /* an eventfd: something finished */
};

static void *
offload_thread(void *argument)
{
	const uint64_t one = 1;
	struct offload *offload = argument;
	struct offload_task *task;

	for (;;) {
		pthread_mutex_lock(&offload->lock);
		while ((task = TAILQ_FIRST(&offload->queue)) == NULL)
			pthread_cond_wait(&offload->came, &offload->lock);
		TAILQ_REMOVE(&offload->queue, task, link);
		offload->waiting--;
		pthread_mutex_unlock(&offload->lock);
		task->run(task);
		pthread_mutex_lock(&offload->lock);
		TAILQ_INSERT_TAIL(&offload->finished, task, link);
		pthread_mutex_unlock(&offload->lock);
		CHECK(write(offload->source.fd, &one, sizeof one) ==
		      (ssize_t)sizeof one);
	}
	return NULL;
}

static void
offload_ready(void *owner, uint32_t events)
{
	struct offload *offload = owner;
	struct offload_tasks finished = TAILQ_HEAD_INITIALIZER(finished);
	struct offload_task *task;
	uint64_t count;

	(void)events;
	(void)!read(offload->source.fd, &count, sizeof count);
	pthread_mutex_lock(&offload->lock);
	TAILQ_CONCAT(&finished, &offload->finished, link);
	pthread_mutex_unlock(&offload->lock);
	while ((task = TAILQ_FIRST(&finished)) != NULL) {
		TAILQ_REMOVE(&finished, task, link);
		task->done(task);
	}
}

static enum err
offload_start(
    struct offload *offload, unsigned threads, struct err_detail *detail)
{
	pthread_t thread;

	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, offload_thread, offload) !=
			0 ||
		    pthread_detach(thread) != 0)
			return err_set(detail, ERR_NOMEM, "no thread");
	return OK;
}

enum err
offload_open(struct loop *loop, unsigned threads, unsigned queue_max,
    struct offload **offload_r, struct err_detail *detail)
{
	struct offload *offload = calloc(1, sizeof *offload);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum err err;

	if (offload == NULL || fd < 0) {
		free(offload);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	CHECK(pthread_mutex_init(&offload->lock, NULL) == 0);
	CHECK(pthread_cond_init(&offload->came, NULL) == 0);
	TAILQ_INIT(&offload->queue);
	TAILQ_INIT(&offload->finished);
	offload->queue_max = queue_max + threads;
	offload->source = (struct loop_source){
	    .fd = -1, .ready = offload_ready, .owner = offload};
	/* From here on it stays, also if the process is about to end. */
	*offload_r = offload;
	err = loop_watch(loop, &offload->source, fd, EPOLLIN);
	if (err != OK)
		return err_set_errno(detail, err, "epoll");
	return offload_start(offload, threads, detail);
}

enum err
offload_submit(struct offload *offload, struct offload_task *task)
{
	enum err err = ERR_FULL;

	pthread_mutex_lock(&offload->lock);
	if (offload->waiting < offload->queue_max) {
		offload->waiting++;
		TAILQ_INSERT_TAIL(&offload->queue, task, link);
		pthread_cond_signal(&offload->came);
		err = OK;
	}
	pthread_mutex_unlock(&offload->lock);
	return err;
}
