/*
 * CACHE: checks of the arguments and the host call behind each member. The
 * cache itself is the gateway's. Threads: one.
 */
#include <math.h>

#include "engine/runner/cesu8.h"
#include "engine/runner/host.h"
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* Limits of the messages' rows. */
#define KEY_MAX_BYTES 1024
#define TTL_MAX_SECS  31536000.0

/* The string at `index` as UTF-8 at the end of the scratch buffer, where it
 * starts at the offset returned. */
static size_t
take_text(duk_context *ctx, duk_idx_t index, const char *what, size_t max_bytes)
{
	struct vm *vm = vm_of(ctx);
	size_t start = vm->scratch.len;
	size_t len;
	const char *text = duk_require_lstring(ctx, index, &len);

	if (cesu8_to_utf8(span_of(text, len), &vm->scratch) == ERR_INVALID)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "%s contains half a surrogate pair", what);
	if (vm->scratch.failed || vm->scratch.len - start > max_bytes)
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "%s is longer than %zu bytes", what, max_bytes);
	return start;
}

static void
require_key(duk_context *ctx)
{
	if (!duk_is_string(ctx, 0) || duk_is_symbol(ctx, 0) ||
	    duk_get_length(ctx, 0) == 0)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the key must be a string of at least one character");
}

/* Makes the value at `index` the string that is stored. Runs script code. */
static void
require_value(duk_context *ctx, duk_idx_t index)
{
	if (duk_is_string(ctx, index) && !duk_is_symbol(ctx, index))
		return;
	if (!duk_is_undefined(ctx, index) &&
	    duk_json_encode(ctx, index) != NULL)
		return;
	(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
	    "the value must be a string or something JSON can express");
}

/* 0: not given, the realm's default holds. */
static uint64_t
require_ttl(duk_context *ctx, duk_idx_t index)
{
	double secs;

	if (duk_is_null_or_undefined(ctx, index))
		return 0;
	secs = duk_get_number(ctx, index); /* NaN unless a number */
	if (!(secs >= 1 && secs <= TTL_MAX_SECS) || secs != floor(secs))
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "ttlSeconds must be an integer from 1 to %.0f",
		    TTL_MAX_SECS);
	return (uint64_t)secs;
}

/* The key, alone in the scratch buffer; valid until that is used again. */
static struct span
key_only(duk_context *ctx)
{
	struct vm *vm = vm_of(ctx);

	require_key(ctx);
	buf_reset(&vm->scratch);
	(void)take_text(ctx, 0, "the key", KEY_MAX_BYTES);
	return buf_span(&vm->scratch);
}

static duk_ret_t
push_value_or_null(duk_context *ctx, const struct msg_cache_value *answer)
{
	if (!answer->found)
		duk_push_null(ctx);
	else
		vm_push_text(ctx,
		    span_present(answer->value) ? answer->value : span_str(""));
	return 1;
}

duk_ret_t
api_cache_store(duk_context *ctx)
{
	struct vm *vm = vm_of(ctx);
	struct message call = {.type = MSG_CACHE_STORE};
	struct message answer;
	size_t value;

	require_key(ctx);
	call.cache_store.ttl_secs = require_ttl(ctx, 2);
	require_value(ctx, 1);
	buf_reset(&vm->scratch);
	(void)take_text(ctx, 0, "the key", KEY_MAX_BYTES);
	value = take_text(ctx, 1, "the value", vm->limits.cache_value_bytes);
	call.cache_store.key = span_of(vm->scratch.data, value);
	call.cache_store.value =
	    span_of(vm->scratch.data + value, vm->scratch.len - value);
	host_call(ctx, &call, MSG_CALL_DONE, &answer);
	return 0;
}

duk_ret_t
api_cache_fetch(duk_context *ctx)
{
	struct message call = {.type = MSG_CACHE_FETCH};
	struct message answer;

	call.cache_fetch.key = key_only(ctx);
	host_call(ctx, &call, MSG_CACHE_VALUE, &answer);
	return push_value_or_null(ctx, &answer.cache_value);
}

duk_ret_t
api_cache_delete(duk_context *ctx)
{
	struct message call = {.type = MSG_CACHE_DELETE};
	struct message answer;

	call.cache_delete.key = key_only(ctx);
	host_call(ctx, &call, MSG_CACHE_VALUE, &answer);
	duk_push_boolean(ctx, answer.cache_value.found);
	return 1;
}

duk_ret_t
api_cache_take(duk_context *ctx)
{
	struct message call = {.type = MSG_CACHE_TAKE};
	struct message answer;

	call.cache_take.key = key_only(ctx);
	host_call(ctx, &call, MSG_CACHE_VALUE, &answer);
	return push_value_or_null(ctx, &answer.cache_value);
}

duk_ret_t
api_cache_increment(duk_context *ctx)
{
	struct message call = {.type = MSG_CACHE_INCREMENT};
	struct message answer;

	call.cache_increment.ttl_secs = require_ttl(ctx, 1);
	call.cache_increment.key = key_only(ctx);
	host_call(ctx, &call, MSG_CACHE_VALUE, &answer);
	(void)push_value_or_null(ctx, &answer.cache_value);
	duk_to_number(ctx, -1);
	return 1;
}
