/*
 * Frames: length and message on a byte stream; see frame.h. Reads and writes
 * no descriptor. Runs on whatever thread owns the buffer.
 */
#include "proto/frame.h"

enum err
frame_append(
    struct buf *out, const struct message *message, struct err_detail *detail)
{
	size_t start = out->len, body;
	uint8_t *header = buf_reserve(out, FRAME_HEADER_BYTES);
	enum err err;

	if (header == NULL)
		return err_set(detail, buf_status(out), "no room for a frame");
	buf_commit(out, FRAME_HEADER_BYTES);
	err = message_encode(message, out, detail);
	if (err != OK) {
		out->len = start;
		return err;
	}
	header = out->data + start; /* encoding may have moved the buffer */
	body = out->len - start - FRAME_HEADER_BYTES;
	header[0] = (uint8_t)(body >> 24);
	header[1] = (uint8_t)(body >> 16);
	header[2] = (uint8_t)(body >> 8);
	header[3] = (uint8_t)body;
	return OK;
}

enum err
frame_next(struct span *cursor, struct span *body_r)
{
	const uint8_t *header = cursor->data;
	size_t body;

	if (cursor->len < FRAME_HEADER_BYTES)
		return ERR_NOT_FOUND;
	body = (size_t)header[0] << 24 | (size_t)header[1] << 16 |
	       (size_t)header[2] << 8 | header[3];
	if (body == 0 || body > MESSAGE_MAX_BYTES)
		return ERR_LIMIT;
	if (cursor->len - FRAME_HEADER_BYTES < body)
		return ERR_NOT_FOUND;
	*body_r = span_of(header + FRAME_HEADER_BYTES, body);
	*cursor = span_of(header + FRAME_HEADER_BYTES + body,
	    cursor->len - FRAME_HEADER_BYTES - body);
	return OK;
}
