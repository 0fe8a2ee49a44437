/*
 * The codec: every message of messages.def there and back at its least and its
 * greatest, and everything a peer can do to the bytes in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "proto/message.h"
#include "proto/message_cursor.h"

#define EVERYBODY 0xffu

/* Filled values are cut to this, so that all fields of a message fit into one;
 * each field's own limit has its own test. */
#define FILL_BYTES 600

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

/* An independent reading of messages.def. */
struct field {
	enum message_type type;
	const char *name;
	enum field_kind kind;
	int need;
	uint64_t max;
};
struct shape {
	const char *name;
	enum message_type type;
	unsigned senders;
};

static const struct shape shapes[] = {
#define MESSAGE(UPPER, lower, number, sender, doc) \
	{#lower, MSG_##UPPER, sender},
#define FIELD(kind, need, name, max, doc)
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
};
#define SHAPE_COUNT (sizeof shapes / sizeof shapes[0])

/* A message's fields stand behind the row that has its type. */
static const struct field fields[] = {
#define MESSAGE(UPPER, lower, number, sender, doc) \
	{MSG_##UPPER, NULL, KIND_UINT, 0, 0},
#define FIELD(kind, need, name, max, doc) \
	{MSG_NONE, #name, KIND_##kind, NEED_##need, max},
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
    {MSG_NONE, NULL, KIND_UINT, 0, 0}, /* end */
};

/* Stands for none where a function may be told one. */
static const struct field no_field;
#define NO_FIELD (&no_field)

static const struct field *
fields_of(enum message_type type)
{
	const struct field *field = fields;

	while (field->type != type)
		field++;
	return field + 1;
}

/* ---- a second, naive writer --------------------------------------------- */

static void
write_number(struct buf *out, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		buf_append_char(out, (char)(uint8_t)(number >> (bytes * 8)));
}

static void
write_uint(struct buf *out, uint64_t number)
{
	buf_append_char(out, (char)0xcf);
	write_number(out, number, 8);
}

static void
write_bytes(struct buf *out, int head, struct span bytes)
{
	buf_append_char(out, (char)head); /* str 32 0xdb, bin 32 0xc6 */
	write_number(out, bytes.len, 4);
	buf_append_span(out, bytes);
}

static void
write_key(struct buf *out, const char *key)
{
	write_bytes(out, 0xdb, span_str(key));
}

static void
write_head(struct buf *out, unsigned keys, uint64_t type)
{
	buf_append_char(out, (char)0xdf);
	write_number(out, keys, 4);
	write_key(out, "t");
	write_uint(out, type);
}

/* A value of the field: its least (zero, empty) or its greatest. */
static void
write_value(struct buf *out, const struct field *field, uint64_t size)
{
	uint8_t *bytes;

	switch (field->kind) {
	case KIND_UINT:
	case KIND_INT:
		write_uint(out, size);
		return;
	case KIND_BOOL:
		buf_append_char(out, (char)(size > 0 ? 0xc3 : 0xc2));
		return;
	case KIND_TEXT:
	case KIND_BYTES:
	case KIND_ID:
		break;
	}
	bytes = malloc(size + 1);
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	write_bytes(
	    out, field->kind == KIND_TEXT ? 0xdb : 0xc6, span_of(bytes, size));
	free(bytes);
}

static uint64_t
size_of(const struct field *field, bool is_greatest)
{
	if (field->kind == KIND_ID)
		return field->max;
	if (!is_greatest)
		return 0;
	if (field->kind == KIND_TEXT || field->kind == KIND_BYTES)
		return field->max < FILL_BYTES ? field->max : FILL_BYTES;
	return field->max;
}

/* All fields at their least or greatest; only MUST ones unless `with_may`.
 * One field may have a size of its own (`odd`, or NO_FIELD). */
static void
write_message(struct buf *out, enum message_type type, bool is_greatest,
    bool with_may, const struct field *odd, uint64_t odd_size)
{
	const struct field *first = fields_of(type), *field;
	unsigned keys = 1;

	for (field = first; field->name != NULL; field++)
		if (with_may || field->need == NEED_MUST || field == odd)
			keys++;
	write_head(out, keys, type);
	for (field = first; field->name != NULL; field++) {
		if (!with_may && field->need == NEED_MAY && field != odd)
			continue;
		write_key(out, field->name);
		write_value(out, field,
		    field == odd ? odd_size : size_of(field, is_greatest));
	}
	assert_int_equal(buf_status(out), OK);
}

static enum err
decode(const struct buf *buf, struct message *message_r)
{
	struct err_detail detail = {{0}};
	enum err err =
	    message_decode(buf_span(buf), EVERYBODY, message_r, &detail);

	if (err != OK)
		assert_true(strlen(detail.text) > 0);
	return err;
}

/* ---- there and back ----------------------------------------------------- */

/* Decodes what the naive writer wrote, encodes that, decodes and encodes again:
 * the two encodings are equal, so no field was lost on the way. */
static void
round_trip(enum message_type type, bool is_greatest, bool with_may)
{
	struct message message, again;
	struct buf naive, once, twice;

	buf_init(&naive, MESSAGE_MAX_BYTES);
	buf_init(&once, MESSAGE_MAX_BYTES);
	buf_init(&twice, MESSAGE_MAX_BYTES);
	write_message(&naive, type, is_greatest, with_may, NO_FIELD, 0);
	assert_int_equal(decode(&naive, &message), OK);
	assert_int_equal(message.type, type);
	assert_int_equal(message_peek(buf_span(&naive)), type);
	assert_int_equal(message_encode(&message, &once, NULL), OK);
	assert_true(once.len <= naive.len);
	assert_int_equal(decode(&once, &again), OK);
	assert_int_equal(message_encode(&again, &twice, NULL), OK);
	assert_true(span_equal(buf_span(&once), buf_span(&twice)));
	buf_fini(&naive);
	buf_fini(&once);
	buf_fini(&twice);
}

static void
every_message_round_trips(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		round_trip(shapes[i].type, false, false);
		round_trip(shapes[i].type, false, true);
		round_trip(shapes[i].type, true, false);
		round_trip(shapes[i].type, true, true);
	}
}

static void
fields_keep_their_values(void **state)
{
	static const uint8_t id[32] = {1, 2, 3, 0xff};
	struct message in = {.type = MSG_JOB}, out;
	struct buf buf;

	(void)state;
	in.job = (struct msg_job){.job = UINT64_MAX,
	    .attempt = 1024,
	    .idp = span_str("ExampleId"),
	    .correlation_id = span_str(""),
	    .release = span_of(id, 32),
	    .source = span_of(id, 32),
	    .properties = span_of(id, 32),
	    .kind = 1,
	    .wall_ms = 127,
	    .cpu_ms = 128,
	    .heap_bytes = 65536,
	    .data = span_str("\xc3\xa4"),
	    .custom_params = span_str("")};
	buf_init(&buf, MESSAGE_MAX_BYTES);
	assert_int_equal(message_encode(&in, &buf, NULL), OK);
	assert_int_equal(decode(&buf, &out), OK);
	assert_true(out.job.job == UINT64_MAX);
	assert_int_equal(out.job.attempt, 1024);
	assert_true(span_is(out.job.idp, "ExampleId"));
	assert_true(span_present(out.job.correlation_id));
	assert_int_equal(out.job.correlation_id.len, 0);
	assert_true(span_equal(out.job.source, span_of(id, 32)));
	assert_int_equal(out.job.kind, 1);
	assert_int_equal(out.job.wall_ms, 127);
	assert_int_equal(out.job.cpu_ms, 128);
	assert_int_equal(out.job.heap_bytes, 65536);
	assert_true(span_is(out.job.data, "\xc3\xa4"));
	assert_false(span_present(out.job.registration_data));
	assert_true(span_present(out.job.custom_params));
	assert_true(out.job.data.data > buf.data &&
		    out.job.data.data < buf.data + buf.len);
	buf_fini(&buf);
}

/* The encoding is what any msgpack writer would make, shortest forms. */
static void
encoding_is_plain_msgpack(void **state)
{
	static const uint8_t due[] = "\x83\xa1t\x09\xa3job\xcd\x01\x00"
				     "\xa7"
				     "attempt\x01";
	struct message message = {
	    .type = MSG_ACK, .ack = {.job = 256, .attempt = 1}};
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(message_encode(&message, &buf, NULL), OK);
	assert_true(span_equal(buf_span(&buf), span_of(due, sizeof due - 1)));
	buf_fini(&buf);
}

static void
names_are_those_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		assert_string_equal(
		    message_name(shapes[i].type), shapes[i].name);
	assert_string_equal(message_name(MSG_NONE), "unknown");
	assert_string_equal(message_name((enum message_type)9999), "unknown");
}

static void
messages_are_taken_from_their_senders_only(void **state)
{
	struct message message;
	struct buf buf;

	(void)state;
	buf_init(&buf, MESSAGE_MAX_BYTES);
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		buf_reset(&buf);
		write_message(&buf, shapes[i].type, true, true, NO_FIELD, 0);
		for (unsigned bit = 1; bit <= SENDER_CHILD; bit <<= 1)
			assert_int_equal(
			    message_decode(buf_span(&buf), bit, &message, NULL),
			    (shapes[i].senders & bit) != 0 ? OK : ERR_DENIED);
		assert_int_equal(
		    message_decode(buf_span(&buf), 0, &message, NULL),
		    ERR_DENIED);
	}
	buf_fini(&buf);
}

