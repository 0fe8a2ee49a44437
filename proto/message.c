/*
 * The codec: messages.def as a table of rows, and the two walks over a row,
 * one writing a message and one reading it. Not framing (frame.c) and not
 * what a message means (dispatch, front, runner).
 * Runs in every process and on any thread; holds no state.
 */
#include "proto/message.h"

#include <inttypes.h>
#include <msgpack/pack.h>
#include <stddef.h>
#include <string.h>

#include "common/check.h"
#include "common/encoding.h"
#include "proto/message_cursor.h"

/* A neighbour version may send keys we do not know, but not without end. */
#define KEYS_MAX 64

#define TYPE_KEY "t"

/* The columns `sender`, `kind` and `need` of messages.def. */
enum {
	ENGINE = SENDER_ENGINE,
	GATEWAY = SENDER_GATEWAY,
	FRONT = SENDER_FRONT,
	TEMPLATE = SENDER_TEMPLATE,
	CHILD = SENDER_CHILD
};
enum field_kind {
	KIND_UINT,
	KIND_INT,
	KIND_BOOL,
	KIND_TEXT,
	KIND_BYTES,
	KIND_ID
};
enum { NEED_MAY, NEED_MUST };

struct field_row {
	const char *name;
	size_t name_len;
	enum field_kind kind;
	bool is_must;
	uint64_t max;
	size_t offset; /* in struct message */
};

struct message_row {
	const char *name;
	unsigned senders;
	const struct field_row *fields;
	unsigned field_count;
};

/* Every member of the union starts where the first one does. */
#define BODY_OFFSET offsetof(struct message, hello)

/* NULL for a number that is no message. One case a message: its fields, ended
 * by a row that is not counted (some messages have none), then itself. */
static const struct message_row *
row_of(uint64_t type)
{
	switch (type) {
#define MESSAGE(UPPER, lower, number, sender, doc) \
	case number: {                             \
		typedef struct msg_##lower body;   \
		enum { body_senders = sender };    \
		static const struct field_row fields[] = {
#define FIELD(kind, need, name, max, doc)                        \
	{#name, sizeof #name - 1, KIND_##kind, NEED_##need, max, \
	    BODY_OFFSET + offsetof(body, name)},
#define END_MESSAGE(UPPER, lower)                                             \
	{NULL, 0, KIND_BOOL, false, 0, BODY_OFFSET + offsetof(body, unused)}, \
	}                                                                     \
	;                                                                     \
	_Static_assert(sizeof fields / sizeof fields[0] <= KEYS_MAX,          \
	    "fields are counted in 64 bits");                                 \
	static const struct message_row row = {#lower, body_senders, fields,  \
	    sizeof fields / sizeof fields[0] - 1};                            \
	return &row;                                                          \
	}
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
	default:
		return NULL;
	}
}

const char *
message_name(enum message_type type)
{
	const struct message_row *row = row_of(type);

	return row == NULL ? "unknown" : row->name;
}

/* ---- values ------------------------------------------------------------- */

/* A field's value, whatever its kind, as both walks look at it. */
struct value {
	uint64_t number; /* magnitude; BOOL 0 or 1; unused for spans */
	bool is_negative;
	struct span bytes;
};

static void *
field_at(struct message *message, const struct field_row *field)
{
	return (char *)message + field->offset;
}

static struct value
value_get(const struct message *message, const struct field_row *field)
{
	const void *at = (const char *)message + field->offset;
	struct value value = {0, false, {NULL, 0}};
	int64_t integer;

	switch (field->kind) {
	case KIND_UINT:
		value.number = *(const uint64_t *)at;
		break;
	case KIND_INT:
		integer = *(const int64_t *)at;
		value.is_negative = integer < 0;
		value.number = value.is_negative ? 0 - (uint64_t)integer
						 : (uint64_t)integer;
		break;
	case KIND_BOOL:
		value.number = *(const bool *)at ? 1 : 0;
		break;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_ID:
		value.bytes = *(const struct span *)at;
		break;
	}
	return value;
}

static void
value_put(struct message *message, const struct field_row *field,
    const struct value *value)
{
	void *at = field_at(message, field);

	switch (field->kind) {
	case KIND_UINT:
		*(uint64_t *)at = value->number;
		break;
	case KIND_INT:
		*(int64_t *)at = value->is_negative
				     ? (int64_t)(0 - value->number)
				     : (int64_t)value->number;
		break;
	case KIND_BOOL:
		*(bool *)at = value->number != 0;
		break;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_ID:
		*(struct span *)at = value->bytes;
		break;
	}
}

static bool
kind_is_span(enum field_kind kind)
{
	return kind == KIND_TEXT || kind == KIND_BYTES || kind == KIND_ID;
}

