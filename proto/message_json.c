/*
 * Fields as JSON; see message_json.h. Not reading: each reader knows what it
 * expects. Runs in engine and gateway, on any thread.
 */
#include "proto/message_json.h"

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"

static void
append_uint(struct buf *out, bool *first, const char *name, uint64_t value)
{
	if (value == 0)
		return;
	json_append_key(out, first, name);
	buf_printf(out, "%llu", (unsigned long long)value);
}

static void
append_bool(struct buf *out, bool *first, const char *name, bool value)
{
	if (value)
		json_append_member_raw(out, first, name, span_str("true"));
}

static void
append_text(struct buf *out, bool *first, const char *name, struct span value)
{
	if (span_present(value))
		json_append_member_str(out, first, name, value);
}

static void
append_bytes(struct buf *out, bool *first, const char *name, struct span value)
{
	if (!span_present(value) || utf8_is_valid(value)) {
		append_text(out, first, name, value);
		return;
	}
	json_append_key(out, first, name);
	buf_append_str(out, "{\"base64\":\"");
	base64_append(out, value);
	buf_append_str(out, "\"}");
}

/* The columns `kind` and `name` of messages.def: job and attempt are the
 * execution's name, which a reader of JSON has no use for. */
#define APPEND_UINT(name, value)                                      \
	if (strcmp(name, "job") != 0 && strcmp(name, "attempt") != 0) \
	append_uint(out, &first, name, value)
#define APPEND_INT(name, value)   json_append_member_int(out, &first, name, value)
#define APPEND_BOOL(name, value)  append_bool(out, &first, name, value)
#define APPEND_TEXT(name, value)  append_text(out, &first, name, value)
#define APPEND_BYTES(name, value) append_bytes(out, &first, name, value)
#define APPEND_ID(name, value)    append_bytes(out, &first, name, value)

/* One function a message. */
#define MESSAGE(UPPER, lower, number, sender, doc)        \
	static void append_##lower(                       \
	    struct buf *out, const struct msg_##lower *m) \
	{                                                 \
		bool first = true;                        \
		(void)m, (void)out, (void)first;
#define FIELD(kind, need, name, max, doc) APPEND_##kind(#name, m->name);
#define END_MESSAGE(UPPER, lower)         }
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE

void
message_json_append(struct buf *out, const struct message *message)
{
	buf_append_char(out, '{');
	switch (message->type) {
#define MESSAGE(UPPER, lower, number, sender, doc)    \
	case MSG_##UPPER:                             \
		append_##lower(out, &message->lower); \
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
	buf_append_char(out, '}');
}
