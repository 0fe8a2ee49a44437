/*
 * The arguments of execute() (see payload.h), the direct reads of
 * requestPayload included. Not their validation: the gateway checked them.
 */
#include "engine/runner/payload.h"

#include <ctype.h>

#include "engine/runner/vm.h"

#define HIDDEN_VALUE   DUK_HIDDEN_SYMBOL("value")
#define HIDDEN_PAYLOAD DUK_HIDDEN_SYMBOL("payload")

/* A getter of String.prototype: answers for the payload and no other string.
 * Native functions get a primitive `this` as it is. */
static duk_ret_t
payload_get(duk_context *ctx)
{
	duk_push_this(ctx);
	duk_push_current_function(ctx);
	duk_get_prop_string(ctx, -1, HIDDEN_PAYLOAD);
	if (!duk_strict_equals(ctx, -1, -3))
		return 0;
	duk_get_prop_string(ctx, -2, HIDDEN_VALUE);
	return 1;
}

static bool
is_identifier_like(const char *text, size_t len)
{
	if (len == 0 || isdigit((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    text[i] != '$')
			return false;
	return true;
}

/* Key and value are the two topmost values and stay there. */
static void
define_getter(duk_context *ctx, duk_idx_t payload, duk_idx_t prototype)
{
	duk_idx_t key = duk_get_top(ctx) - 2;
	size_t len;
	const char *text = duk_get_lstring(ctx, key, &len);

	if (!is_identifier_like(text, len))
		return;
	duk_dup(ctx, key);
	if (duk_has_prop(ctx, prototype))
		return;
	duk_dup(ctx, key);
	duk_push_c_function(ctx, payload_get, 0);
	duk_dup(ctx, key + 1);
	duk_put_prop_string(ctx, -2, HIDDEN_VALUE);
	duk_dup(ctx, payload);
	duk_put_prop_string(ctx, -2, HIDDEN_PAYLOAD);
	duk_def_prop(ctx, prototype,
	    DUK_DEFPROP_HAVE_GETTER | DUK_DEFPROP_SET_CONFIGURABLE |
		DUK_DEFPROP_CLEAR_ENUMERABLE);
}

static duk_ret_t
decode_raw(duk_context *ctx, void *udata)
{
	(void)udata;
	duk_json_decode(ctx, -1);
	return 1;
}

static bool
looks_like_object(struct span text)
{
	size_t at = 0;

	while (at < text.len &&
	       (text.data[at] == ' ' || text.data[at] == '\t' ||
		   text.data[at] == '\n' || text.data[at] == '\r'))
		at++;
	return at < text.len && text.data[at] == '{';
}

/* The payload is the topmost value and stays there. */
static void
add_getters(duk_context *ctx)
{
	duk_idx_t payload = duk_get_top_index(ctx);
	duk_idx_t prototype;

	duk_dup_top(ctx);
	if (duk_safe_call(ctx, decode_raw, NULL, 1, 1) != 0) {
		if (heap_exhausted(vm_of(ctx)->heap))
			(void)duk_throw(ctx);
		duk_pop(ctx); /* no JSON: a string like any other */
		return;
	}
	duk_push_string(ctx, "");
	duk_to_object(ctx, -1); /* whatever became of the global String */
	duk_get_prototype(ctx, -1);
	prototype = duk_get_top_index(ctx);
	duk_enum(ctx, payload + 1, DUK_ENUM_OWN_PROPERTIES_ONLY);
	while (duk_next(ctx, prototype + 1, 1)) {
		define_getter(ctx, payload, prototype);
		duk_pop_2(ctx);
	}
	duk_set_top(ctx, payload + 1);
}

static void
push_request_payload(duk_context *ctx, struct span data)
{
	if (!span_present(data)) {
		duk_push_null(ctx);
		return;
	}
	vm_push_text(ctx, data);
	if (looks_like_object(data))
		add_getters(ctx);
}

static void
push_json(duk_context *ctx, struct span json)
{
	if (!span_present(json)) {
		duk_push_null(ctx);
		return;
	}
	vm_push_text(ctx, json);
	duk_json_decode(ctx, -1);
}

void
payload_push_arguments(duk_context *ctx, const struct msg_run *run)
{
	push_request_payload(ctx, run->data);
	duk_push_null(ctx); /* userIdentifier: nobody is known yet */
	push_json(ctx, run->registration_data);
	push_json(ctx, run->custom_params);
}
