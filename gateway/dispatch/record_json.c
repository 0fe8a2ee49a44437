/*
 * Writing records; see record_json.h. Message, file and stack were masked when
 * the outcome was read; log lines are masked here.
 */
#include "gateway/dispatch/record_json.h"

#include <stdio.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/json_text.h"
#include "gateway/dispatch/outcomes.h"
#include "gateway/dispatch/record_mask.h"
#include "proto/frame.h"
#include "proto/message.h"

/* A line, and one masked copy of it for each of many sensitive values. */
#define MASK_ARENA_BYTES (16 * 1024 * 1024)

/* Of the record, for what comes after the log. */
#define LOG_ROOM_BYTES 4096

/* A byte of a log line is at most six of JSON (\u00XX). */
#define ESCAPED_MAX 6

static void
append_bool(struct buf *out, bool *first, const char *key, bool value)
{
	json_append_member_raw(
	    out, first, key, span_str(value ? "true" : "false"));
}

static void
append_text(struct buf *out, bool *first, const char *key, const char *text)
{
	json_append_member_str(out, first, key,
	    text == NULL ? (struct span){NULL, 0} : span_str(text));
}

static void
append_summary(struct buf *out, bool *first, const struct execution *x,
    const struct execution_result *r)
{
	char release[2 * DIGEST_BYTES + 1];
	char now[CLOCK_ISO_BYTES];

	for (int i = 0; i < DIGEST_BYTES; i++)
		(void)snprintf(release + 2 * i, 3, "%02x", x->release->hash[i]);
	clock_iso_now(now);
	append_text(out, first, "correlation_id", x->correlation_id);
	append_text(out, first, "idp", x->idp->identifier);
	append_text(out, first, "script", script_kind_name(x->kind));
	append_text(out, first, "release", release);
	json_append_member_int(out, first, "code", r->code);
	append_text(out, first, "name", script_code_name(r->code));
	json_append_member_int(out, first, "status", r->status);
	append_text(out, first, "ended_at", now);
}

static void
append_how(struct buf *out, bool *first, const struct execution_result *r)
{
	append_text(
	    out, first, "message", r->code == SCRIPT_OK ? NULL : r->message);
	append_text(out, first, "file", r->file);
	json_append_member_int(out, first, "line", r->line);
	append_text(out, first, "stack", r->stack);
	append_text(out, first, "engine", r->engine);
	json_append_member_int(out, first, "attempts", r->attempts);
	append_bool(out, first, "cold", r->cold);
	json_append_member_int(out, first, "queue_us", r->queue_us);
	json_append_member_int(out, first, "wire_us", r->wire_us);
	json_append_member_int(out, first, "run_us", r->run_us);
	json_append_member_int(out, first, "host_call_us", r->host_call_us);
	json_append_member_int(out, first, "cpu_us", r->cpu_us);
	json_append_member_int(
	    out, first, "host_calls", (int64_t)r->host_calls);
	json_append_member_int(
	    out, first, "heap_peak_bytes", (int64_t)r->heap_peak_bytes);
}

static void
append_calls(struct buf *out, struct span frames)
{
	struct message message;
	struct span body;
	bool first = true, member;

	while (frame_next(&frames, &body) == OK) {
		if (message_decode(body, SENDER_ENGINE, &message, NULL) != OK ||
		    message.type != MSG_CALL_MADE)
			return;
		buf_append_str(out, first ? "{" : ",{");
		first = false;
		member = true;
		append_text(out, &member, "call",
		    message_name((enum message_type)message.call_made.call));
		json_append_member_int(
		    out, &member, "us", (int64_t)message.call_made.duration_us);
		json_append_member_str(
		    out, &member, "error", message.call_made.error);
		buf_append_char(out, '}');
	}
}

static void
append_line(struct buf *out, const struct msg_log_line *line,
    const struct string_set *sensitive, struct arena *arena)
{
	static const char *const levels[] = {
	    "trace", "debug", "info", "warn", "error"};
	bool first = true;

	buf_append_char(out, '{');
	append_text(
	    out, &first, "level", levels[line->level <= 4 ? line->level : 2]);
	json_append_member_str(
	    out, &first, "text", outcome_mask(line->text, sensitive, arena));
	append_bool(out, &first, "cut", line->cut);
	buf_append_char(out, '}');
}

/* The engine is not trusted to have kept to the log's limit: what does not fit
 * the record is left out. */
static void
append_log(struct buf *out, const struct execution *x, struct span frames)
{
	struct arena *arena = arena_new(MASK_ARENA_BYTES);
	struct message message;
	struct span body;
	bool first = true;

	while (arena != NULL && frame_next(&frames, &body) == OK) {
		if (message_decode(body, SENDER_CHILD, &message, NULL) != OK ||
		    message.type != MSG_LOG_LINE)
			break;
		if (out->len + ESCAPED_MAX * message.log_line.text.len +
			LOG_ROOM_BYTES >
		    out->max_bytes)
			break;
		if (!first)
			buf_append_char(out, ',');
		first = false;
		append_line(
		    out, &message.log_line, &x->idp->sensitive_values, arena);
		arena_wipe(arena);
	}
	arena_free(arena);
}

static void
append_arguments(struct buf *out, bool *first, const struct execution *x)
{
	json_append_key(out, first, "data");
	record_mask_append_text(out, x->data, x->idp);
	json_append_key(out, first, "registration_data");
	record_mask_append_json(out, x->registration_data, x->idp);
	json_append_key(out, first, "custom_params");
	record_mask_append_json(out, x->custom_params, x->idp);
}

/* Also of a result that was refused: it says why. */
static void
append_result(struct buf *out, bool *first, const struct execution *x,
    const struct execution_result *r)
{
	bool is_first = true;

	json_append_key(out, first, "result");
	buf_append_char(out, '{');
	json_append_key(out, &is_first, "payload");
	record_mask_append_text(out, r->payload, x->idp);
	json_append_key(out, &is_first, "user");
	record_mask_append_json(out, r->user, x->idp);
	json_append_key(out, &is_first, "registration_data");
	record_mask_append_json(out, r->registration_data, x->idp);
	buf_append_char(out, '}');
}

void
record_json_append(struct buf *out, const struct execution *x,
    const struct execution_result *r, const char *why_not,
    size_t *summary_len_r)
{
	size_t start = out->len;
	bool first = true;

	buf_append_char(out, '{');
	append_summary(out, &first, x, r);
	*summary_len_r = out->len - start;
	append_how(out, &first, r);
	append_bool(out, &first, "replayable", why_not == NULL);
	append_text(out, &first, "not_replayable", why_not);
	append_arguments(out, &first, x);
	append_result(out, &first, x, r);
	buf_append_str(out, ",\"calls\":[");
	append_calls(out, r->call_frames);
	buf_append_str(out, "],\"log\":[");
	append_log(out, x, r->log_frames);
	buf_append_str(out, "]}");
}