/* ---- limits ------------------------------------------------------------- */

static void
check_limit(enum message_type type, const struct field *field)
{
	struct message message;
	struct buf buf;
	enum err over = field->kind == KIND_ID ? ERR_INVALID : ERR_LIMIT;

	buf_init(&buf, 2 * (size_t)MESSAGE_MAX_BYTES);
	write_message(&buf, type, false, false, field, field->max);
	assert_int_equal(decode(&buf, &message), OK);
	if (field->kind != KIND_BOOL && field->max < UINT64_MAX) {
		buf_reset(&buf);
		write_message(&buf, type, false, false, field, field->max + 1);
		assert_int_equal(decode(&buf, &message), over);
	}
	if (field->kind == KIND_ID) {
		buf_reset(&buf);
		write_message(&buf, type, false, false, field, field->max - 1);
		assert_int_equal(decode(&buf, &message), ERR_INVALID);
	}
	buf_fini(&buf);
}

static void
every_field_has_its_limit(void **state)
{
	const struct field *field;

	(void)state;
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		for (field = fields_of(shapes[i].type); field->name != NULL;
		     field++)
			check_limit(shapes[i].type, field);
}

static void
encoding_refuses_what_decoding_would(void **state)
{
	static const uint8_t id[32];
	struct message message = {.type = MSG_OUTCOME};
	struct err_detail detail = {{0}};
	char *large = calloc(1, MESSAGE_MAX_BYTES);
	struct buf buf;

	(void)state;
	assert_non_null(large);
	buf_init(&buf, 4 * (size_t)MESSAGE_MAX_BYTES);
	message.outcome.code = 10000;
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_LIMIT);
	assert_non_null(strstr(detail.text, "outcome.code"));
	message.outcome.code = 0;
	message.outcome.payload = span_str("\xed\xa0\x80"); /* a surrogate */
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_INVALID);
	assert_non_null(strstr(detail.text, "outcome.payload"));
	message.outcome.payload = span_of(large, 524289);
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_LIMIT);
	message.outcome.payload = span_of(large, 524288);
	message.outcome.user = span_of(large, 524288);
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_LIMIT);
	message = (struct message){.type = MSG_SOURCE_GET};
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_INVALID);
	assert_non_null(strstr(detail.text, "source_get.source"));
	message.source_get.source = span_of(id, 31);
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_INVALID);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_status(&buf), OK);
	message.source_get.source = span_of(id, 32);
	buf_fini(&buf);
	buf_init(&buf, 10);
	assert_int_equal(message_encode(&message, &buf, &detail), ERR_LIMIT);
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
	free(large);
}

