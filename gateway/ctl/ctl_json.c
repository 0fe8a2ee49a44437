/*
 * JSON documents; see ctl_json.h. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json_text.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_text.h"

/* No document of the API is as deep; jansson recurses. */
#define DEPTH_MAX 64

/* Maps in maps that are shown with names of their own: "a.b.c". */
#define SHOWN_DEPTH_MAX 4

/* Where values begin: most names are shorter. */
#define NAME_COLUMNS 18

/* Name and value of a line. */
#define NAME_BYTES_MAX  4096
#define VALUE_BYTES_MAX ((size_t)64 * 1024 * 1024)

enum err
ctl_json_read(struct span text, json_t **document_r, struct err_detail *detail)
{
	json_error_t error;
	json_t *document;

	if (json_depth(text) > DEPTH_MAX)
		return err_set(detail, ERR_SYNTAX,
		    "is not JSON of at most %d levels", DEPTH_MAX);
	document = json_loadb((const char *)text.data, text.len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (document == NULL)
		return err_set(detail, ERR_SYNTAX, "is not JSON: line %d: %s",
		    error.line, error.text);
	*document_r = document;
	return OK;
}

const char *
ctl_json_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (text == NULL || strlen(text) != json_string_length(value))
		return NULL;
	return text;
}

json_int_t
ctl_json_number(const json_t *object, const char *key, json_int_t fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

struct span
ctl_json_span(const json_t *value)
{
	if (!json_is_string(value))
		return (struct span){NULL, 0};
	return span_of(json_string_value(value), json_string_length(value));
}

enum err
ctl_json_dump(const json_t *document, struct buf *out)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		return ERR_NOMEM;
	buf_append_str(out, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return buf_status(out);
}

/* ---- for people ---------------------------------------------------------- */

static bool
is_list_of_scalars(const json_t *value)
{
	const json_t *item;
	size_t index;

	if (!json_is_array(value))
		return false;
	json_array_foreach (value, index, item) {
		if (json_is_array(item) || json_is_object(item))
			return false;
	}
	return true;
}

static void
append_scalar(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_append_span(out, ctl_json_span(value));
	else if (json_is_boolean(value))
		buf_append_str(out, json_is_true(value) ? "yes" : "no");
	else if (value != NULL && !json_is_null(value) &&
		 ctl_json_dump(value, out) != OK)
		buf_append_str(out, "...");
}

void
ctl_json_append(struct buf *out, const json_t *value)
{
	const json_t *item;
	size_t index;

	if (!is_list_of_scalars(value)) {
		append_scalar(out, value);
		return;
	}
	json_array_foreach (value, index, item) {
		if (index > 0)
			buf_append_str(out, ", ");
		append_scalar(out, item);
	}
}

static bool
is_time(const char *key)
{
	size_t len = strlen(key);

	return strcmp(key, "since") == 0 || strcmp(key, "at") == 0 ||
	       (len > 3 && strcmp(key + len - 3, "_at") == 0);
}

void
ctl_json_append_member(struct buf *out, const char *key, const json_t *value)
{
	time_t at = (time_t)json_integer_value(value);
	char text[32];
	struct tm date;

	if (json_is_integer(value) && is_time(key) &&
	    gmtime_r(&at, &date) != NULL &&
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date) > 0)
		buf_append_str(out, text);
	else
		ctl_json_append(out, value);
}

/* "name  value"; a value of many lines stands below its name. */
static void
print_line(const char *name, const char *key, const json_t *value)
{
	struct buf text;

	buf_init(&text, VALUE_BYTES_MAX);
	ctl_json_append_member(&text, key, value);
	ctl_out(STYLE_BOLD, "%-*s", NAME_COLUMNS, name);
	if (text.len > 0 && memchr(text.data, '\n', text.len) != NULL)
		ctl_out(STYLE_PLAIN, "\n");
	else
		ctl_out(STYLE_PLAIN, "  ");
	ctl_out_span(STYLE_PLAIN, buf_span(&text));
	ctl_out(STYLE_PLAIN, "\n");
	buf_fini(&text);
}

/* Calls itself at most SHOWN_DEPTH_MAX deep. */
static void
print_map(const char *prefix, json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		struct buf name;
		const char *shown;

		buf_init(&name, NAME_BYTES_MAX);
		buf_printf(
		    &name, "%s%s%s", prefix, *prefix == '\0' ? "" : ".", key);
		shown = buf_cstr(&name);
		shown = shown == NULL ? "" : shown;
		if (depth < SHOWN_DEPTH_MAX && json_object_size(value) > 0)
			print_map(shown, value, depth + 1);
		else
			print_line(shown, key, value);
		buf_fini(&name);
	}
}

void
ctl_json_print_keys(json_t *object)
{
	if (json_is_object(object))
		print_map("", object, 0);
	else
		print_line("", "", object);
}

/* ---- for programs -------------------------------------------------------- */

void
ctl_json_print(const json_t *document)
{
	/* In ASCII, so that nothing in it can be meant for a terminal. */
	char *text = json_dumps(
	    document, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

	if (text == NULL)
		return;
	ctl_out_raw(span_str(text));
	ctl_out_raw(span_str("\n"));
	free(text);
}
