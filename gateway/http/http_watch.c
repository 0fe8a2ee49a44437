/*
 * The deadlines of reads under way, see http_watch.h. Not the reading. Its
 * thread sleeps until the earliest deadline and does nothing else.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/check.h"
#include "common/clock.h"
#include "gateway/http/http_watch.h"

enum read_state { READ_FREE, READ_WATCHED, READ_CUT };

struct watched_read {
	enum read_state state;
	int socket;
	int64_t deadline_us;
};

struct http_watch {
	pthread_mutex_t mutex;
	pthread_cond_t wake; /* monotonic */
	pthread_t thread;
	int64_t next_us; /* when the thread looks again */
	bool is_closing;
	unsigned reads_max;
	struct watched_read reads[];
};

/* Cuts what is due; returns the earliest deadline that is left. */
static int64_t
cut_late_reads(struct http_watch *watch, int64_t now_us)
{
	int64_t next_us = INT64_MAX;

	for (unsigned i = 0; i < watch->reads_max; i++) {
		struct watched_read *read = &watch->reads[i];

		if (read->state != READ_WATCHED)
			continue;
		if (read->deadline_us <= now_us) {
			(void)shutdown(read->socket, SHUT_RD);
			read->state = READ_CUT;
		} else if (read->deadline_us < next_us) {
			next_us = read->deadline_us;
		}
	}
	return next_us;
}

static void *
watch_main(void *user)
{
	struct http_watch *watch = user;

	CHECK(pthread_mutex_lock(&watch->mutex) == 0);
	while (!watch->is_closing) {
		watch->next_us = cut_late_reads(watch, clock_mono_us());
		if (watch->next_us == INT64_MAX) {
			(void)pthread_cond_wait(&watch->wake, &watch->mutex);
		} else {
			struct timespec until =
			    clock_timespec_of_us(watch->next_us);

			(void)pthread_cond_timedwait(
			    &watch->wake, &watch->mutex, &until);
		}
	}
	CHECK(pthread_mutex_unlock(&watch->mutex) == 0);
	return NULL;
}

static void
watch_init(struct http_watch *watch, unsigned reads_max)
{
	pthread_condattr_t attributes;

	CHECK(pthread_mutex_init(&watch->mutex, NULL) == 0);
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&watch->wake, &attributes) == 0);
	CHECK(pthread_condattr_destroy(&attributes) == 0);
	watch->next_us = INT64_MAX;
	watch->reads_max = reads_max;
}

enum err
http_watch_open(unsigned reads_max, struct http_watch **watch_r)
{
	struct http_watch *watch =
	    calloc(1, sizeof *watch + reads_max * sizeof watch->reads[0]);

	if (watch == NULL)
		return ERR_NOMEM;
	watch_init(watch, reads_max);
	if (pthread_create(&watch->thread, NULL, watch_main, watch) != 0) {
		free(watch);
		return ERR_NOMEM;
	}
	*watch_r = watch;
	return OK;
}

void
http_watch_close(struct http_watch *watch)
{
	if (watch == NULL)
		return;
	CHECK(pthread_mutex_lock(&watch->mutex) == 0);
	watch->is_closing = true;
	CHECK(pthread_cond_signal(&watch->wake) == 0);
	CHECK(pthread_mutex_unlock(&watch->mutex) == 0);
	CHECK(pthread_join(watch->thread, NULL) == 0);
	CHECK(pthread_cond_destroy(&watch->wake) == 0);
	CHECK(pthread_mutex_destroy(&watch->mutex) == 0);
	free(watch);
}

unsigned
http_watch_add(struct http_watch *watch, int socket, int64_t deadline_us)
{
	unsigned place = 0;

	CHECK(pthread_mutex_lock(&watch->mutex) == 0);
	while (
	    place < watch->reads_max && watch->reads[place].state != READ_FREE)
		place++;
	CHECK(place < watch->reads_max);
	watch->reads[place] =
	    (struct watched_read){READ_WATCHED, socket, deadline_us};
	/* Deadlines mostly come in order: then the thread sleeps on. */
	if (deadline_us < watch->next_us)
		CHECK(pthread_cond_signal(&watch->wake) == 0);
	CHECK(pthread_mutex_unlock(&watch->mutex) == 0);
	return place;
}

bool
http_watch_remove(struct http_watch *watch, unsigned place)
{
	bool was_cut;

	CHECK(place < watch->reads_max);
	CHECK(pthread_mutex_lock(&watch->mutex) == 0);
	was_cut = watch->reads[place].state == READ_CUT;
	watch->reads[place].state = READ_FREE;
	CHECK(pthread_mutex_unlock(&watch->mutex) == 0);
	return was_cut;
}
