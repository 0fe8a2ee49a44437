/*
 * Writes JSON text and measures its nesting. Not a parser: that is jansson's.
 * Any process, one thread at a time per buffer.
 */
#include <inttypes.h>

#include "common/encoding.h"
#include "common/json_text.h"

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* The two-character escape of RFC 8259 section 7, or 0. */
static char
json_short_escape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

static void
json_append_ascii(struct buf *out, uint8_t c)
{
	char escape = json_short_escape(c);

	if (escape != '\0') {
		buf_append_char(out, '\\');
		buf_append_char(out, escape);
	} else if (c < 0x20) {
		buf_printf(out, "\\u%04X", (unsigned)c);
	} else {
		buf_append_char(out, (char)c);
	}
}

void
json_append_string(struct buf *out, struct span text)
{
	buf_append_char(out, '"');
	while (text.len > 0 && !out->failed) {
		uint32_t code_point;
		size_t len = utf8_next(text, &code_point);

		if (len == 0) {
			buf_append_str(out, REPLACEMENT);
			len = 1;
		} else if (len == 1) {
			json_append_ascii(out, text.data[0]);
		} else {
			buf_append(out, text.data, len);
		}
		text = span_of(text.data + len, text.len - len);
	}
	buf_append_char(out, '"');
}

void
json_append_key(struct buf *out, bool *first, const char *key)
{
	if (!*first)
		buf_append_char(out, ',');
	*first = false;
	json_append_string(out, span_str(key));
	buf_append_char(out, ':');
}

void
json_append_member_str(
    struct buf *out, bool *first, const char *key, struct span value)
{
	json_append_key(out, first, key);
	if (span_present(value))
		json_append_string(out, value);
	else
		buf_append_str(out, "null");
}

void
json_append_member_int(
    struct buf *out, bool *first, const char *key, int64_t value)
{
	json_append_key(out, first, key);
	buf_printf(out, "%" PRId64, value);
}

void
json_append_member_raw(
    struct buf *out, bool *first, const char *key, struct span json)
{
	json_append_key(out, first, key);
	buf_append_span(out, json);
}

size_t
json_depth(struct span text)
{
	bool in_string = false;
	size_t depth = 0;
	size_t deepest = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '\\' && in_string) {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (in_string) {
			continue;
		} else if (c == '[' || c == '{') {
			depth++;
			if (depth > deepest)
				deepest = depth;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}
