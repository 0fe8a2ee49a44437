/*
 * Recordings as JSON; see record_job.h. What an engine sent is hostile: it is
 * decoded, bounded, and left out where it is no recording. On the thread that
 * records.
 */
#include "gateway/dispatch/record_job.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/json_text.h"
#include "proto/clock_readings.h"
#include "proto/frame.h"
#include "proto/message_json.h"
#include "gateway/realm/json_memory.h"

/* Of nesting: the command line takes 64 levels of a whole document, and a
 * civetweb worker has little stack. */
#define VALUE_DEPTH_MAX 56

/* As read from result.recording. */
struct told {
	struct msg_recorded recorded;
	char incomplete[160]; /* why; "": it is whole */
	bool is_there;
};

static void
append_text(struct buf *out, bool *first, const char *key, const char *text)
{
	json_append_member_str(out, first, key,
	    text == NULL ? (struct span){NULL, 0} : span_str(text));
}

static void
append_hex(struct buf *out, bool *first, const char *key, struct span bytes)
{
	json_append_key(out, first, key);
	buf_append_char(out, '"');
	hex_append_lower(out, bytes);
	buf_append_char(out, '"');
}

/* JSON text that nobody has parsed yet. False: it is none that we would take
 * back; a null stands for it. */
static bool
append_value(struct buf *out, bool *first, const char *key, struct span text)
{
	json_t *tree = NULL;

	if (!span_present(text))
		return true;
	if (json_depth(text) <= VALUE_DEPTH_MAX)
		tree = json_memory_load(text,
		    JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
		    NULL, NULL);
	json_append_member_raw(
	    out, first, key, tree == NULL ? span_str("null") : text);
	json_decref(tree);
	return tree != NULL;
}

/* ---- what it was told ------------------------------------------------------
 */

/* The last frame, if all that are before it are frames. */
static void
read_told(struct span frames, struct told *told_r)
{
	struct span body = {NULL, 0}, next;
	struct message message;
	struct err_detail detail;

	*told_r = (struct told){.is_there = false};
	while (frame_next(&frames, &next) == OK)
		body = next;
	if (!span_present(body) || frames.len > 0 ||
	    message_decode(body, SENDER_ENGINE, &message, &detail) != OK ||
	    message.type != MSG_RECORDED)
		return;
	told_r->is_there = true;
	told_r->recorded = message.recorded;
	if (span_present(message.recorded.incomplete))
		(void)snprintf(told_r->incomplete, sizeof told_r->incomplete,
		    "%.*s", SPAN_ARG(message.recorded.incomplete));
}

/* [ms, [ms, times], ..] */
static void
append_clock(struct buf *out, bool *first, const struct msg_recorded *recorded)
{
	struct clock_reader reader;
	int64_t ms;
	uint64_t count;
	bool is_first = true;

	if (recorded->clock.len == 0) {
		json_append_member_int(out, first, "clock_ms",
		    (int64_t)(recorded->started_ms & INT64_MAX));
		return;
	}
	json_append_key(out, first, "clock");
	buf_append_char(out, '[');
	clock_reader_init(&reader, recorded->clock);
	while (clock_reader_run(&reader, &ms, &count) == OK) {
		buf_append_str(out, is_first ? "" : ",");
		is_first = false;
		if (count == 1)
			buf_printf(out, "%" PRId64, ms);
		else
			buf_printf(out, "[%" PRId64 ",%" PRIu64 "]", ms, count);
	}
	buf_append_char(out, ']');
}

/* ---- host calls ------------------------------------------------------------
 */

/* An answer that came in parts, put together; moves behind them. */
static void
join_body(struct span *frames, struct message *answer, struct buf *whole)
{
	struct span ahead = *frames, body;
	struct message message;

	buf_append_span(whole, answer->http_response.body);
	while (whole->len < answer->http_response.body_bytes &&
	       frame_next(&ahead, &body) == OK &&
	       message_peek(body) == MSG_HTTP_MORE &&
	       frame_next(&ahead, &body) == OK &&
	       message_decode(body, SENDER_FRONT, &message, NULL) == OK &&
	       message.type == MSG_HTTP_BODY) {
		buf_append_span(whole, message.http_body.body);
		*frames = ahead;
	}
	if (whole->len > 0 && !whole->failed)
		answer->http_response.body = buf_span(whole);
}

static void
append_answer(
    struct buf *out, bool *first, struct span *frames, struct message *answer)
{
	struct buf whole;

	buf_init(&whole, MESSAGE_MAX_BYTES);
	if (answer->type == MSG_HTTP_RESPONSE)
		join_body(frames, answer, &whole);
	json_append_key(
	    out, first, answer->type == MSG_CALL_FAILED ? "error" : "answer");
	message_json_append(out, answer);
	buf_wipe(&whole);
}

