/*
 * Spelling of header fields (see header_lines.h). Not what they mean. Any
 * thread.
 */
#include "engine/front/header_lines.h"

#include <ctype.h>
#include <strings.h>

#include "common/encoding.h"

static bool
is_token(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!isalnum(c) && (c >= 0x80 || c == 0 ||
				       strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return name.len > 0;
}

static bool
is_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static struct span
trim(struct span text)
{
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]))
		text.len--;
	return text;
}

enum err
header_lines_next(struct span *lines, struct header_line *line_r)
{
	const uint8_t *end, *colon;
	struct header_line line;
	size_t len;

	if (lines->len == 0)
		return ERR_NOT_FOUND;
	end = memchr(lines->data, '\n', lines->len);
	if (end == NULL)
		return ERR_INVALID;
	len = (size_t)(end - lines->data);
	colon = memchr(lines->data, ':', len);
	if (colon == NULL)
		return ERR_INVALID;
	line.name = span_of(lines->data, (size_t)(colon - lines->data));
	line.value = trim(span_of(colon + 1, (size_t)(end - colon) - 1));
	if (!is_token(line.name) || !is_value(line.value))
		return ERR_INVALID;
	lines->data = end + 1;
	lines->len -= len + 1;
	*line_r = line;
	return OK;
}

bool
header_lines_is(struct span name, const char *expected)
{
	return name.len == strlen(expected) &&
	       strncasecmp((const char *)name.data, expected, name.len) == 0;
}

static bool
is_one_of(struct span name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (header_lines_is(name, *names))
			return true;
	return false;
}

bool
header_lines_is_ours(struct span name)
{
	static const char *const ours[] = {"host", "content-length",
	    "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
	    "trailer", "expect", "accept-encoding", "proxy-connection",
	    "proxy-authorization", "traceparent", "tracestate",
	    "x-correlation-id", NULL};

	return is_one_of(name, ours);
}

bool
header_lines_is_credential(struct span name)
{
	static const char *const credentials[] = {
	    "authorization", "cookie", "cookie2", NULL};

	return is_one_of(name, credentials);
}

static void
append_latin1(struct buf *out, struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if (c < 0x80) {
			buf_append_char(out, (char)c);
			continue;
		}
		buf_append_char(out, (char)(0xC0 | c >> 6));
		buf_append_char(out, (char)(0x80 | (c & 0x3F)));
	}
}

void
header_lines_append_received(struct buf *out, struct span line)
{
	const uint8_t *colon =
	    line.len == 0 ? NULL : memchr(line.data, ':', line.len);
	struct span name, value;

	if (colon == NULL)
		return;
	name = trim(span_of(line.data, (size_t)(colon - line.data)));
	value = trim(
	    span_of(colon + 1, line.len - (size_t)(colon - line.data) - 1));
	if (!is_token(name) || !is_value(value))
		return;
	for (size_t i = 0; i < name.len; i++)
		buf_append_char(out, (char)tolower(name.data[i]));
	buf_append_str(out, ": ");
	if (utf8_is_valid(value))
		buf_append_span(out, value);
	else
		append_latin1(out, value);
	buf_append_char(out, '\n');
}
