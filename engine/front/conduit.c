/*
 * Frames over a socketpair with a runner process. It does not look into the
 * messages. Runs on the main thread.
 */
#include "engine/front/conduit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/check.h"
#include "engine/front/front_limits.h"
#include "proto/frame.h"

/* One read; a frame that fits is handled where it landed, without a copy. */
#define CONDUIT_READ_BYTES (64 * 1024)
/* Reads a turn, so that one chatty child does not hold up the others. */
#define CONDUIT_READS 4

enum err
conduit_pair(bool wants_pid, int *ours_r, int *theirs_r)
{
	int pair[2];
	int on = 1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return ERR_IO;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0 ||
	    (wants_pid && setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on,
			      sizeof on) != 0)) {
		close(pair[0]);
		close(pair[1]);
		return ERR_IO;
	}
	*ours_r = pair[0];
	*theirs_r = pair[1];
	return OK;
}

static void
conduit_lose(struct conduit *conduit, const char *why)
{
	if (conduit->is_lost || !conduit_is_open(conduit))
		return;
	conduit->is_lost = true;
	loop_forget(conduit->loop, &conduit->source);
	conduit->events->lost(conduit->owner, why);
}

/* One read; -1 would block or failed, 0 end of file. */
static ssize_t
conduit_receive(
    struct conduit *conduit, uint8_t *into, size_t room, pid_t *pid_r)
{
	/* Room for the credentials alone: passed descriptors never arrive. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = {.iov_base = into, .iov_len = room};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	const struct cmsghdr *first;
	struct ucred credentials;
	ssize_t got;

	if (conduit->wants_pid) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof control.bytes;
	}
	*pid_r = 0;
	got = recvmsg(conduit->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got <= 0 || !conduit->wants_pid)
		return got;
	first = CMSG_FIRSTHDR(&header);
	if (first != NULL && first->cmsg_level == SOL_SOCKET &&
	    first->cmsg_type == SCM_CREDENTIALS &&
	    first->cmsg_len == CMSG_LEN(sizeof credentials)) {
		memcpy(&credentials, CMSG_DATA(first), sizeof credentials);
		*pid_r = credentials.pid;
	}
	return got;
}

/* Delivers the whole frames at the cursor. False: the conduit is closed or
 * lost, the cursor's bytes may be gone. */
static bool
conduit_deliver(struct conduit *conduit, struct span *cursor, pid_t pid)
{
	struct span body;
	enum err err;

	while ((err = frame_next(cursor, &body)) == OK) {
		conduit->events->frame(conduit->owner, body, pid);
		if (!conduit_is_open(conduit) || conduit->is_lost)
			return false;
	}
	if (err == ERR_NOT_FOUND)
		return true;
	conduit_lose(conduit, "broken frame");
	return false;
}

static bool
conduit_take(struct conduit *conduit, struct span bytes, pid_t pid)
{
	struct span cursor = bytes;

	if (conduit->in.len == 0) {
		if (!conduit_deliver(conduit, &cursor, pid))
			return false;
		buf_append_span(&conduit->in, cursor);
	} else {
		buf_append_span(&conduit->in, bytes);
		cursor = buf_span(&conduit->in);
		if (!conduit_deliver(conduit, &cursor, pid))
			return false;
		buf_consume(&conduit->in, conduit->in.len - cursor.len);
	}
	if (buf_status(&conduit->in) == OK)
		return true;
	conduit_lose(conduit, "no memory for its frame");
	return false;
}

/* What was read and delivered; 0: nothing more to read now. */
static size_t
conduit_read(struct conduit *conduit)
{
	/* The main thread is alone here, and a handler never reads again. */
	static uint8_t scratch[CONDUIT_READ_BYTES];
	pid_t pid;
	ssize_t got = conduit_receive(conduit, scratch, sizeof scratch, &pid);

	if (got > 0)
		return conduit_take(conduit, span_of(scratch, (size_t)got), pid)
			   ? (size_t)got
			   : 0;
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		conduit_lose(
		    conduit, got == 0 ? "closed its socket" : strerror(errno));
	return 0;
}

static void
conduit_flush(struct conduit *conduit)
{
	ssize_t sent;

	while (conduit->out.len > 0) {
		sent = send(conduit->fd, conduit->out.data, conduit->out.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		buf_consume(&conduit->out, (size_t)sent);
	}
	/* A write error is not told here: the reading side sees it as well. */
	loop_change(conduit->loop, &conduit->source,
	    conduit->out.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void
conduit_ready(void *owner, uint32_t events)
{
	struct conduit *conduit = owner;

	if (conduit->is_lost)
		return;
	if ((events & EPOLLOUT) != 0) {
		conduit_flush(conduit);
		if (conduit->out.len == 0 && conduit->events->drained != NULL)
			conduit->events->drained(conduit->owner);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	for (int i = 0; i < CONDUIT_READS; i++) {
		if (!conduit_is_open(conduit) || conduit->is_lost ||
		    conduit_read(conduit) < CONDUIT_READ_BYTES)
			return;
	}
}

enum err
conduit_open(struct conduit *conduit, struct loop *loop, int fd, bool wants_pid,
    const struct conduit_events *events, void *owner)
{
	*conduit = (struct conduit){.loop = loop,
	    .fd = -1,
	    .source = {.fd = -1, .ready = conduit_ready, .owner = conduit},
	    .wants_pid = wants_pid,
	    .events = events,
	    .owner = owner};
	/* A partial frame, and one read behind it. */
	buf_init(&conduit->in,
	    MESSAGE_MAX_BYTES + FRAME_HEADER_BYTES + CONDUIT_READ_BYTES);
	buf_init(&conduit->out, FRONT_CONDUIT_OUT_MAX);
	if (loop_watch(loop, &conduit->source, fd, EPOLLIN) != OK) {
		close(fd);
		return ERR_IO;
	}
	conduit->fd = fd;
	return OK;
}

void
conduit_close(struct conduit *conduit)
{
	if (conduit->fd < 0)
		return;
	loop_forget(conduit->loop, &conduit->source);
	close(conduit->fd);
	conduit->fd = -1;
	/* Arguments and results of a script: nobody else's memory. */
	buf_wipe(&conduit->in);
	buf_wipe(&conduit->out);
}

bool
conduit_is_open(const struct conduit *conduit)
{
	return conduit->fd >= 0;
}

enum err
conduit_send(struct conduit *conduit, const struct message *message,
    struct err_detail *detail)
{
	enum err err;

	CHECK(conduit_is_open(conduit));
	if (conduit->is_lost)
		return err_set(detail, ERR_LOST, "it closed its socket");
	err = frame_append(&conduit->out, message, detail);
	if (err == OK && buf_status(&conduit->out) != OK)
		err = err_set(detail, ERR_LIMIT, "it does not read its socket");
	if (err != OK)
		return err;
	conduit_flush(conduit);
	return OK;
}

enum err
conduit_send_fd(struct conduit *conduit, const struct message *message, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part;
	struct msghdr header = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	struct cmsghdr *first = CMSG_FIRSTHDR(&header);
	enum err err;
	ssize_t sent;

	if (conduit->out.len > 0 || conduit->is_lost)
		return ERR_FULL;
	err = frame_append(&conduit->out, message, NULL);
	if (err != OK)
		return err;
	first->cmsg_level = SOL_SOCKET;
	first->cmsg_type = SCM_RIGHTS;
	first->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(first), &fd, sizeof fd);
	part = (struct iovec){conduit->out.data, conduit->out.len};
	sent = sendmsg(conduit->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0) {
		buf_reset(&conduit->out);
		/* No `drained` would follow from an empty queue: ask for it. */
		loop_change(
		    conduit->loop, &conduit->source, EPOLLIN | EPOLLOUT);
		return ERR_FULL;
	}
	/* The descriptor went with the first byte; the rest may follow. */
	buf_consume(&conduit->out, (size_t)sent);
	conduit_flush(conduit);
	return OK;
}

void
conduit_read_all(struct conduit *conduit)
{
	while (conduit_is_open(conduit) && !conduit->is_lost &&
	       conduit_read(conduit) > 0)
		;
}