/* One call and its answer, which a killed execution may not have had. False:
 * no call, so the end or nonsense. */
static bool
append_call(struct buf *out, struct span *frames, bool is_first)
{
	struct message message;
	struct span body, ahead;
	bool first = true;

	if (frame_next(frames, &body) != OK ||
	    message_decode(body, SENDER_CHILD, &message, NULL) != OK)
		return false;
	buf_append_str(out, is_first ? "{" : ",{");
	append_text(out, &first, "call", message_name(message.type));
	json_append_key(out, &first, "request");
	message_json_append(out, &message);
	ahead = *frames;
	if (frame_next(&ahead, &body) == OK &&
	    message_decode(
		body, SENDER_FRONT | SENDER_GATEWAY, &message, NULL) == OK) {
		*frames = ahead;
		append_answer(out, &first, frames, &message);
	}
	buf_append_char(out, '}');
	return true;
}

static void
append_calls(struct buf *out, bool *first, struct span frames)
{
	bool is_first = true;

	json_append_key(out, first, "calls");
	buf_append_char(out, '[');
	while (append_call(out, &frames, is_first))
		is_first = false;
	buf_append_char(out, ']');
}

/* ---- what it was given -----------------------------------------------------
 */

static bool
is_sensitive(const struct realm_idp *idp, const json_t *value)
{
	return json_is_string(value) && string_set_has(&idp->sensitive_values,
					    span_of(json_string_value(value),
						json_string_length(value)));
}

enum property_kind { PROPERTY_PLAIN, PROPERTY_KEY };

/* Those a script may read with their values, or the others without. */
static void
append_properties(
    struct buf *out, const json_t *properties, enum property_kind kind)
{
	const char *id;
	json_t *value;
	bool first = true;

	buf_append_char(out, '{');
	json_object_foreach ((json_t *)(uintptr_t)properties, id, value) {
		if (json_is_null(value) != (kind == PROPERTY_KEY))
			continue;
		json_append_member_str(out, &first, id,
		    kind == PROPERTY_KEY ? span_str("")
					 : span_of(json_string_value(value),
					       json_string_length(value)));
	}
	buf_append_char(out, '}');
}

static void
append_sensitive(struct buf *out, bool *first, const struct realm_idp *idp,
    const json_t *properties)
{
	const char *id;
	json_t *value;
	bool is_first = true;

	json_append_key(out, first, "sensitive");
	buf_append_char(out, '[');
	json_object_foreach ((json_t *)(uintptr_t)properties, id, value) {
		if (!is_sensitive(idp, value))
			continue;
		buf_append_str(out, is_first ? "" : ",");
		is_first = false;
		json_append_string(out, span_str(id));
	}
	buf_append_char(out, ']');
}

static void
append_limits(struct buf *out, bool *first, const struct script_limits *limits)
{
	bool is_first = true;

	json_append_key(out, first, "limits");
	buf_append_char(out, '{');
#define LIMIT(name) json_append_member_int(out, &is_first, #name, limits->name);
	LIMIT(wall_ms)
	LIMIT(cpu_ms)
	LIMIT(heap_mib)
	LIMIT(host_calls)
	LIMIT(source_kib)
	LIMIT(data_kib)
	LIMIT(result_kib)
	LIMIT(log_kib)
	LIMIT(http_body_kib)
	LIMIT(cache_value_kib)
#undef LIMIT
	buf_append_char(out, '}');
}

/* NULL, or why it cannot be run again. */
static const char *
append_arguments(struct buf *out, bool *first, const struct execution *x)
{
	bool good;

	if (span_present(x->data))
		json_append_member_str(out, first, "data", x->data);
	good =
	    append_value(out, first, "registration_data", x->registration_data);
	good =
	    append_value(out, first, "custom_params", x->custom_params) && good;
	return good ? NULL : "an argument is JSON that cannot be read back";
}

/* ---- what came of it -------------------------------------------------------
 */

static void
append_log(struct buf *out, bool *first, struct span frames)
{
	static const char *const levels[] = {
	    "trace", "debug", "info", "warn", "error"};
	const struct msg_log_line *line;
	struct message message;
	struct span body;
	bool is_first = true;

	json_append_key(out, first, "log");
	buf_append_char(out, '[');
	while (frame_next(&frames, &body) == OK &&
	       message_decode(body, SENDER_CHILD, &message, NULL) == OK &&
	       message.type == MSG_LOG_LINE) {
		line = &message.log_line;
		buf_printf(out,
		    "%s{\"level\":\"%s\",\"text\":", is_first ? "" : ",",
		    levels[line->level <= 4 ? line->level : 2]);
		json_append_string(out, line->text);
		buf_append_str(out, line->cut ? ",\"cut\":true}" : "}");
		is_first = false;
	}
	buf_append_char(out, ']');
}