/* The limits of a value that is there; the same on the way out and in. */
static enum err
value_check(const struct message_row *row, const struct field_row *field,
    const struct value *value, struct err_detail *detail)
{
	if (!kind_is_span(field->kind)) {
		if (value->number <= field->max)
			return OK;
		return err_set(detail, ERR_LIMIT,
		    "%s.%s: above its limit of %" PRIu64, row->name,
		    field->name, field->max);
	}
	if (field->kind == KIND_ID && value->bytes.len != field->max)
		return err_set(detail, ERR_INVALID,
		    "%s.%s: %zu bytes where %" PRIu64 " are due", row->name,
		    field->name, value->bytes.len, field->max);
	if (value->bytes.len > field->max)
		return err_set(detail, ERR_LIMIT,
		    "%s.%s: %zu bytes are above its limit of %" PRIu64,
		    row->name, field->name, value->bytes.len, field->max);
	if (field->kind == KIND_TEXT && !utf8_is_valid(value->bytes))
		return err_set(detail, ERR_INVALID, "%s.%s: is not UTF-8",
		    row->name, field->name);
	return OK;
}

/* ---- encoding ----------------------------------------------------------- */

/* Whether the field goes onto the wire at all. */
static bool
value_is_sent(const struct field_row *field, const struct value *value)
{
	if (field->is_must)
		return true;
	return kind_is_span(field->kind) ? span_present(value->bytes)
					 : value->number != 0;
}

/* Bytes of what msgpack-c writes for the value: it picks the shortest form. */
static size_t
value_size(enum field_kind kind, const struct value *value)
{
	size_t len = value->bytes.len;
	uint64_t n = value->number;

	if (kind == KIND_BOOL)
		return 1;
	if (kind == KIND_TEXT)
		return len + (len < 32         ? 1
				 : len < 256   ? 2
				 : len < 65536 ? 3
					       : 5);
	if (kind_is_span(kind))
		return len + (len < 256 ? 2 : len < 65536 ? 3 : 5);
	if (value->is_negative)
		return n <= 32            ? 1
		       : n <= 0x80        ? 2
		       : n <= 0x8000      ? 3
		       : n <= 0x80000000u ? 5
					  : 9;
	return n < 0x80          ? 1
	       : n <= UINT8_MAX  ? 2
	       : n <= UINT16_MAX ? 3
	       : n <= UINT32_MAX ? 5
				 : 9;
}

/* Keys are C identifiers of less than 32 bytes: one byte of head. */
static size_t
key_size(size_t name_len)
{
	return 1 + name_len;
}

/* Checks every field; tells which are sent (one bit each) and the bytes of the
 * whole message. */
static enum err
measure(const struct message *message, const struct message_row *row,
    uint64_t *sent_r, size_t *bytes_r, struct err_detail *detail)
{
	const struct field_row *field;
	struct value value;
	uint64_t sent = 0;
	size_t bytes = 0;
	unsigned count = 1;
	enum err err;

	for (unsigned i = 0; i < row->field_count; i++) {
		field = &row->fields[i];
		value = value_get(message, field);
		if (!value_is_sent(field, &value))
			continue;
		if (kind_is_span(field->kind) && !span_present(value.bytes))
			return err_set(detail, ERR_INVALID, "%s.%s: is missing",
			    row->name, field->name);
		err = value_check(row, field, &value, detail);
		if (err != OK)
			return err;
		sent |= UINT64_C(1) << i;
		count++;
		bytes +=
		    key_size(field->name_len) + value_size(field->kind, &value);
	}
	value = (struct value){message->type, false, {NULL, 0}};
	bytes += (count < 16 ? 1 : 3) + key_size(sizeof TYPE_KEY - 1) +
		 value_size(KIND_UINT, &value);
	if (bytes > MESSAGE_MAX_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "%s: %zu bytes are above the limit of a message, %d",
		    row->name, bytes, MESSAGE_MAX_BYTES);
	*sent_r = sent;
	*bytes_r = bytes;
	return OK;
}

/* msgpack-c's output: room that measure() has counted. */
struct writer {
	uint8_t *at;
	uint8_t *end;
};

static int
write_packed(void *user, const char *data, size_t len)
{
	struct writer *writer = user;

	CHECK(len <= (size_t)(writer->end - writer->at));
	memcpy(writer->at, data, len);
	writer->at += len;
	return 0;
}

static void
pack_str(msgpack_packer *packer, const void *text, size_t len)
{
	msgpack_pack_str(packer, len);
	if (len > 0)
		msgpack_pack_str_body(packer, text, len);
}

