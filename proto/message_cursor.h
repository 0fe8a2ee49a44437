/*
 * A bounded reader of msgpack: one item at a time out of bytes somebody else
 * chose, allocating nothing and never looking past their end. It knows the
 * format and no message; message.c is its only user. (msgpack-c's own decoder
 * reserves memory for counts it has only been told about.)
 *
 * Threads: any; a cursor belongs to one.
 */
#ifndef POSTERN_MESSAGE_CURSOR_H
#define POSTERN_MESSAGE_CURSOR_H

#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

/* Containers within containers, the message's own map counted. No message of
 * ours nests at all; a later version's unknown fields may. */
#define MESSAGE_CURSOR_DEPTH_MAX 16

enum message_item_kind {
	ITEM_NONE, /* a byte that starts no item we take: ext types, 0xc1 */
	ITEM_NIL,
	ITEM_BOOL,
	ITEM_UINT,
	ITEM_NEGATIVE, /* integers below 0; others are ITEM_UINT */
	ITEM_FLOAT,
	ITEM_STR,
	ITEM_BIN,
	ITEM_ARRAY,
	ITEM_MAP
};

struct message_item {
	enum message_item_kind kind;
	/* The value of BOOL and UINT, the magnitude of NEGATIVE, the entries of
	 * ARRAY and MAP (never more than the bytes left could hold). */
	uint64_t number;
	struct span bytes; /* of STR and BIN: never absent, may be empty */
};

struct message_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static inline struct message_cursor
message_cursor_of(struct span bytes)
{
	/* Nothing may be added to the absent span's pointer, not even 0. */
	return (struct message_cursor){
	    bytes.data, bytes.len == 0 ? bytes.data : bytes.data + bytes.len};
}

/* Reads one item. The entries of an ARRAY or MAP are the next items. After
 * ERR_SYNTAX (cut short, ext, impossible count) the cursor is of no use. */
enum err message_cursor_next(
    struct message_cursor *cursor, struct message_item *item_r) MUST_USE;

/* Passes over everything inside `item`, the item read last. ERR_SYNTAX also
 * for depth and for maps whose keys are not strings. */
enum err message_cursor_skip(
    struct message_cursor *cursor, struct message_item item) MUST_USE;

#endif
