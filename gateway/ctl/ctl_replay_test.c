/*
 * Writing test files; see ctl_replay_test.h. Every value is JSON, which is
 * YAML too. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_replay_test.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/ctl_json.h"

static void
append_value(
    struct buf *out, const char *indent, const char *key, const json_t *value)
{
	char *text;

	if (value == NULL || json_is_null(value))
		return;
	text = json_dumps(value, JSON_ENCODE_ANY);
	if (text != NULL)
		buf_printf(out, "%s%s: %s\n", indent, key, text);
	free(text);
}

/* A list with an item a line. */
static void
append_list(struct buf *out, const char *indent, const char *key,
    const json_t *list, const char *without)
{
	const json_t *item;
	size_t i;

	if (list == NULL)
		return;
	buf_printf(out, "%s%s:%s\n", indent, key,
	    json_array_size(list) == 0 ? " []" : "");
	json_array_foreach (list, i, item) {
		json_t *shown = json_copy((json_t *)(uintptr_t)item);
		char *text;

		if (without != NULL)
			(void)json_object_del(shown, without);
		text = json_dumps(shown, JSON_ENCODE_ANY);
		if (text != NULL)
			buf_printf(out, "%s- %s\n", indent, text);
		free(text);
		json_decref(shown);
	}
}

/* Exactly this, though it may look like a pattern. */
static void
append_exact(struct buf *out, const char *key, const json_t *value)
{
	json_t *exact;

	if (!json_is_object(value) && !json_is_array(value)) {
		append_value(out, "    ", key, value);
		return;
	}
	exact = json_pack("{s:O}", "$equals", value);
	append_value(out, "    ", key, exact);
	json_decref(exact);
}

static void
append_failure(struct buf *out, const json_t *outcome)
{
	json_t *error =
	    json_pack("{s:O?, s:O?}", "name", json_object_get(outcome, "name"),
		"message", json_object_get(outcome, "message"));

	append_value(out, "    ", "error", error);
	json_decref(error);
}

static void
append_expect(struct buf *out, const json_t *outcome)
{
	buf_append_str(out, "  expect:\n");
	if (ctl_json_number(outcome, "code", -1) != 0) {
		append_failure(out, outcome);
	} else {
		append_exact(out, "status", json_object_get(outcome, "status"));
		append_exact(
		    out, "payload", json_object_get(outcome, "payload"));
		append_exact(out, "user", json_object_get(outcome, "user"));
		append_exact(out, "registration_data",
		    json_object_get(outcome, "registration_data"));
	}
	append_list(out, "    ", "log", json_object_get(outcome, "log"), NULL);
}

static const char *
text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = ctl_json_text(object, key);

	return text == NULL ? fallback : text;
}

void
ctl_replay_test_append(struct buf *out, const json_t *recording,
    const json_t *job, const json_t *outcome)
{
	const char *script = text_or(recording, "script", "complete");
	const json_t *clock = json_object_get(job, "clock");
	json_t *name = json_sprintf(
	    "execution %s", text_or(recording, "correlation_id", "?"));

	buf_printf(out,
	    "# Made by `postern replay --as-test` of an execution of %s.\n"
	    "script: %s.js\n"
	    "cases:\n",
	    text_or(recording, "ended_at", "unknown time"), script);
	append_value(out, "- ", "name", name);
	json_decref(name);
	append_value(out, "  ", "payload", json_object_get(job, "data"));
	append_value(out, "  ", "registration_data",
	    json_object_get(job, "registration_data"));
	append_value(
	    out, "  ", "custom_params", json_object_get(job, "custom_params"));
	append_value(
	    out, "  ", "properties", json_object_get(job, "properties"));
	append_value(out, "  ", "keys", json_object_get(job, "keys"));
	append_value(out, "  ", "limits", json_object_get(job, "limits"));
	append_value(out, "  ", "clock",
	    clock != NULL ? clock : json_object_get(job, "clock_ms"));
	append_value(out, "  ", "seed", json_object_get(job, "seed"));
	append_list(out, "  ", "calls", json_object_get(job, "calls"), "us");
	append_expect(out, outcome);
}
