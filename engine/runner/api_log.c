/*
 * LOG and console. A line is a message to the front, which puts it into the
 * execution's record; lines of a template's top level are kept and sent by
 * every child. Threads: one.
 */
#include <string.h>

#include "engine/runner/api_log.h"
#include "engine/runner/cesu8.h"
#include "engine/runner/host.h"
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"
#include "proto/frame.h"

enum level { LEVEL_TRACE, LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

/* Counted for a shorter line, so that empty ones do not come for free. */
#define LINE_MIN_COST_BYTES 32

/* Of one line before the execution's own limit cuts it: the row's limit. */
#define LINE_MAX_BYTES 262144

/* The argument at 0 as text: JSON for objects, undefined for what has none. */
static duk_ret_t
encode_raw(duk_context *ctx, void *udata)
{
	(void)udata;
	if (duk_is_error(ctx, -1)) {
		duk_get_prop_string(ctx, -1, "stack");
		if (duk_is_string(ctx, -1))
			return 1;
		duk_pop(ctx);
		return 0;
	}
	duk_json_encode(ctx, -1);
	return 1;
}

/* Replaces an argument by a string. Runs script code, never throws anything
 * but a refused allocation. */
static void
describe(duk_context *ctx, duk_idx_t index)
{
	duk_dup(ctx, index);
	if (duk_is_object(ctx, -1) && !duk_is_function(ctx, -1)) {
		if (duk_safe_call(ctx, encode_raw, NULL, 1, 1) != 0 ||
		    !duk_is_string(ctx, -1)) {
			duk_pop(ctx);
			duk_dup(ctx, index);
		}
	}
	(void)duk_safe_to_string(ctx, -1);
	duk_replace(ctx, index);
}

static void
append_string(duk_context *ctx, duk_idx_t index, struct buf *out)
{
	size_t len;
	const char *text = duk_get_lstring(ctx, index, &len);
	size_t room = LINE_MAX_BYTES - out->len;

	(void)cesu8_to_utf8_lossy(span_of(text, len), room, out);
}

/* Fills {} from the arguments; those left over follow, space-separated. */
static void
format_line(duk_context *ctx, struct buf *out)
{
	duk_idx_t count = duk_get_top(ctx);
	duk_idx_t next = 1;
	size_t len;
	const char *format = duk_get_lstring(ctx, 0, &len);
	const char *at = format;
	const char *end = format + len;

	while (at < end && next < count) {
		const char *hole = memmem(at, (size_t)(end - at), "{}", 2);

		if (hole == NULL)
			break;
		(void)cesu8_to_utf8_lossy(span_of(at, (size_t)(hole - at)),
		    LINE_MAX_BYTES - out->len, out);
		append_string(ctx, next++, out);
		at = hole + 2;
	}
	(void)cesu8_to_utf8_lossy(
	    span_of(at, (size_t)(end - at)), LINE_MAX_BYTES - out->len, out);
	for (; next < count && out->len < LINE_MAX_BYTES; next++) {
		buf_append_char(out, ' ');
		append_string(ctx, next, out);
	}
}

/* The length of at most `max` bytes that ends between two characters. */
static size_t
cut_at_character(struct span text, size_t max)
{
	while (max > 0 && (text.data[max] & 0xC0) == 0x80)
		max--;
	return max;
}

/* Takes the line's cost from what is left; cuts it if that is not enough. */
static void
charge(struct vm_limits *limits, struct msg_log_line *line)
{
	size_t cost = line->text.len < LINE_MIN_COST_BYTES ? LINE_MIN_COST_BYTES
							   : line->text.len;

	if (cost <= limits->log_bytes) {
		limits->log_bytes -= cost;
		return;
	}
	if (line->text.len > limits->log_bytes)
		line->text.len =
		    cut_at_character(line->text, limits->log_bytes);
	line->cut = true;
	limits->log_cut = true;
}

static void
send_line(duk_context *ctx, struct message *message)
{
	struct vm *vm = vm_of(ctx);

	if (vm->limits.log_cut)
		return;
	charge(&vm->limits, &message->log_line);
	host_tell(ctx, message);
}

/* Keeps a line of the top level; too many are dropped from the end. */
static void
keep_line(struct vm *vm, const struct message *message)
{
	if (frame_append(&vm->kept_log, message, NULL) != OK)
		vm->limits.log_cut = true;
}

void
api_log_send_kept(struct vm *vm)
{
	struct span cursor = buf_span(&vm->kept_log);
	struct span body;
	struct message message;

	while (cursor.len > 0) {
		if (frame_next(&cursor, &body) != OK ||
		    message_decode(body, SENDER_CHILD, &message, NULL) != OK)
			return;
		send_line(vm->ctx, &message);
	}
}

static duk_ret_t
log_at_level(duk_context *ctx, enum level level)
{
	struct vm *vm = vm_of(ctx);
	struct message message = {.type = MSG_LOG_LINE};

	if (vm->limits.log_cut)
		return 0;
	if (duk_get_top(ctx) == 0)
		duk_push_string(ctx, "");
	for (duk_idx_t i = 0; i < duk_get_top(ctx); i++)
		describe(ctx, i);
	buf_reset(&vm->scratch);
	format_line(ctx, &vm->scratch);
	message.log_line.level = (uint64_t)level;
	message.log_line.text =
	    vm->scratch.len == 0 ? span_str("") : buf_span(&vm->scratch);
	if (vm->phase == VM_LOADING)
		keep_line(vm, &message);
	else
		send_line(ctx, &message);
	return 0;
}

duk_ret_t
api_log_trace(duk_context *ctx)
{
	return log_at_level(ctx, LEVEL_TRACE);
}

duk_ret_t
api_log_debug(duk_context *ctx)
{
	return log_at_level(ctx, LEVEL_DEBUG);
}

duk_ret_t
api_log_info(duk_context *ctx)
{
	return log_at_level(ctx, LEVEL_INFO);
}

duk_ret_t
api_log_warn(duk_context *ctx)
{
	return log_at_level(ctx, LEVEL_WARN);
}

duk_ret_t
api_log_error(duk_context *ctx)
{
	return log_at_level(ctx, LEVEL_ERROR);
}
