/*
 * Result and exception conversion (see outcome.h). Not the check of what a
 * user or claim may be: the gateway does that, which trusts none of this.
 *
 * The result becomes JSON text once, by duktape's own encoder, and its members
 * are then cut out of that text by json_members.c. So nothing a script did to
 * Object.prototype or JSON can add or change a member afterwards.
 */
#include "engine/runner/outcome.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/runner/cesu8.h"
#include "engine/runner/json_members.h"
#include "engine/runner/vm.h"

/* Of one text of a result; the total has its own, smaller limit. */
#define RESULT_TEXT_MAX_BYTES (512 * 1024)

void
outcome_init(struct outcome *outcome)
{
	memset(outcome, 0, sizeof *outcome);
	buf_init(&outcome->payload, RESULT_TEXT_MAX_BYTES);
	buf_init(&outcome->user, RESULT_TEXT_MAX_BYTES);
	buf_init(&outcome->registration_data, RESULT_TEXT_MAX_BYTES);
	buf_init(&outcome->message, OUTCOME_MESSAGE_MAX_BYTES);
	buf_init(&outcome->file, OUTCOME_FILE_MAX_BYTES);
	buf_init(&outcome->stack, OUTCOME_STACK_MAX_BYTES);
}

void
outcome_fini(struct outcome *outcome)
{
	/* Personal data, and the process may serve another request. */
	buf_wipe(&outcome->payload);
	buf_wipe(&outcome->user);
	buf_wipe(&outcome->registration_data);
	buf_wipe(&outcome->message);
	buf_wipe(&outcome->file);
	buf_wipe(&outcome->stack);
}

void
outcome_fail(
    struct outcome *outcome, enum script_code code, const char *format, ...)
{
	char sentence[OUTCOME_MESSAGE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	outcome->code = code;
	outcome->status = 0;
	outcome->has_payload = false;
	outcome->line = 0;
	buf_reset(&outcome->payload);
	buf_reset(&outcome->user);
	buf_reset(&outcome->registration_data);
	buf_reset(&outcome->file);
	buf_reset(&outcome->stack);
	buf_reset(&outcome->message);
	/* The sentence may quote the script: make it text, whatever it is. */
	(void)cesu8_to_utf8_lossy(
	    span_str(sentence), OUTCOME_MESSAGE_MAX_BYTES, &outcome->message);
}

static void
bad_status(duk_context *ctx, struct span json, struct outcome *outcome)
{
	static const char ranges[] =
	    "in none of the ranges 2000-2999, 4000-4999 and 5000-5999";
	double status;

	if (!duk_is_number(ctx, -1)) {
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "status is %s, not a number", json_members_kind(json));
		return;
	}
	status = duk_get_number(ctx, -1);
	if (status != floor(status))
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "status is %.17g, which is not an integer", status);
	else
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "status is %.17g, which is %s", status, ranges);
}

static bool
status_is_valid(double status)
{
	return status == floor(status) &&
	       ((status >= 2000 && status <= 2999) ||
		   (status >= 4000 && status <= 4999) ||
		   (status >= 5000 && status <= 5999));
}

static void
take_status(duk_context *ctx, struct span json, struct outcome *outcome)
{
	if (!span_present(json)) {
		outcome_fail(
		    outcome, SCRIPT_BAD_RESULT, "the result has no status");
		return;
	}
	duk_push_lstring(ctx, (const char *)json.data, json.len);
	if (json.data[0] != '{' && json.data[0] != '[')
		duk_json_decode(ctx, -1);
	if (duk_is_number(ctx, -1) && status_is_valid(duk_get_number(ctx, -1)))
		outcome->status = (uint64_t)duk_get_number(ctx, -1);
	else
		bad_status(ctx, json, outcome);
	duk_pop(ctx);
}

/* Converts one text of the result; a failure replaces the outcome. */
static void
take_text(struct span cesu8, const char *member, struct buf *out,
    struct outcome *outcome)
{
	enum err err = cesu8_to_utf8(cesu8, out);

	if (err == ERR_INVALID)
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "%s contains half a surrogate pair, which is no character",
		    member);
	else if (err != OK)
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "%s is longer than any limit allows", member);
}

static bool
is_null_or_absent(struct span json)
{
	return !span_present(json) || span_is(json, "null");
}

static void
take_payload(duk_context *ctx, struct span json, struct outcome *outcome)
{
	size_t len;
	const char *text;

	if (outcome->code != SCRIPT_OK || is_null_or_absent(json))
		return;
	outcome->has_payload = true;
	if (json.data[0] != '"') {
		take_text(json, "responsePayload", &outcome->payload, outcome);
		return;
	}
	duk_push_lstring(ctx, (const char *)json.data, json.len);
	duk_json_decode(ctx, -1);
	text = duk_get_lstring(ctx, -1, &len);
	take_text(
	    span_of(text, len), "responsePayload", &outcome->payload, outcome);
	duk_pop(ctx);
}

static void
take_user(struct span json, struct outcome *outcome)
{
	if (outcome->code != SCRIPT_OK || is_null_or_absent(json))
		return;
	if (json.data[0] != '{')
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "user is %s, not an object", json_members_kind(json));
	else
		take_text(json, "user", &outcome->user, outcome);
}

