/*
 * Fuzz target: the bytes of a peer as one message, and as a run of frames.
 * What decodes must encode, to no more bytes, and decode again to the same.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/check.h"
#include "proto/frame.h"
#include "proto/message.h"

#define EVERYBODY 0xffu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_message(struct span bytes)
{
	struct err_detail detail = {{0}};
	struct message message, again;
	struct buf once, twice;

	if (message_decode(bytes, EVERYBODY, &message, &detail) != OK)
		return;
	CHECK(message_peek(bytes) == message.type);
	buf_init(&once, MESSAGE_MAX_BYTES);
	buf_init(&twice, MESSAGE_MAX_BYTES);
	CHECK(message_encode(&message, &once, &detail) == OK);
	CHECK(once.len <= bytes.len);
	CHECK(
	    message_decode(buf_span(&once), EVERYBODY, &again, &detail) == OK);
	CHECK(message_encode(&again, &twice, &detail) == OK);
	CHECK(span_equal(buf_span(&once), buf_span(&twice)));
	buf_fini(&once);
	buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span cursor = span_of(data, size), body;

	try_message(cursor);
	while (frame_next(&cursor, &body) == OK)
		try_message(body);
	return 0;
}
