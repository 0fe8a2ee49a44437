/*
 * Cutting members out of compact JSON (see json_members.h). Not a parser and
 * not a validator: it only finds where values end, and never reads beyond
 * the text whatever the text is.
 */
#include "engine/runner/json_members.h"

/* The offset behind the string that starts at `at`; text.len if cut off. */
static size_t
skip_string(struct span text, size_t at)
{
	for (at++; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '"')
			return at + 1;
	}
	return text.len;
}

/* The offset of the , or } that ends the value at `at`; text.len if none. */
static size_t
skip_value(struct span text, size_t at)
{
	size_t depth = 0;

	while (at < text.len) {
		switch (text.data[at]) {
		case '"':
			at = skip_string(text, at);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return at;
			depth--;
			break;
		case ',':
			if (depth == 0)
				return at;
			break;
		default:
			break;
		}
		at++;
	}
	return text.len;
}

struct span
json_members_get(struct span object, const char *name)
{
	const struct span absent = {NULL, 0};
	size_t at = 1;

	if (object.len < 2 || object.data[0] != '{')
		return absent;
	while (at < object.len && object.data[at] == '"') {
		size_t key_end = skip_string(object, at);
		size_t value_end;

		if (key_end >= object.len || object.data[key_end] != ':')
			return absent;
		value_end = skip_value(object, key_end + 1);
		if (value_end >= object.len || value_end == key_end + 1)
			return absent;
		if (span_is(
			span_of(object.data + at + 1, key_end - at - 2), name))
			return span_of(
			    object.data + key_end + 1, value_end - key_end - 1);
		at = value_end + 1;
	}
	return absent;
}

const char *
json_members_kind(struct span json)
{
	switch (json.len == 0 ? 0 : json.data[0]) {
	case '{':
		return "an object";
	case '[':
		return "an array";
	case '"':
		return "a string";
	case 't':
	case 'f':
		return "a boolean";
	case 'n':
		return "null";
	case 0:
		return "nothing";
	default:
		return "a number";
	}
}
