/*
 * Frames over one descriptor, blocking: how template and child talk with the
 * engine's front. Threads: one.
 */
#ifndef POSTERN_CHANNEL_H
#define POSTERN_CHANNEL_H

#include "common/buf.h"
#include "common/err.h"
#include "proto/message.h"

struct channel {
	int fd;        /* borrowed */
	int passed_fd; /* received by SCM_RIGHTS and not taken; -1: none */
	size_t taken;  /* bytes of `in` that the last message occupies */
	struct buf in;
	struct buf out;
};

void channel_init(struct channel *channel, int fd);
void channel_fini(struct channel *channel);

/* ERR_LOST: the peer is gone; errors of frame_append() otherwise. */
enum err channel_send(struct channel *channel, const struct message *message,
    struct err_detail *detail) MUST_USE;

/* channel_send() in two steps, so that several messages leave in one write.
 * A message that does not encode leaves what was queued as it is. */
enum err channel_queue(struct channel *channel, const struct message *message,
    struct err_detail *detail) MUST_USE;
enum err
channel_flush(struct channel *channel, struct err_detail *detail) MUST_USE;

/* Overwrites all that came and went. ERR_STATE: something came that was not
 * received yet. */
enum err channel_forget(struct channel *channel) MUST_USE;

/*
 * Waits for the next message. Its spans live until the next receive.
 * ERR_LOST: the peer closed; errors of message_decode().
 */
enum err channel_receive(struct channel *channel, unsigned senders,
    struct message *message_r, struct err_detail *detail) MUST_USE;

/* As channel_receive(), and accepts descriptors (see channel_take_fd). Uses
 * recvmsg(2), which the child's filter does not let pass. */
enum err channel_receive_fds(struct channel *channel, unsigned senders,
    struct message *message_r, struct err_detail *detail) MUST_USE;

/* The descriptor that came with the last message, now the caller's; -1. */
int channel_take_fd(struct channel *channel);

#endif