/* With nothing masked: from the script's process where it said so itself. */
static void
append_failure(struct buf *out, bool *first, const struct execution_result *r)
{
	struct message message;
	const struct msg_outcome *o = &message.outcome;

	if (span_present(r->failure) &&
	    message_decode(r->failure, SENDER_CHILD, &message, NULL) == OK &&
	    message.type == MSG_OUTCOME && o->code == (uint64_t)r->code) {
		json_append_member_str(out, first, "message",
		    span_present(o->message) ? o->message
					     : span_str(r->message));
		json_append_member_str(out, first, "file", o->file);
		json_append_member_int(out, first, "line", (int64_t)o->line);
		json_append_member_str(out, first, "stack", o->stack);
		return;
	}
	append_text(out, first, "message", r->message);
	append_text(out, first, "file", r->file);
	json_append_member_int(out, first, "line", r->line);
	append_text(out, first, "stack", r->stack);
}

static void
append_expected(struct buf *out, bool *first, const struct execution_result *r)
{
	bool is_first = true;

	json_append_key(out, first, "expected");
	buf_append_char(out, '{');
	json_append_member_int(out, &is_first, "code", r->code);
	append_text(out, &is_first, "name", script_code_name(r->code));
	if (r->code != SCRIPT_OK) {
		append_failure(out, &is_first, r);
	} else {
		json_append_member_int(out, &is_first, "status", r->status);
		json_append_member_str(out, &is_first, "payload", r->payload);
		(void)append_value(out, &is_first, "user", r->user);
		(void)append_value(
		    out, &is_first, "registration_data", r->registration_data);
	}
	append_log(out, &is_first, r->log_frames);
	buf_append_char(out, '}');
}

static void
append_about(struct buf *out, bool *first, const struct execution *x)
{
	char now[CLOCK_ISO_BYTES];

	clock_iso_now(now);
	append_text(out, first, "correlation_id", x->correlation_id);
	append_text(out, first, "idp", x->idp->identifier);
	append_text(out, first, "script", script_kind_name(x->kind));
	append_hex(
	    out, first, "release", span_of(x->release->hash, DIGEST_BYTES));
	append_text(out, first, "ended_at", now);
	append_hex(out, first, "properties_version",
	    span_of(x->idp->properties_version, DIGEST_BYTES));
}

/* ---- all -------------------------------------------------------------------
 */

static const char *
append_job(struct buf *out, const struct execution *x,
    const struct execution_result *r, const json_t *properties,
    const struct told *told)
{
	const char *why;
	bool first = true;

	buf_append_str(out, RECORD_JOB_BEGIN);
	append_text(out, &first, "id", x->correlation_id);
	append_text(out, &first, "idp", x->idp->identifier);
	append_text(out, &first, "script", script_kind_name(x->kind));
	why = append_arguments(out, &first, x);
	json_append_key(out, &first, "properties");
	append_properties(out, properties, PROPERTY_PLAIN);
	json_append_key(out, &first, "keys");
	append_properties(out, properties, PROPERTY_KEY);
	append_limits(out, &first, &x->release->limits);
	if (told->is_there) {
		append_hex(out, &first, "seed", told->recorded.seed);
		append_clock(out, &first, &told->recorded);
		append_calls(out, &first, r->recording);
	}
	buf_append_char(out, '}');
	return why;
}

/* Literals, as the result outlives what was read. */
static const char *
why_incomplete(const struct told *told)
{
	if (!told->is_there)
		return "the engine that ran it sent no recording";
	return told->incomplete[0] == '\0'
		   ? NULL
		   : "its host calls or its clock were too much to be kept";
}

const char *
record_job_append(struct buf *out, const struct execution *x,
    const struct execution_result *r)
{
	json_t *properties =
	    x->idp->properties_json == NULL
		? NULL
		: json_loads(x->idp->properties_json, JSON_ALLOW_NUL, NULL);
	struct told told;
	const char *why, *wrong;
	bool first = false;

	read_told(r->recording, &told);
	why = why_incomplete(&told);
	wrong = append_job(out, x, r, properties, &told);
	if (why == NULL)
		why = wrong;
	append_about(out, &first, x);
	json_append_member_raw(
	    out, &first, "complete", span_str(why == NULL ? "true" : "false"));
	append_text(out, &first, "incomplete",
	    told.incomplete[0] != '\0' ? told.incomplete : why);
	append_sensitive(out, &first, x->idp, properties);
	append_expected(out, &first, r);
	buf_append_char(out, '}');
	json_decref(properties);
	return why;
}
