/*
 * Outcomes as text; see ctl_replay_text.h. Runs in `postern`, which has one
 * thread.
 */
#include "gateway/ctl/ctl_replay_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/ctl_json.h"

/* ---- outcomes -------------------------------------------------------------
 */

/* "name: text", further lines of the text indented below. */
static void
append_lines(struct buf *out, const char *name, struct span text)
{
	const char *at = (const char *)text.data;
	size_t left = text.len;

	buf_printf(out, "%s: ", name);
	while (left > 0) {
		const char *end = memchr(at, '\n', left);
		size_t len = end == NULL ? left : (size_t)(end - at);

		buf_append(out, at, len);
		if (end != NULL)
			buf_append_str(out, "\n  ");
		len += end != NULL;
		at += len;
		left -= len;
	}
	buf_append_char(out, '\n');
}

static void
append_json(struct buf *out, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(2));

	if (text != NULL)
		append_lines(out, name, span_str(text));
	free(text);
}

/* Text that is JSON is easier to compare line by line. */
static void
append_value(struct buf *out, const json_t *outcome, const char *name)
{
	const json_t *value = json_object_get(outcome, name);
	json_t *inner = NULL;

	if (value == NULL || json_is_null(value))
		return;
	if (json_is_string(value))
		(void)!ctl_json_read(ctl_json_span(value), &inner, NULL);
	if (json_is_object(inner) || json_is_array(inner))
		append_json(out, name, inner);
	else if (json_is_string(value))
		append_lines(out, name, ctl_json_span(value));
	else
		append_json(out, name, value);
	json_decref(inner);
}

static void
append_verdict(struct buf *out, const json_t *outcome)
{
	const char *name = ctl_json_text(outcome, "name");
	const char *file = ctl_json_text(outcome, "file");

	buf_printf(out, "code: %d %s\n",
	    (int)ctl_json_number(outcome, "code", -1),
	    name == NULL ? "" : name);
	append_value(out, outcome, "status");
	append_value(out, outcome, "payload");
	append_value(out, outcome, "user");
	append_value(out, outcome, "registration_data");
	append_value(out, outcome, "message");
	if (file != NULL)
		buf_printf(out, "at: %s:%d\n", file,
		    (int)ctl_json_number(outcome, "line", 0));
	append_value(out, outcome, "stack");
}

static void
append_log(struct buf *out, const json_t *log)
{
	const json_t *line;
	char name[32];
	size_t i;

	json_array_foreach (log, i, line) {
		const char *level = ctl_json_text(line, "level");
		bool is_cut = json_is_true(json_object_get(line, "cut"));

		(void)snprintf(name, sizeof name, "log %.8s%s",
		    level == NULL ? "-" : level, is_cut ? " (cut)" : "");
		append_lines(
		    out, name, ctl_json_span(json_object_get(line, "text")));
	}
}

static void
append_part(struct buf *out, const char *mark, const json_t *part)
{
	char *text = part == NULL
			 ? NULL
			 : json_dumps(part,
			       JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	if (text != NULL)
		buf_printf(out, "  %s %s\n", mark, text);
	free(text);
}

/* "unanswered" is how a local engine says that an execution ended first, which
 * a recording leaves out. */
static const json_t *
error_of(const json_t *call)
{
	const json_t *error = json_object_get(call, "error");
	const char *name = ctl_json_text(error, "error");

	return name != NULL && strcmp(name, "unanswered") == 0 ? NULL : error;
}

static void
append_calls(struct buf *out, const json_t *calls)
{
	const json_t *call;
	size_t i;

	json_array_foreach (calls, i, call) {
		const char *name = ctl_json_text(call, "call");

		buf_printf(
		    out, "call %zu: %s\n", i + 1, name == NULL ? "-" : name);
		append_part(out, "asked", json_object_get(call, "request"));
		append_part(out, "answer", json_object_get(call, "answer"));
		append_part(out, "error", error_of(call));
	}
}

void
ctl_replay_append(struct buf *out, const json_t *outcome, const json_t *calls)
{
	append_verdict(out, outcome);
	append_log(out, json_object_get(outcome, "log"));
	append_calls(out, calls);
}

/* ---- masking --------------------------------------------------------------
 */

/* The value as it stands inside a string of JSON text; NULL: not masked. */
static char *
escaped(const json_t *value)
{
	char *text;
	size_t len;

	if (json_string_length(value) < CTL_REPLAY_MASK_MIN_BYTES)
		return NULL;
	text = json_dumps(value, JSON_ENCODE_ANY);
	if (text == NULL)
		return NULL;
	len = strlen(text);
	memmove(text, text + 1, len - 2);
	text[len - 2] = '\0';
	return text;
}

/* malloc'd; takes `text`, which may be NULL. */
static char *
replaced(char *text, const char *value, const char *by)
{
	struct buf out;
	const char *at = text;
	const char *hit;
	char *copy = NULL;

	if (text == NULL || strstr(text, value) == NULL)
		return text;
	buf_init(&out, CTL_REPLAY_TEXT_MAX);
	while ((hit = strstr(at, value)) != NULL) {
		buf_append(&out, at, (size_t)(hit - at));
		buf_append_str(&out, by);
		at = hit + strlen(value);
	}
	buf_append_str(&out, at);
	if (buf_cstr(&out) != NULL)
		copy = strdup(buf_cstr(&out));
	buf_wipe(&out);
	free(text);
	return copy;
}

json_t *
ctl_replay_masked(const json_t *document, const json_t *recording, bool by_name)
{
	const json_t *values =
	    json_object_get(json_object_get(recording, "job"), "properties");
	char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
	const json_t *id;
	json_t *masked;
	size_t i;

	json_array_foreach (json_object_get(recording, "sensitive"), i, id) {
		const char *name = json_string_value(id);
		char *value = escaped(json_object_get(values, name));
		char by[256] = "***";

		if (by_name)
			(void)snprintf(by, sizeof by, "sensitive-%.200s", name);
		if (value != NULL)
			text = replaced(text, value, by);
		free(value);
	}
	masked = text == NULL
		     ? NULL
		     : json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	free(text);
	return masked;
}