static void
pack_value(
    msgpack_packer *packer, enum field_kind kind, const struct value *value)
{
	switch (kind) {
	case KIND_UINT:
		msgpack_pack_uint64(packer, value->number);
		break;
	case KIND_INT:
		if (value->is_negative)
			msgpack_pack_int64(
			    packer, (int64_t)(0 - value->number));
		else
			msgpack_pack_uint64(packer, value->number);
		break;
	case KIND_BOOL:
		if (value->number != 0)
			msgpack_pack_true(packer);
		else
			msgpack_pack_false(packer);
		break;
	case KIND_TEXT:
		pack_str(packer, value->bytes.data, value->bytes.len);
		break;
	case KIND_BYTES:
	case KIND_ID:
		msgpack_pack_bin(packer, value->bytes.len);
		if (value->bytes.len > 0)
			msgpack_pack_bin_body(
			    packer, value->bytes.data, value->bytes.len);
		break;
	}
}

static void
pack_message(msgpack_packer *packer, const struct message *message,
    const struct message_row *row, uint64_t sent)
{
	const struct field_row *field;
	struct value value;

	msgpack_pack_map(packer, (size_t)__builtin_popcountll(sent) + 1);
	pack_str(packer, TYPE_KEY, sizeof TYPE_KEY - 1);
	msgpack_pack_uint64(packer, message->type);
	for (unsigned i = 0; i < row->field_count; i++) {
		if ((sent >> i & 1) == 0)
			continue;
		field = &row->fields[i];
		value = value_get(message, field);
		pack_str(packer, field->name, field->name_len);
		pack_value(packer, field->kind, &value);
	}
}

enum err
message_encode(
    const struct message *message, struct buf *out, struct err_detail *detail)
{
	const struct message_row *row = row_of(message->type);
	msgpack_packer packer;
	struct writer writer;
	uint64_t sent = 0;
	size_t bytes = 0;
	enum err err;

	CHECK(row != NULL);
	err = measure(message, row, &sent, &bytes, detail);
	if (err != OK)
		return err;
	writer.at = buf_reserve(out, bytes);
	if (writer.at == NULL)
		return err_set(detail, buf_status(out),
		    "%s: no room for %zu bytes", row->name, bytes);
	writer.end = writer.at + bytes;
	msgpack_packer_init(&packer, &writer, write_packed);
	pack_message(&packer, message, row, sent);
	CHECK(writer.at == writer.end);
	buf_commit(out, bytes);
	return OK;
}

/* ---- decoding ----------------------------------------------------------- */

/* A decoding under way: its place, and the keys that were there already. */
struct decoding {
	struct message_cursor cursor;
	const struct message_row *row;
	struct message message;
	uint64_t seen;     /* a bit for each known field */
	unsigned expected; /* the field that comes next if the sender is us */
	struct span unknown[KEYS_MAX];
	unsigned unknown_count;
};

/* The map's head and its first entry, the type. */
static enum err
read_type(struct message_cursor *cursor, uint64_t *keys_r, uint64_t *type_r,
    struct err_detail *detail)
{
	struct message_item map, key, type;

	if (message_cursor_next(cursor, &map) != OK || map.kind != ITEM_MAP ||
	    map.number == 0)
		return err_set(detail, ERR_SYNTAX, "is not a msgpack map");
	if (map.number > KEYS_MAX)
		return err_set(detail, ERR_SYNTAX,
		    "%" PRIu64 " keys are above the limit of %d", map.number,
		    KEYS_MAX);
	if (message_cursor_next(cursor, &key) != OK || key.kind != ITEM_STR ||
	    !span_is(key.bytes, TYPE_KEY) ||
	    message_cursor_next(cursor, &type) != OK)
		return err_set(
		    detail, ERR_SYNTAX, "does not start with its type");
	if (type.kind != ITEM_UINT)
		return err_set(
		    detail, ERR_INVALID, "has a type that is no number");
	*keys_r = map.number;
	*type_r = type.number;
	return OK;
}

static bool
field_is(const struct field_row *field, struct span key)
{
	return key.len == field->name_len &&
	       memcmp(key.data, field->name, key.len) == 0;
}

/* The field's index, or the row's field_count when the key is unknown. */
static unsigned
find_field(const struct decoding *d, struct span key)
{
	unsigned i;

	if (d->expected < d->row->field_count &&
	    field_is(&d->row->fields[d->expected], key))
		return d->expected;
	for (i = 0; i < d->row->field_count; i++)
		if (field_is(&d->row->fields[i], key))
			break;
	return i;
}

static enum err
skip_unknown(struct decoding *d, struct span key, struct err_detail *detail)
{
	struct message_item item;

	for (unsigned i = 0; i < d->unknown_count; i++)
		if (span_equal(d->unknown[i], key))
			return err_set(detail, ERR_SYNTAX,
			    "%s: a key is there twice", d->row->name);
	if (span_is(key, TYPE_KEY))
		return err_set(
		    detail, ERR_SYNTAX, "%s: has two types", d->row->name);
	d->unknown[d->unknown_count++] = key;
	if (message_cursor_next(&d->cursor, &item) != OK ||
	    message_cursor_skip(&d->cursor, item) != OK)
		return err_set(detail, ERR_SYNTAX,
		    "%s: an unknown field is not whole", d->row->name);
	return OK;
}

