/*
 * The table of messages read from JSON; see local_message.h. Writing it is
 * message_json's, and msgpack the codec's. Threads: any.
 */
#include "engine/front/local_message.h"

#include <string.h>

#include "common/encoding.h"

enum message_type
local_message_type(const char *name)
{
#define MESSAGE(UPPER, lower, number, sender, doc) \
	if (strcmp(name, #lower) == 0)             \
		return MSG_##UPPER;
#define FIELD(kind, need, name, max, doc)
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
	return MSG_NONE;
}

/* What reading one object needs. */
struct reading {
	const json_t *object;
	struct buf *bytes;
	struct err_detail *detail;
};

static enum err
wrong_type(const struct reading *in, const char *name, const char *expected)
{
	return err_set(
	    in->detail, ERR_INVALID, "%s: expects %s", name, expected);
}

/* Set by the front, and no part of such JSON. */
static bool
is_address(const char *name)
{
	return strcmp(name, "job") == 0 || strcmp(name, "attempt") == 0;
}

static enum err
get_uint(const struct reading *in, const char *name, uint64_t *value_r)
{
	const json_t *value = json_object_get(in->object, name);

	if (value == NULL || is_address(name))
		return OK;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong_type(in, name, "a number that is not negative");
	*value_r = (uint64_t)json_integer_value(value);
	return OK;
}

static enum err
get_bool(const struct reading *in, const char *name, bool *value_r)
{
	const json_t *value = json_object_get(in->object, name);

	if (value == NULL)
		return OK;
	if (!json_is_boolean(value))
		return wrong_type(in, name, "true or false");
	*value_r = json_is_true(value);
	return OK;
}

static enum err
get_text(const struct reading *in, const char *name, struct span *value_r)
{
	const json_t *value = json_object_get(in->object, name);
	const json_t *coded = json_object_get(value, "base64");
	struct buf plain;
	enum err err;

	if (value == NULL || json_is_null(value))
		return OK;
	if (json_is_string(value)) {
		*value_r = span_of(
		    json_string_value(value), json_string_length(value));
		return OK;
	}
	if (!json_is_string(coded))
		return wrong_type(in, name, "a text or {base64: ...}");
	buf_init(&plain, json_string_length(coded));
	err = base64_decode(
	    span_of(json_string_value(coded), json_string_length(coded)),
	    &plain);
	if (err != OK) {
		buf_fini(&plain);
		return wrong_type(in, name, "base64");
	}
	/* One field of a message at most: answers have one kind of bytes. */
	buf_fini(in->bytes);
	*in->bytes = plain;
	*value_r = plain.len == 0 ? span_of("", 0) : buf_span(in->bytes);
	return OK;
}

__attribute__((unused)) /* no row has that kind at present */
static enum err
get_int(const struct reading *in, const char *name, int64_t *value_r)
{
	const json_t *value = json_object_get(in->object, name);

	if (value == NULL)
		return OK;
	if (!json_is_integer(value))
		return wrong_type(in, name, "a number");
	*value_r = json_integer_value(value);
	return OK;
}

#define GET_INT(name)   get_int(in, #name, &m->name)
#define GET_UINT(name)  get_uint(in, #name, &m->name)
#define GET_BOOL(name)  get_bool(in, #name, &m->name)
#define GET_TEXT(name)  get_text(in, #name, &m->name)
#define GET_BYTES(name) get_text(in, #name, &m->name)
#define GET_ID(name)    get_text(in, #name, &m->name)

#define MESSAGE(UPPER, lower, number, sender, doc)           \
	static enum err read_##lower(                        \
	    const struct reading *in, struct msg_##lower *m) \
	{                                                    \
		enum err err = OK;                           \
                                                             \
		(void)in;                                    \
		(void)m;
#define FIELD(kind, need, name, max, doc) \
	if (err == OK)                    \
		err = GET_##kind(name);
#define END_MESSAGE(UPPER, lower) \
	return err;               \
	}
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE

enum err
local_message_read(const json_t *object, enum message_type type,
    struct buf *bytes, struct message *message_r, struct err_detail *detail)
{
	const struct reading in = {object, bytes, detail};
	struct message message = {.type = type};
	enum err err = ERR_INVALID;

	switch (type) {
#define MESSAGE(UPPER, lower, number, sender, doc)       \
	case MSG_##UPPER:                                \
		err = read_##lower(&in, &message.lower); \
		break;
#define FIELD(kind, need, name, max, doc)
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
	case MSG_NONE:
		break;
	}
	if (err == OK)
		*message_r = message;
	return err;
}
