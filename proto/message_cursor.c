/*
 * The bounded msgpack reader; see message_cursor.h. Not a decoder of messages.
 * Runs wherever message_decode() does.
 */
#include "proto/message_cursor.h"

#include <stdbool.h>
#include <stddef.h>

#define WIDE_FIRST 0xc0
#define WIDE_LAST  0xdf

/* What the bytes 0xc0 to 0xdf start, and how many bytes of length or value
 * come right behind them. */
static const struct wide {
	enum message_item_kind kind;
	uint8_t width;
	uint64_t sign; /* the bit that makes an integer negative, or 0 */
} wides[WIDE_LAST - WIDE_FIRST + 1] = {
    [0xc0 - WIDE_FIRST] = {ITEM_NIL, 0, 0},
    [0xc2 - WIDE_FIRST] = {ITEM_BOOL, 0, 0},
    [0xc3 - WIDE_FIRST] = {ITEM_BOOL, 0, 0},
    [0xc4 - WIDE_FIRST] = {ITEM_BIN, 1, 0},
    [0xc5 - WIDE_FIRST] = {ITEM_BIN, 2, 0},
    [0xc6 - WIDE_FIRST] = {ITEM_BIN, 4, 0},
    [0xca - WIDE_FIRST] = {ITEM_FLOAT, 4, 0},
    [0xcb - WIDE_FIRST] = {ITEM_FLOAT, 8, 0},
    [0xcc - WIDE_FIRST] = {ITEM_UINT, 1, 0},
    [0xcd - WIDE_FIRST] = {ITEM_UINT, 2, 0},
    [0xce - WIDE_FIRST] = {ITEM_UINT, 4, 0},
    [0xcf - WIDE_FIRST] = {ITEM_UINT, 8, 0},
    [0xd0 - WIDE_FIRST] = {ITEM_UINT, 1, 0x80},
    [0xd1 - WIDE_FIRST] = {ITEM_UINT, 2, 0x8000},
    [0xd2 - WIDE_FIRST] = {ITEM_UINT, 4, 0x80000000},
    [0xd3 - WIDE_FIRST] = {ITEM_UINT, 8, UINT64_C(1) << 63},
    [0xd9 - WIDE_FIRST] = {ITEM_STR, 1, 0},
    [0xda - WIDE_FIRST] = {ITEM_STR, 2, 0},
    [0xdb - WIDE_FIRST] = {ITEM_STR, 4, 0},
    [0xdc - WIDE_FIRST] = {ITEM_ARRAY, 2, 0},
    [0xdd - WIDE_FIRST] = {ITEM_ARRAY, 4, 0},
    [0xde - WIDE_FIRST] = {ITEM_MAP, 2, 0},
    [0xdf - WIDE_FIRST] = {ITEM_MAP, 4, 0},
};

static size_t
bytes_left(const struct message_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static uint64_t
read_big_endian(const uint8_t *bytes, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Turns the two's complement in item->number into kind and magnitude. */
static void
apply_sign(struct message_item *item, uint64_t sign)
{
	if ((item->number & sign) == 0)
		return;
	item->kind = ITEM_NEGATIVE;
	item->number = (sign << 1) - item->number;
}

/* Reads the start of an item: its kind and number, not yet its bytes. */
static enum err
read_head(struct message_cursor *cursor, struct message_item *item_r)
{
	const struct wide *wide;
	uint8_t byte;

	if (cursor->at == cursor->end)
		return ERR_SYNTAX;
	byte = *cursor->at++;
	*item_r = (struct message_item){ITEM_UINT, byte, {NULL, 0}};
	if (byte < 0x80)
		return OK;
	if (byte < WIDE_FIRST) {
		item_r->kind = byte < 0x90   ? ITEM_MAP
			       : byte < 0xa0 ? ITEM_ARRAY
					     : ITEM_STR;
		item_r->number = byte < 0xa0 ? byte & 0x0f : byte & 0x1f;
		return OK;
	}
	if (byte > WIDE_LAST) {
		item_r->kind = ITEM_NEGATIVE;
		item_r->number = 0x100u - byte;
		return OK;
	}
	wide = &wides[byte - WIDE_FIRST];
	if (wide->kind == ITEM_NONE || bytes_left(cursor) < wide->width)
		return ERR_SYNTAX;
	item_r->kind = wide->kind;
	item_r->number = wide->kind == ITEM_BOOL
			     ? byte & 1
			     : read_big_endian(cursor->at, wide->width);
	cursor->at += wide->width;
	apply_sign(item_r, wide->sign);
	return OK;
}

enum err
message_cursor_next(struct message_cursor *cursor, struct message_item *item_r)
{
	struct message_item item;

	if (read_head(cursor, &item) != OK)
		return ERR_SYNTAX;
	if (item.kind == ITEM_STR || item.kind == ITEM_BIN) {
		if (item.number > bytes_left(cursor))
			return ERR_SYNTAX;
		item.bytes = span_of(cursor->at, (size_t)item.number);
		cursor->at += item.bytes.len;
	} else if (item.kind == ITEM_ARRAY) {
		/* Every entry takes a byte at least. */
		if (item.number > bytes_left(cursor))
			return ERR_SYNTAX;
	} else if (item.kind == ITEM_MAP) {
		if (item.number > bytes_left(cursor) / 2)
			return ERR_SYNTAX;
	}
	*item_r = item;
	return OK;
}

enum err
message_cursor_skip(struct message_cursor *cursor, struct message_item item)
{
	/* `items_left` counts keys and values: at an even number of a map's a
	 * key comes next. */
	struct level {
		uint64_t items_left;
		bool is_map;
	} levels[MESSAGE_CURSOR_DEPTH_MAX - 1], *level;
	unsigned depth = 0;
	bool is_key;

	for (;;) {
		if (item.kind == ITEM_ARRAY || item.kind == ITEM_MAP) {
			if (depth == MESSAGE_CURSOR_DEPTH_MAX - 1)
				return ERR_SYNTAX;
			level = &levels[depth++];
			level->is_map = item.kind == ITEM_MAP;
			level->items_left =
			    level->is_map ? item.number * 2 : item.number;
		}
		while (depth > 0 && levels[depth - 1].items_left == 0)
			depth--;
		if (depth == 0)
			return OK;
		level = &levels[depth - 1];
		is_key = level->is_map && level->items_left % 2 == 0;
		level->items_left--;
		if (message_cursor_next(cursor, &item) != OK ||
		    (is_key && item.kind != ITEM_STR))
			return ERR_SYNTAX;
	}
}