/* ---- hostile bytes ------------------------------------------------------ */

/* Decodes bytes that may be anything, in a block of their own so that a
 * sanitizer sees a read past their end. What decodes must encode again. */
static enum err
decode_hostile(const uint8_t *data, size_t len)
{
	struct err_detail detail = {{0}};
	uint8_t *copy = len == 0 ? NULL : malloc(len);
	struct message message;
	struct buf buf;
	enum err err;

	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, data, len);
	(void)message_peek(span_of(copy, len));
	err = message_decode(span_of(copy, len), EVERYBODY, &message, &detail);
	if (err == OK) {
		buf_init(&buf, MESSAGE_MAX_BYTES);
		assert_int_equal(message_encode(&message, &buf, &detail), OK);
		assert_true(buf.len <= len);
		buf_fini(&buf);
	} else {
		assert_true(strlen(detail.text) > 0);
	}
	free(copy);
	return err;
}

static void
mutate(struct buf *buf)
{
	enum err err;

	for (size_t len = 0; len < buf->len; len++) {
		err = decode_hostile(buf->data, len);
		assert_int_equal(err, ERR_SYNTAX);
	}
	for (size_t bit = 0; bit < buf->len * 8; bit++) {
		buf->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)decode_hostile(buf->data, buf->len);
		buf->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
mutations_of_every_message_are_survived(void **state)
{
	struct message message;
	struct buf buf, compact;

	(void)state;
	buf_init(&buf, MESSAGE_MAX_BYTES);
	buf_init(&compact, MESSAGE_MAX_BYTES);
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		buf_reset(&buf);
		write_message(&buf, shapes[i].type, false, true, NO_FIELD, 0);
		mutate(&buf);
		assert_int_equal(decode(&buf, &message), OK);
		buf_reset(&compact);
		assert_int_equal(message_encode(&message, &compact, NULL), OK);
		mutate(&compact);
	}
	buf_fini(&buf);
	buf_fini(&compact);
}

