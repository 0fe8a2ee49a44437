/*
 * Outcomes against expectations; see ctl_test_compare.h. Any thread.
 */
#include "gateway/ctl/ctl_test_compare.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "gateway/ctl/ctl_test_value.h"

#define PATH_BYTES 512
/* Of one side of a difference; the rest is cut. */
#define SHOWN_BYTES 2000

struct differences {
	struct buf *out;
	unsigned count;
};

static void compare(struct differences *d, const char *path,
    const json_t *expected, const json_t *actual);

/* Where a difference is; a long path is cut. */
__attribute__((format(printf, 2, 3))) static void
name_place(char path_r[PATH_BYTES], const char *format, ...)
{
	va_list values;

	va_start(values, format);
	(void)vsnprintf(path_r, PATH_BYTES, format, values);
	va_end(values);
}

/* ---- telling -------------------------------------------------------------
 */

static void
tell_side(struct buf *out, const char *mark, const json_t *value)
{
	char *text = NULL;

	if (value != NULL)
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(0));
	buf_printf(out, "  %s %.*s%s\n", mark, SHOWN_BYTES,
	    text == NULL ? "(nothing)" : text,
	    text != NULL && strlen(text) > SHOWN_BYTES ? " ..." : "");
	free(text);
}

/* NULL: nothing is there, or nothing should be. */
static void
tell(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	d->count++;
	buf_printf(d->out, "%s\n", path);
	tell_side(d->out, "-", expected);
	tell_side(d->out, "+", actual);
}

static void
tell_sentence(struct differences *d, const char *path, const char *sentence)
{
	d->count++;
	buf_printf(d->out, "%s\n  %s\n", path, sentence);
}

/* ---- patterns ------------------------------------------------------------
 */