static bool
item_fits(const struct message_item *item, enum field_kind kind)
{
	switch (kind) {
	case KIND_UINT:
		return item->kind == ITEM_UINT;
	case KIND_INT:
		return item->kind == ITEM_UINT || item->kind == ITEM_NEGATIVE;
	case KIND_BOOL:
		return item->kind == ITEM_BOOL;
	case KIND_TEXT:
		return item->kind == ITEM_STR;
	case KIND_BYTES:
	case KIND_ID:
		return item->kind == ITEM_BIN;
	}
	return false;
}

static enum err
read_field(struct decoding *d, unsigned index, struct err_detail *detail)
{
	const struct field_row *field = &d->row->fields[index];
	struct message_item item;
	struct value value;
	enum err err;

	if ((d->seen >> index & 1) != 0)
		return err_set(detail, ERR_SYNTAX, "%s.%s: is there twice",
		    d->row->name, field->name);
	if (message_cursor_next(&d->cursor, &item) != OK)
		return err_set(detail, ERR_SYNTAX, "%s.%s: is not whole",
		    d->row->name, field->name);
	if (!item_fits(&item, field->kind))
		return err_set(detail, ERR_INVALID, "%s.%s: has a wrong type",
		    d->row->name, field->name);
	value =
	    (struct value){item.number, item.kind == ITEM_NEGATIVE, item.bytes};
	err = value_check(d->row, field, &value, detail);
	if (err != OK)
		return err;
	value_put(&d->message, field, &value);
	d->seen |= UINT64_C(1) << index;
	d->expected = index + 1;
	return OK;
}

static enum err
read_entry(struct decoding *d, struct err_detail *detail)
{
	struct message_item key;
	unsigned index;

	if (message_cursor_next(&d->cursor, &key) != OK || key.kind != ITEM_STR)
		return err_set(detail, ERR_SYNTAX,
		    "%s: has a key that is no string", d->row->name);
	index = find_field(d, key.bytes);
	if (index == d->row->field_count)
		return skip_unknown(d, key.bytes, detail);
	return read_field(d, index, detail);
}

static enum err
check_complete(const struct decoding *d, struct err_detail *detail)
{
	if (d->cursor.at != d->cursor.end)
		return err_set(detail, ERR_SYNTAX, "%s: bytes follow its end",
		    d->row->name);
	for (unsigned i = 0; i < d->row->field_count; i++)
		if (d->row->fields[i].is_must && (d->seen >> i & 1) == 0)
			return err_set(detail, ERR_INVALID, "%s.%s: is missing",
			    d->row->name, d->row->fields[i].name);
	return OK;
}

/* The number decides what may follow, so who may send it is asked first. */
static enum err
start_message(struct decoding *d, uint64_t type, unsigned senders,
    struct err_detail *detail)
{
	d->row = row_of(type);
	if (d->row == NULL)
		return err_set(detail, ERR_INVALID,
		    "%" PRIu64 " is no message's number", type);
	if ((d->row->senders & senders) == 0)
		return err_set(detail, ERR_DENIED,
		    "%s: is not this peer's to send", d->row->name);
	memset(&d->message, 0, sizeof d->message);
	d->message.type = (enum message_type)type;
	d->seen = 0;
	d->expected = 0;
	d->unknown_count = 0;
	return OK;
}

enum err
message_decode(struct span bytes, unsigned senders, struct message *message_r,
    struct err_detail *detail)
{
	struct decoding d;
	uint64_t keys = 0, type = 0;
	enum err err;

	if (bytes.len > MESSAGE_MAX_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "%zu bytes are above the limit of a message, %d", bytes.len,
		    MESSAGE_MAX_BYTES);
	d.cursor = message_cursor_of(bytes);
	err = read_type(&d.cursor, &keys, &type, detail);
	if (err == OK)
		err = start_message(&d, type, senders, detail);
	for (uint64_t i = 1; err == OK && i < keys; i++)
		err = read_entry(&d, detail);
	if (err == OK)
		err = check_complete(&d, detail);
	if (err != OK)
		return err;
	*message_r = d.message;
	return OK;
}

enum message_type
message_peek(struct span bytes)
{
	struct message_cursor cursor = message_cursor_of(bytes);
	uint64_t keys = 0, type = 0;

	if (read_type(&cursor, &keys, &type, NULL) != OK ||
	    row_of(type) == NULL)
		return MSG_NONE;
	return (enum message_type)type;
}
