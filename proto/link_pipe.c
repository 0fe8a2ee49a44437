/*
 * The table of pipes; see link_pipe.h. Calls nothing of nng and no handler.
 * Runs on nng's threads and on those that answer.
 */
#include "proto/link_pipe.h"

#include <stddef.h>
#include <stdio.h>

#include "common/check.h"
#include "proto/link_server.h"

void
link_pipes_init(struct link_pipes *pipes)
{
	*pipes = (struct link_pipes){.lock = PTHREAD_MUTEX_INITIALIZER};
}

/* The place of `id`, or NULL; 0 finds a free place. nng numbers pipes one
 * after the other, so the first look nearly always hits. */
static struct link_pipe *
find(struct link_pipes *pipes, uint32_t id, uint32_t start)
{
	struct link_pipe *pipe;

	for (uint32_t i = 0; i < LINK_PIPES_MAX; i++) {
		pipe = &pipes->places[(start + i) % LINK_PIPES_MAX];
		if (pipe->id == id)
			return pipe;
	}
	return NULL;
}

bool
link_pipe_add(
    struct link_pipes *pipes, uint32_t id, int listener_id, const char *peer)
{
	struct link_pipe *pipe;

	CHECK(id != 0);
	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, 0, id);
	if (pipe != NULL) {
		*pipe =
		    (struct link_pipe){.id = id, .listener_id = listener_id};
		(void)snprintf(pipe->peer, sizeof pipe->peer, "%s", peer);
	}
	pthread_mutex_unlock(&pipes->lock);
	return pipe != NULL;
}

void
link_pipe_peer(
    struct link_pipes *pipes, uint32_t id, char peer_r[LINK_PEER_BYTES])
{
	const struct link_pipe *pipe;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	(void)snprintf(
	    peer_r, LINK_PEER_BYTES, "%s", pipe == NULL ? "" : pipe->peer);
	pthread_mutex_unlock(&pipes->lock);
}

enum link_pipe_verdict
link_pipe_request(struct link_pipes *pipes, uint32_t id)
{
	enum link_pipe_verdict verdict = LINK_PIPE_DELIVER;
	struct link_pipe *pipe;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	if (pipe == NULL || pipe->is_lost || pipe->is_refused) {
		verdict = LINK_PIPE_IGNORE;
	} else if (pipe->unanswered == LINK_UNANSWERED_MAX) {
		pipe->is_refused = true;
		pipe->deliveries++;
		verdict = LINK_PIPE_REFUSE;
	} else {
		pipe->unanswered++;
		pipe->deliveries++;
	}
	pthread_mutex_unlock(&pipes->lock);
	return verdict;
}

void
link_pipe_refuse(struct link_pipes *pipes, uint32_t id)
{
	struct link_pipe *pipe;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	if (pipe != NULL)
		pipe->is_refused = true;
	pthread_mutex_unlock(&pipes->lock);
}

/* Nothing is being delivered from a pipe that is gone for us: its loss is
 * announced once, its place is free when nng has removed it too. */
static bool
is_finished(struct link_pipe *pipe)
{
	bool is_news = !pipe->is_told;

	if ((!pipe->is_lost && !pipe->is_refused) || pipe->deliveries > 0)
		return false;
	pipe->is_told = true;
	if (pipe->is_lost)
		pipe->id = 0;
	return is_news;
}

bool
link_pipe_delivered(struct link_pipes *pipes, uint32_t id)
{
	struct link_pipe *pipe;
	bool finished;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	CHECK(pipe != NULL && pipe->deliveries > 0);
	pipe->deliveries--;
	finished = is_finished(pipe);
	pthread_mutex_unlock(&pipes->lock);
	return finished;
}

bool
link_pipe_answered(struct link_pipes *pipes, uint32_t id)
{
	struct link_pipe *pipe;
	bool lives;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	if (pipe != NULL) {
		CHECK(pipe->unanswered > 0);
		pipe->unanswered--;
	}
	lives = pipe != NULL && !pipe->is_lost && !pipe->is_refused;
	pthread_mutex_unlock(&pipes->lock);
	return lives;
}

bool
link_pipe_lose(struct link_pipes *pipes, uint32_t id)
{
	struct link_pipe *pipe;
	bool finished = false;

	pthread_mutex_lock(&pipes->lock);
	pipe = find(pipes, id, id);
	if (pipe != NULL) {
		pipe->is_lost = true;
		finished = is_finished(pipe);
	}
	pthread_mutex_unlock(&pipes->lock);
	return finished;
}

unsigned
link_pipe_count(struct link_pipes *pipes, int listener_id)
{
	unsigned count = 0;

	pthread_mutex_lock(&pipes->lock);
	for (size_t i = 0; i < LINK_PIPES_MAX; i++)
		if (pipes->places[i].id != 0 &&
		    pipes->places[i].listener_id == listener_id)
			count++;
	pthread_mutex_unlock(&pipes->lock);
	return count;
}