static bool
found_in(const json_t *pattern, const json_t *actual)
{
	regex_t regex;
	char *text = NULL;
	bool found = false;

	if (regcomp(&regex, json_string_value(pattern),
		REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	if (json_is_string(actual))
		text = strdup(json_string_value(actual));
	else if (json_is_number(actual))
		text = json_dumps(actual, JSON_ENCODE_ANY);
	if (text != NULL)
		found = regexec(&regex, text, 0, NULL, 0) == 0;
	free(text);
	regfree(&regex);
	return found;
}

static bool
is_of_type(const json_t *type, const json_t *actual)
{
	const char *name = json_string_value(type);

	if (name == NULL)
		return actual != NULL && !json_is_null(actual);
	if (strcmp(name, "string") == 0)
		return json_is_string(actual);
	if (strcmp(name, "number") == 0)
		return json_is_number(actual);
	if (strcmp(name, "boolean") == 0)
		return json_is_boolean(actual);
	if (strcmp(name, "object") == 0)
		return json_is_object(actual);
	return json_is_array(actual);
}

/* Whether they are alike, without telling. */
static bool
is_alike(const json_t *expected, const json_t *actual)
{
	struct differences d = {.count = 0};
	struct buf scrap;

	buf_init(&scrap, SHOWN_BYTES);
	d.out = &scrap;
	compare(&d, "", expected, actual);
	buf_fini(&scrap);
	return d.count == 0;
}

/* The items in their order, others between them. */
static void
includes_items(struct differences *d, const char *path, const json_t *items,
    const json_t *actual)
{
	char inner[PATH_BYTES];
	size_t at = 0;
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		while (at < json_array_size(actual) &&
		       !is_alike(item, json_array_get(actual, at)))
			at++;
		if (at++ < json_array_size(actual))
			continue;
		name_place(inner, "%s: item %zu is not among", path, i + 1);
		tell(d, inner, item, actual);
		return;
	}
}

static void
includes(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	char inner[PATH_BYTES];
	const char *key;
	json_t *value;

	if (json_typeof(expected) !=
	    (actual == NULL ? JSON_NULL : json_typeof(actual))) {
		tell(d, path, expected, actual);
		return;
	}
	if (json_is_array(expected))
		includes_items(d, path, expected, actual);
	json_object_foreach ((json_t *)(uintptr_t)expected, key, value) {
		name_place(inner, "%s.%s", path, key);
		compare(d, inner, value, json_object_get(actual, key));
	}
}

static json_t *
parsed(const json_t *text)
{
	return json_is_string(text)
		   ? json_loadb(json_string_value(text),
			 json_string_length(text),
			 JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
		   : NULL;
}

/* False: it is no pattern. */
static bool
compare_pattern(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	const json_t *operand;
	json_t *inner;

	if ((operand = ctl_test_value_pattern(expected, "$match")) != NULL) {
		if (!found_in(operand, actual))
			tell(d, path, expected, actual);
	} else if ((operand = ctl_test_value_pattern(expected, "$any")) !=
		   NULL) {
		if (!is_of_type(operand, actual))
			tell(d, path, expected, actual);
	} else if ((operand = ctl_test_value_pattern(expected, "$includes")) !=
		   NULL) {
		includes(d, path, operand, actual);
	} else if ((operand = ctl_test_value_pattern(expected, "$json")) !=
		   NULL) {
		inner = parsed(actual);
		if (inner == NULL)
			tell(d, path, expected, actual);
		else
			compare(d, path, operand, inner);
		json_decref(inner);
	} else if ((operand = ctl_test_value_pattern(expected, "$equals")) !=
		   NULL) {
		if (json_equal(operand, actual) != 1)
			tell(d, path, operand, actual);
	} else {
		return false;
	}
	return true;
}

/* ---- values --------------------------------------------------------------
 */

static void
compare_maps(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	char inner[PATH_BYTES];
	const char *key;
	json_t *value;

	includes(d, path, expected, actual);
	json_object_foreach ((json_t *)(uintptr_t)actual, key, value) {
		if (json_object_get(expected, key) != NULL)
			continue;
		name_place(inner, "%s.%s", path, key);
		tell(d, inner, NULL, value);
	}
}

static void
compare_lists(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	size_t left = json_array_size(expected);
	size_t right = json_array_size(actual);
	char inner[PATH_BYTES];

	for (size_t i = 0; i < left || i < right; i++) {
		name_place(inner, "%s[%zu]", path, i);
		if (i >= left)
			tell(d, inner, NULL, json_array_get(actual, i));
		else
			compare(d, inner, json_array_get(expected, i),
			    json_array_get(actual, i));
	}
}

static bool
is_same_scalar(const json_t *expected, const json_t *actual)
{
	if (json_is_number(expected) && json_is_number(actual) &&
	    json_typeof(expected) != json_typeof(actual)) {
		double left = json_number_value(expected);
		double right = json_number_value(actual);

		return !(left < right) && !(left > right);
	}
	if (actual == NULL)
		return json_is_null(expected);
	return json_equal(expected, actual) == 1;
}

/* As deep as what is expected, which ctl_test_value() bounds. */
static void
compare(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	if (compare_pattern(d, path, expected, actual))
		return;
	if (json_is_object(expected) && json_is_object(actual))
		compare_maps(d, path, expected, actual);
	else if (json_is_array(expected) && json_is_array(actual))
		compare_lists(d, path, expected, actual);
	else if (!is_same_scalar(expected, actual))
		tell(d, path, expected, actual);
}

/* ---- parts of an outcome -------------------------------------------------
 */

/* A text, or where something else is expected, what the text is as JSON. */
static void
compare_text(struct differences *d, const char *path, const json_t *expected,
    const json_t *actual)
{
	json_t *inner = NULL;

	if (!json_is_string(expected) &&
	    ctl_test_value_pattern(expected, "$match") == NULL &&
	    ctl_test_value_pattern(expected, "$json") == NULL)
		inner = parsed(actual);
	compare(d, path, expected, inner == NULL ? actual : inner);
	json_decref(inner);
}

/* 2000, a pattern, or a class of a digit and three x. */
static void
compare_status(
    struct differences *d, const json_t *expected, const json_t *actual)
{
	const char *text = json_string_value(expected);

	if (text != NULL && strlen(text) == 4 && strspn(text + 1, "x") == 3) {
		if (json_integer_value(actual) / 1000 != text[0] - '0')
			tell(d, "status", expected, actual);
		return;
	}
	compare(d, "status", expected, actual);
}

/* The name of the failure, its number, or a map of what is known of it. */
static void
compare_error(
    struct differences *d, const json_t *expected, const json_t *outcome)
{
	if (json_is_object(expected))
		includes(d, "error", expected, outcome);
	else if (json_is_integer(expected))
		compare(d, "error", expected, json_object_get(outcome, "code"));
	else
		compare(d, "error", expected, json_object_get(outcome, "name"));
}

static void
tell_failure(struct differences *d, const json_t *outcome)
{
	const char *name = json_string_value(json_object_get(outcome, "name"));
	const char *message =
	    json_string_value(json_object_get(outcome, "message"));
	const char *stack =
	    json_string_value(json_object_get(outcome, "stack"));

	d->count++;
	buf_printf(d->out, "the execution failed: %s (%d)\n  %s\n",
	    name == NULL ? "unknown" : name,
	    (int)json_integer_value(json_object_get(outcome, "code")),
	    message == NULL ? "" : message);
	for (const char *line = stack; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n");

		buf_printf(d->out, "  | %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* Keys that are expected; null is one that is not there. */
static void
compare_cache(
    struct differences *d, const json_t *expected, const json_t *actual)
{
	char path[PATH_BYTES];
	const char *key;
	json_t *want;

	json_object_foreach ((json_t *)(uintptr_t)expected, key, want) {
		const json_t *entry = json_object_get(actual, key);
		const json_t *value = json_object_get(entry, "value");

		name_place(path, "cache.%s", key);
		if (json_is_null(want) || entry == NULL) {
			if (!json_is_null(want) || entry != NULL)
				tell(d, path, json_is_null(want) ? NULL : want,
				    value);
			continue;
		}
		if (json_object_get(want, "value") == NULL &&
		    json_object_get(want, "ttl_secs") == NULL) {
			compare_text(d, path, want, value);
			continue;
		}
		if (json_object_get(want, "ttl_secs") != NULL)
			compare(d, path, json_object_get(want, "ttl_secs"),
			    json_object_get(entry, "ttl_secs"));
		if (json_object_get(want, "value") != NULL)
			compare_text(
			    d, path, json_object_get(want, "value"), value);
	}
}

/* ---- HTTP ----------------------------------------------------------------
 */

/* Lines of "name: value" as a map with names in lower case. */
static json_t *
headers_map(const char *lines)
{
	json_t *map = json_object();

	CHECK(map != NULL);
	while (lines != NULL && *lines != '\0') {
		size_t len = strcspn(lines, "\n");
		size_t name = strcspn(lines, ":");

		if (name + 2 <= len) {
			char *key = strndup(lines, name);

			CHECK(key != NULL);
			for (char *c = key; *c != '\0'; c++)
				if (*c >= 'A' && *c <= 'Z')
					*c = (char)(*c + 32);
			(void)json_object_set_new(map, key,
			    json_stringn(lines + name + 2, len - name - 2));
			free(key);
		}
		lines += len + (lines[len] == '\n');
	}
	return map;
}

static void
compare_headers(struct differences *d, const char *path, const json_t *expected,
    const json_t *request)
{
	json_t *actual =
	    headers_map(json_string_value(json_object_get(request, "headers")));
	json_t *want = json_object();
	const char *name;
	json_t *value;

	CHECK(want != NULL);
	json_object_foreach ((json_t *)(uintptr_t)expected, name, value) {
		char *key = strdup(name);

		CHECK(key != NULL);
		for (char *c = key; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c + 32);
		(void)json_object_set(want, key, value);
		free(key);
	}
	includes(d, path, want, actual);
	json_decref(want);
	json_decref(actual);
}

/* One request by the members that are expected. */
static void
compare_request(struct differences *d, const char *path, const json_t *expected,
    const json_t *call)
{
	const json_t *request = json_object_get(call, "request");
	const json_t *answer = json_object_get(call, "answer");
	const json_t *error = json_object_get(call, "error");
	char inner[PATH_BYTES];
	const char *key;
	json_t *want;

	json_object_foreach ((json_t *)(uintptr_t)expected, key, want) {
		name_place(inner, "%s.%s", path, key);
		if (strcmp(key, "headers") == 0)
			compare_headers(d, inner, want, request);
		else if (strcmp(key, "body") == 0)
			compare_text(
			    d, inner, want, json_object_get(request, "body"));
		else if (strcmp(key, "status") == 0)
			compare(
			    d, inner, want, json_object_get(answer, "status"));
		else if (strcmp(key, "error") == 0)
			compare(
			    d, inner, want, json_object_get(error, "error"));
		else
			compare(d, inner, want, json_object_get(request, key));
	}
}

static void
compare_http(struct differences *d, const json_t *expected, const json_t *calls)
{
	char path[PATH_BYTES];
	const json_t *call;
	size_t made = 0;
	size_t i;

	json_array_foreach (calls, i, call) {
		const json_t *name = json_object_get(call, "call");
		const json_t *want = json_array_get(expected, made);

		if (strcmp(json_string_value(name), "http_request") != 0)
			continue;
		name_place(path, "http[%zu]", made);
		if (want == NULL)
			tell(d, path, NULL, json_object_get(call, "request"));
		else
			compare_request(d, path, want, call);
		made++;
	}
	for (; made < json_array_size(expected); made++) {
		name_place(path, "http[%zu]", made);
		tell(d, path, json_array_get(expected, made), NULL);
	}
}

/* ---- lists that are made of the outcome's --------------------------------
 */

static void
compare_calls(
    struct differences *d, const json_t *expected, const json_t *calls)
{
	json_t *names = json_array();
	const json_t *call;
	size_t i;

	CHECK(names != NULL);
	json_array_foreach (calls, i, call)
		(void)json_array_append(names, json_object_get(call, "call"));
	compare(d, "calls", expected, names);
	json_decref(names);
}

/* Lines are their text where no line is expected with a level. */
static void
compare_log(struct differences *d, const json_t *expected, const json_t *log)
{
	const json_t *wanted = ctl_test_value_pattern(expected, "$includes");
	const json_t *exact = ctl_test_value_pattern(expected, "$equals");
	json_t *lines = json_array();
	bool by_level = false;
	const json_t *line;
	const json_t *want;
	size_t i;

	CHECK(lines != NULL);
	if (wanted == NULL)
		wanted = exact;
	json_array_foreach (wanted == NULL ? expected : wanted, i, want)
		by_level |= json_object_get(want, "text") != NULL ||
			    json_object_get(want, "level") != NULL;
	json_array_foreach (log, i, line)
		(void)json_array_append(
		    lines, by_level ? (json_t *)(uintptr_t)line
				    : json_object_get(line, "text"));
	compare(d, "log", expected, lines);
	json_decref(lines);
}

unsigned
ctl_test_compare(const json_t *expect, const json_t *outcome, struct buf *out)
{
	struct differences d = {.out = out};
	const json_t *refusal = json_object_get(outcome, "error");
	const json_t *diverged = json_object_get(outcome, "diverged");
	const json_t *calls = json_object_get(outcome, "calls");
	const json_t *want;

	if (refusal != NULL) {
		tell_sentence(
		    &d, "the case cannot be run", json_string_value(refusal));
		return d.count;
	}
	if (json_is_string(diverged))
		tell_sentence(&d, "the run differs from the recorded one",
		    json_string_value(diverged));
	if ((want = json_object_get(expect, "error")) != NULL)
		compare_error(&d, want, outcome);
	else if (json_integer_value(json_object_get(outcome, "code")) != 0)
		tell_failure(&d, outcome);
	else if ((want = json_object_get(expect, "status")) != NULL)
		compare_status(&d, want, json_object_get(outcome, "status"));
	if (json_integer_value(json_object_get(outcome, "code")) == 0) {
		if ((want = json_object_get(expect, "payload")) != NULL)
			compare_text(&d, "payload", want,
			    json_object_get(outcome, "payload"));
		if ((want = json_object_get(expect, "user")) != NULL)
			compare(
			    &d, "user", want, json_object_get(outcome, "user"));
		if ((want = json_object_get(expect, "registration_data")) !=
		    NULL)
			compare(&d, "registration_data", want,
			    json_object_get(outcome, "registration_data"));
	}
	if ((want = json_object_get(expect, "cache")) != NULL)
		compare_cache(&d, want, json_object_get(outcome, "cache"));
	if ((want = json_object_get(expect, "http")) != NULL)
		compare_http(&d, want, calls);
	if ((want = json_object_get(expect, "calls")) != NULL)
		compare_calls(&d, want, calls);
	if ((want = json_object_get(expect, "log")) != NULL)
		compare_log(&d, want, json_object_get(outcome, "log"));
	return d.count;
}
