/*
 * Frames over one descriptor (see channel.h). Not the host-call protocol:
 * that is host.c. Template and child run it.
 */
#include "engine/runner/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proto/frame.h"

/* A read takes at most this much: a message rarely needs a second one. */
#define READ_BYTES 16384

/* Memory a buffer keeps from one execution to the next. */
#define KEPT_BYTES ((size_t)4 * READ_BYTES)

/* Frames are bounded by the codec; a partial one may lie behind a whole one. */
#define IN_MAX_BYTES (2 * (MESSAGE_MAX_BYTES + FRAME_HEADER_BYTES))

void
channel_init(struct channel *channel, int fd)
{
	memset(channel, 0, sizeof *channel);
	channel->fd = fd;
	channel->passed_fd = -1;
	buf_init(&channel->in, IN_MAX_BYTES);
	buf_init(&channel->out, MESSAGE_MAX_BYTES + FRAME_HEADER_BYTES);
}

void
channel_fini(struct channel *channel)
{
	buf_fini(&channel->in);
	buf_fini(&channel->out);
}

enum err
channel_queue(struct channel *channel, const struct message *message,
    struct err_detail *detail)
{
	return frame_append(&channel->out, message, detail);
}

enum err
channel_flush(struct channel *channel, struct err_detail *detail)
{
	size_t sent = 0;

	while (sent < channel->out.len) {
		ssize_t n = write(channel->fd, channel->out.data + sent,
		    channel->out.len - sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(detail, ERR_LOST, "the engine is gone");
		sent += (size_t)n;
	}
	buf_reset(&channel->out);
	return OK;
}

enum err
channel_send(struct channel *channel, const struct message *message,
    struct err_detail *detail)
{
	enum err err;

	buf_reset(&channel->out);
	err = channel_queue(channel, message, detail);
	return err == OK ? channel_flush(channel, detail) : err;
}

static void
forget(struct buf *buf)
{
	if (buf->capacity > KEPT_BYTES)
		buf_wipe(buf);
	else if (buf->data != NULL)
		explicit_bzero(buf->data, buf->capacity);
	buf_reset(buf);
}

enum err
channel_forget(struct channel *channel)
{
	if (channel->in.len != channel->taken)
		return ERR_STATE;
	channel->taken = 0;
	forget(&channel->in);
	forget(&channel->out);
	return OK;
}

/* Keeps the one descriptor that came along. More than one at a time, or one
 * before the last was taken, is a broken engine. */
static enum err
keep_passed_fd(struct channel *channel, struct msghdr *header)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);

	if (cmsg == NULL)
		return OK;
	if ((header->msg_flags & MSG_CTRUNC) != 0 ||
	    cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int)) || channel->passed_fd >= 0)
		return ERR_INVALID;
	memcpy(&channel->passed_fd, CMSG_DATA(cmsg), sizeof(int));
	return OK;
}

static ssize_t
read_with_fd(struct channel *channel, void *out_r, size_t len)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = out_r, .iov_len = len};
	struct msghdr header = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(channel->fd, &header, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	if (keep_passed_fd(channel, &header) != OK) {
		errno = EPROTO;
		return -1;
	}
	return n;
}

static enum err
fill(struct channel *channel, bool with_fds, struct err_detail *detail)
{
	uint8_t *at = buf_reserve(&channel->in, READ_BYTES);
	ssize_t n;

	if (at == NULL)
		return err_set(detail, ERR_LIMIT, "frames do not fit");
	do {
		n = with_fds ? read_with_fd(channel, at, READ_BYTES)
			     : read(channel->fd, at, READ_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_set(detail, ERR_LOST, "the engine is gone");
	buf_commit(&channel->in, (size_t)n);
	return OK;
}

static enum err
receive(struct channel *channel, unsigned senders, bool with_fds,
    struct message *message_r, struct err_detail *detail)
{
	struct span cursor, body;
	enum err err;

	buf_consume(&channel->in, channel->taken);
	channel->taken = 0;
	for (;;) {
		cursor = buf_span(&channel->in);
		err = frame_next(&cursor, &body);
		if (err == OK)
			break;
		if (err != ERR_NOT_FOUND)
			return err;
		err = fill(channel, with_fds, detail);
		if (err != OK)
			return err;
	}
	channel->taken = channel->in.len - cursor.len;
	return message_decode(body, senders, message_r, detail);
}

enum err
channel_receive(struct channel *channel, unsigned senders,
    struct message *message_r, struct err_detail *detail)
{
	return receive(channel, senders, false, message_r, detail);
}

enum err
channel_receive_fds(struct channel *channel, unsigned senders,
    struct message *message_r, struct err_detail *detail)
{
	return receive(channel, senders, true, message_r, detail);
}

int
channel_take_fd(struct channel *channel)
{
	int fd = channel->passed_fd;

	channel->passed_fd = -1;
	return fd;
}
