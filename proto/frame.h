/*
 * Frames: a message on a byte stream, and inside a BYTES field that holds
 * several: 4 bytes length, big endian, then the message's bytes.
 *
 * Threads: one at a time per buffer.
 */
#ifndef POSTERN_FRAME_H
#define POSTERN_FRAME_H

#include "common/buf.h"
#include "common/err.h"
#include "proto/message.h"

#define FRAME_HEADER_BYTES 4

/* Appends one frame holding the encoded message; errors of message_encode(). */
enum err frame_append(struct buf *out, const struct message *message,
    struct err_detail *detail) MUST_USE;

/*
 * Takes the next whole frame at `*cursor` and moves it behind the frame.
 * OK: `body_r` points into the cursor's bytes. ERR_NOT_FOUND: the bytes so far
 * are not a whole frame (wait for more; at the end of a BYTES field with
 * bytes left it is an error of the sender). ERR_LIMIT: a length of 0 or over
 * MESSAGE_MAX_BYTES: the stream is lost.
 */
enum err frame_next(struct span *cursor, struct span *body_r) MUST_USE;

#endif