static void
every_duplicate_and_missing_key_is_refused(void **state)
{
	const struct field *first, *field;
	struct message message;
	struct buf buf;

	(void)state;
	buf_init(&buf, MESSAGE_MAX_BYTES);
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		first = fields_of(shapes[i].type);
		for (field = first; field->name != NULL; field++) {
			buf_reset(&buf);
			write_message(
			    &buf, shapes[i].type, true, true, NO_FIELD, 0);
			buf.data[4]++; /* low byte of the map's count */
			write_key(&buf, field->name);
			write_value(&buf, field, size_of(field, false));
			assert_int_equal(decode(&buf, &message), ERR_SYNTAX);
			if (field->need == NEED_MAY)
				continue;
			buf_reset(&buf);
			write_head(&buf, 1, shapes[i].type);
			assert_int_equal(decode(&buf, &message), ERR_INVALID);
		}
	}
	buf_fini(&buf);
}

/* Bytes of a C string literal, NULs included. */
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct malformed {
	const char *what;
	const uint8_t *data;
	size_t len;
	enum err err;
} malformed[] = {
    {"nothing", BYTES(""), ERR_SYNTAX},
    {"empty map", BYTES("\x80"), ERR_SYNTAX},
    {"array", BYTES("\x91\x01"), ERR_SYNTAX},
    {"done", BYTES("\x81\xa1t\x08"), OK},
    {"type as int 8", BYTES("\x81\xa1t\xd0\x08"), OK},
    {"type below 0", BYTES("\x81\xa1t\xff"), ERR_INVALID},
    {"type as text", BYTES("\x81\xa1t\xa1\x08"), ERR_INVALID},
    {"unknown type", BYTES("\x81\xa1t\x7f"), ERR_INVALID},
    {"type 0", BYTES("\x81\xa1t\x00"), ERR_INVALID},
    {"huge type", BYTES("\x81\xa1t\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
	ERR_INVALID},
    {"type not first", BYTES("\x82\xa1x\x01\xa1t\x08"), ERR_SYNTAX},
    {"two types", BYTES("\x82\xa1t\x08\xa1t\x08"), ERR_SYNTAX},
    {"trailing byte", BYTES("\x81\xa1t\x08\xc0"), ERR_SYNTAX},
    {"number as key", BYTES("\x82\xa1t\x08\x01\x01"), ERR_SYNTAX},
    {"bytes as key", BYTES("\x82\xa1t\x08\xc4\x01x\x01"), ERR_SYNTAX},
    {"unknown key", BYTES("\x82\xa1t\x08\xa1x\x01"), OK},
    {"unknown key twice", BYTES("\x83\xa1t\x08\xa1x\x01\xa1x\x01"), ERR_SYNTAX},
    {"unknown map", BYTES("\x82\xa1t\x08\xa1x\x81\xa1y\x93\x01\x02\xc0"), OK},
    {"unknown map, key no text", BYTES("\x82\xa1t\x08\xa1x\x81\x01\x01"),
	ERR_SYNTAX},
    {"unknown ext", BYTES("\x82\xa1t\x08\xa1x\xd4\x01\x01"), ERR_SYNTAX},
    {"unknown ext inside", BYTES("\x82\xa1t\x08\xa1x\x91\xc7\x00\x01"),
	ERR_SYNTAX},
    {"never used byte", BYTES("\x82\xa1t\x08\xa1x\xc1"), ERR_SYNTAX},
    {"unknown float",
	BYTES("\x82\xa1t\x08\xa1x\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), OK},
    {"huge map", BYTES("\xdf\xff\xff\xff\xff\xa1t\x08"), ERR_SYNTAX},
    {"huge map 16", BYTES("\xde\xff\xff\xa1t\x08"), ERR_SYNTAX},
    {"huge unknown array", BYTES("\x82\xa1t\x08\xa1x\xdd\xff\xff\xff\xff\x01"),
	ERR_SYNTAX},
    {"huge unknown map", BYTES("\x82\xa1t\x08\xa1x\xdf\x80\x00\x00\x00\x01"),
	ERR_SYNTAX},
    {"huge unknown text", BYTES("\x82\xa1t\x08\xa1x\xdb\xff\xff\xff\xff\x01"),
	ERR_SYNTAX},
    {"heartbeat", BYTES("\x82\xa1t\x0a\xa7running\x01"), OK},
    {"heartbeat, null", BYTES("\x82\xa1t\x0a\xa7running\xc0"), ERR_INVALID},
    {"heartbeat, below 0", BYTES("\x82\xa1t\x0a\xa7running\xff"), ERR_INVALID},
    {"heartbeat, float", BYTES("\x82\xa1t\x0a\xa7running\xca\x00\x00\x00\x00"),
	ERR_INVALID},
    {"heartbeat, draining a number",
	BYTES("\x83\xa1t\x0a\xa7running\x01\xa8"
	      "draining\x01"),
	ERR_INVALID},
    {"cache_fetch", BYTES("\x82\xa1t\x15\xa3key\xa1k"), OK},
    {"cache_fetch, bin for text", BYTES("\x82\xa1t\x15\xa3key\xc4\x01k"),
	ERR_INVALID},
    {"cache_fetch, not UTF-8", BYTES("\x82\xa1t\x15\xa3key\xa1\xff"),
	ERR_INVALID},
    {"run, text for an id", BYTES("\x82\xa1t\x2d\xa4seed\xa1k"), ERR_INVALID},
};

static void
malformed_messages_have_their_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
		if (decode_hostile(malformed[i].data, malformed[i].len) !=
		    malformed[i].err)
			fail_msg("%s", malformed[i].what);
}

static void
integers_are_read_in_every_width(void **state)
{
	static const struct {
		uint64_t number;
		size_t len;
		enum message_item_kind kind;
		uint8_t bytes[9];
	} cases[] = {
	    {127, 1, ITEM_UINT, {0x7f}},
	    {1, 1, ITEM_NEGATIVE, {0xff}},
	    {32, 1, ITEM_NEGATIVE, {0xe0}},
	    {127, 2, ITEM_UINT, {0xd0, 0x7f}},
	    {128, 2, ITEM_NEGATIVE, {0xd0, 0x80}},
	    {1, 3, ITEM_NEGATIVE, {0xd1, 0xff, 0xff}},
	    {32767, 3, ITEM_UINT, {0xd1, 0x7f, 0xff}},
	    {0x80000000, 5, ITEM_NEGATIVE, {0xd2, 0x80, 0, 0, 0}},
	    {UINT64_C(1) << 63, 9, ITEM_NEGATIVE, {0xd3, 0x80}},
	    {2, 9, ITEM_NEGATIVE,
		{0xd3, 255, 255, 255, 255, 255, 255, 255, 254}},
	    {255, 2, ITEM_UINT, {0xcc, 0xff}},
	    {256, 3, ITEM_UINT, {0xcd, 1, 0}},
	    {1 << 24, 5, ITEM_UINT, {0xce, 1, 0, 0, 0}},
	    {UINT64_C(1) << 63, 9, ITEM_UINT, {0xcf, 0x80}},
	};
	struct message_cursor cursor;
	struct message_item item;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cursor =
		    message_cursor_of(span_of(cases[i].bytes, cases[i].len));
		assert_int_equal(message_cursor_next(&cursor, &item), OK);
		assert_int_equal(item.kind, cases[i].kind);
		assert_true(item.number == cases[i].number);
		assert_ptr_equal(cursor.at, cursor.end);
	}
}

/* `depth` containers within each other inside the message's own map. */
static enum err
decode_nested(unsigned depth, char container)
{
	struct buf buf;
	enum err err;

	buf_init(&buf, 1000);
	buf_append(&buf, "\x82\xa1t\x08\xa1x", 6);
	for (unsigned i = 0; i < depth; i++) {
		buf_append_char(&buf, container);
		if (container == (char)0x81)
			buf_append_str(&buf, "\xa1k");
	}
	buf_append_char(&buf, (char)0xc0);
	err = decode_hostile(buf.data, buf.len);
	buf_fini(&buf);
	return err;
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	for (unsigned depth = 0; depth < 64; depth++) {
		enum err due = depth <= 15 ? OK : ERR_SYNTAX;

		assert_int_equal(decode_nested(depth, (char)0x91), due);
		assert_int_equal(decode_nested(depth, (char)0x81), due);
	}
}

static void
number_of_keys_is_bounded(void **state)
{
	struct buf buf;
	char key[16];

	(void)state;
	buf_init(&buf, 10000);
	for (unsigned keys = 1; keys < 80; keys++) {
		buf_reset(&buf);
		write_head(&buf, keys, MSG_DONE);
		for (unsigned i = 1; i < keys; i++) {
			snprintf(key, sizeof key, "key%u", i);
			write_key(&buf, key);
			write_uint(&buf, i);
		}
		assert_int_equal(decode_hostile(buf.data, buf.len),
		    keys <= 64 ? OK : ERR_SYNTAX);
	}
	buf_fini(&buf);
}

static void
size_is_bounded(void **state)
{
	const uint8_t done[] = {0x81, 0xa1, 't', MSG_DONE};
	uint8_t *data = calloc(1, MESSAGE_MAX_BYTES + 1);
	struct message message;

	(void)state;
	assert_non_null(data);
	memcpy(data, done, sizeof done);
	assert_int_equal(message_decode(span_of(data, MESSAGE_MAX_BYTES),
			     EVERYBODY, &message, NULL),
	    ERR_SYNTAX);
	assert_int_equal(message_decode(span_of(data, MESSAGE_MAX_BYTES + 1),
			     EVERYBODY, &message, NULL),
	    ERR_LIMIT);
	free(data);
}

static void
nothing_is_written_on_failure(void **state)
{
	struct message message = {.type = MSG_JOB};
	struct message before;

	(void)state;
	memcpy(&before, &message, sizeof before);
	assert_int_equal(
	    message_decode(span_str("\x82\xa1t\x15\xa3key\xa1\xff"), EVERYBODY,
		&message, NULL),
	    ERR_INVALID);
	assert_memory_equal(&before, &message, sizeof before);
	assert_int_equal(
	    message_decode((struct span){NULL, 0}, EVERYBODY, &message, NULL),
	    ERR_SYNTAX);
	assert_int_equal(message_peek((struct span){NULL, 0}), MSG_NONE);
	assert_int_equal(message_peek(span_str("\x81\xa1t\x7f")), MSG_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_round_trips),
	    cmocka_unit_test(fields_keep_their_values),
	    cmocka_unit_test(encoding_is_plain_msgpack),
	    cmocka_unit_test(names_are_those_of_the_table),
	    cmocka_unit_test(messages_are_taken_from_their_senders_only),
	    cmocka_unit_test(every_field_has_its_limit),
	    cmocka_unit_test(encoding_refuses_what_decoding_would),
	    cmocka_unit_test(mutations_of_every_message_are_survived),
	    cmocka_unit_test(every_duplicate_and_missing_key_is_refused),
	    cmocka_unit_test(malformed_messages_have_their_errors),
	    cmocka_unit_test(integers_are_read_in_every_width),
	    cmocka_unit_test(depth_is_bounded),
	    cmocka_unit_test(number_of_keys_is_bounded),
	    cmocka_unit_test(size_is_bounded),
	    cmocka_unit_test(nothing_is_written_on_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