static void
take_registration_data(struct span json, struct outcome *outcome)
{
	if (outcome->code == SCRIPT_OK && !is_null_or_absent(json))
		take_text(json, "registrationData", &outcome->registration_data,
		    outcome);
}

static void
check_total(size_t result_bytes, struct outcome *outcome)
{
	size_t total = outcome->payload.len + outcome->user.len +
		       outcome->registration_data.len;

	if (outcome->code == SCRIPT_OK && total > result_bytes)
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "the result is %zu bytes long, its limit is %zu", total,
		    result_bytes);
}

void
outcome_of_result(duk_context *ctx, duk_idx_t index, size_t result_bytes,
    struct outcome *outcome)
{
	struct span json;
	size_t len;
	const char *text;

	/* The encoder replaces its argument: give it a copy. */
	duk_dup(ctx, index);
	text = duk_json_encode(ctx, -1);
	if (text == NULL) {
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "execute returned nothing that JSON can express");
		return;
	}
	text = duk_get_lstring(ctx, -1, &len);
	json = span_of(text, len);
	if (len == 0 || text[0] != '{') {
		outcome_fail(outcome, SCRIPT_BAD_RESULT,
		    "execute returned %s, not an object",
		    json_members_kind(json));
		return;
	}
	take_status(ctx, json_members_get(json, "status"), outcome);
	take_payload(ctx, json_members_get(json, "responsePayload"), outcome);
	take_user(json_members_get(json, "user"), outcome);
	take_registration_data(
	    json_members_get(json, "registrationData"), outcome);
	check_total(result_bytes, outcome);
	duk_pop(ctx);
}

/* Protected: replaces the thrown object by its member `udata`. */
static duk_ret_t
get_member_raw(duk_context *ctx, void *udata)
{
	duk_get_prop_string(ctx, -1, udata);
	return 1;
}

/* Pushes a member of the thrown object, or undefined; never throws. */
static void
push_member(duk_context *ctx, char *name)
{
	duk_dup_top(ctx);
	if (!duk_is_object(ctx, -1) ||
	    duk_safe_call(ctx, get_member_raw, name, 1, 1) != 0) {
		duk_pop(ctx);
		duk_push_undefined(ctx);
	}
}

static void
take_member_text(
    duk_context *ctx, char *name, size_t max_bytes, struct buf *out)
{
	size_t len;
	const char *text;

	push_member(ctx, name);
	text = duk_get_lstring(ctx, -1, &len);
	if (text != NULL)
		(void)cesu8_to_utf8_lossy(span_of(text, len), max_bytes, out);
	duk_pop(ctx);
}

static void
take_line(duk_context *ctx, uint32_t *line_r)
{
	char name[] = "lineNumber";
	double line;

	push_member(ctx, name);
	line = duk_get_number(ctx, -1); /* NaN unless a number */
	if (line >= 1 && line <= UINT32_MAX)
		*line_r = (uint32_t)line;
	duk_pop(ctx);
}

/* Duktape's own errors for a refused allocation, also while it was already
 * handling one. A script that imitates them gains nothing. */
static bool
is_out_of_memory(struct span message)
{
	return span_is(message, "Error: alloc failed") ||
	       span_is(message, "DoubleError: error in error handling") ||
	       span_is(message, "RangeError: alloc failed");
}

void
outcome_of_throw(duk_context *ctx, bool out_of_memory, struct outcome *outcome)
{
	char file[] = "fileName";
	char stack[] = "stack";
	size_t len;
	const char *text;

	outcome_fail(outcome, SCRIPT_THREW, "%s", "");
	take_member_text(ctx, file, OUTCOME_FILE_MAX_BYTES, &outcome->file);
	take_line(ctx, &outcome->line);
	take_member_text(ctx, stack, OUTCOME_STACK_MAX_BYTES, &outcome->stack);
	text = duk_safe_to_lstring(ctx, -1, &len);
	(void)cesu8_to_utf8_lossy(
	    span_of(text, len), OUTCOME_MESSAGE_MAX_BYTES, &outcome->message);
	if (out_of_memory && is_out_of_memory(buf_span(&outcome->message))) {
		outcome->code = SCRIPT_MEMORY;
		/* One sentence for all of them. */
		buf_reset(&outcome->message);
		buf_append_str(&outcome->message, "Error: alloc failed");
	}
	duk_pop(ctx);
}

static struct span
text_or_absent(const struct buf *buf)
{
	return buf->len == 0 ? (struct span){NULL, 0} : buf_span(buf);
}

struct message
outcome_message(const struct outcome *outcome, size_t heap_peak_bytes)
{
	struct message message = {.type = MSG_OUTCOME};
	struct msg_outcome *out = &message.outcome;

	out->code = (uint64_t)outcome->code;
	out->status = outcome->status;
	if (outcome->has_payload)
		out->payload = outcome->payload.len == 0
				   ? span_str("")
				   : buf_span(&outcome->payload);
	out->user = text_or_absent(&outcome->user);
	out->registration_data = text_or_absent(&outcome->registration_data);
	out->message = text_or_absent(&outcome->message);
	out->file = text_or_absent(&outcome->file);
	out->stack = text_or_absent(&outcome->stack);
	out->line = outcome->line;
	out->heap_peak_bytes = heap_peak_bytes;
	return message;
}
