/*
 * Date, so that a top level that reads the clock is noticed. Threads: one.
 *
 * Duktape's time source is compiled in, so the constructor is replaced, for
 * good: a wrapper that was only there during the top level could be kept by
 * the script, and what the script added to it would be lost afterwards.
 * It shares its prototype with duktape's Date, whose `constructor` it becomes,
 * so no path leads a script to the original.
 */
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

#define HIDDEN_ORIGINAL  DUK_HIDDEN_SYMBOL("original")
#define HIDDEN_TO_STRING DUK_HIDDEN_SYMBOL("to_string")

/* Arguments of Date(year, ..., milliseconds). */
#define DATE_LENGTH 7

duk_ret_t
api_clock_now(duk_context *ctx)
{
	duk_push_number(ctx, (double)script_clock_now_ms(&vm_of(ctx)->clock));
	return 1;
}

/* Date(...): a string of now. new Date(): now. new Date(x, ...): no clock.
 * Duktape's own constructor is never asked for the time: it would look at the
 * kernel's, which a replay cannot repeat. */
static duk_ret_t
construct(duk_context *ctx)
{
	bool is_construct = duk_is_constructor_call(ctx);

	if (!is_construct)
		duk_set_top(ctx, 0);
	if (duk_get_top(ctx) == 0) {
		script_api_reach_out(ctx, "Date");
		(void)api_clock_now(ctx);
	}
	duk_push_current_function(ctx);
	duk_get_prop_string(ctx, -1, HIDDEN_ORIGINAL);
	duk_insert(ctx, 0);
	duk_get_prop_string(ctx, -1, HIDDEN_TO_STRING);
	duk_insert(ctx, 0);
	duk_pop(ctx);
	duk_new(ctx, duk_get_top(ctx) - 2);
	if (!is_construct)
		duk_call_method(ctx, 0);
	return 1;
}

static void
define(duk_context *ctx, const char *name, duk_uint_t flags)
{
	duk_push_string(ctx, name);
	duk_insert(ctx, -2);
	duk_def_prop(ctx, -3,
	    DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_FORCE |
		DUK_DEFPROP_CLEAR_ENUMERABLE | flags);
}

void
api_clock_install(duk_context *ctx)
{
	static const char *const kept[] = {"parse", "UTC", "now"};
	duk_idx_t original, wrapper;

	duk_get_global_string(ctx, "Date");
	original = duk_get_top_index(ctx);
	duk_push_c_function(ctx, construct, DUK_VARARGS);
	wrapper = duk_get_top_index(ctx);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		duk_get_prop_string(ctx, original, kept[i]);
		define(ctx, kept[i], DUK_DEFPROP_SET_WC);
	}
	duk_push_int(ctx, DATE_LENGTH);
	define(ctx, "length", 0);
	duk_push_string(ctx, "Date");
	define(ctx, "name", 0);
	duk_get_prop_string(ctx, original, "prototype");
	define(ctx, "prototype", DUK_DEFPROP_CLEAR_WC);
	duk_dup(ctx, original);
	duk_put_prop_string(ctx, wrapper, HIDDEN_ORIGINAL);
	duk_get_prop_string(ctx, original, "prototype");
	duk_get_prop_string(ctx, -1, "toString");
	duk_put_prop_string(ctx, wrapper, HIDDEN_TO_STRING);
	duk_dup(ctx, wrapper);
	define(ctx, "constructor", DUK_DEFPROP_SET_WC);
	duk_pop(ctx);
	duk_push_global_object(ctx);
	duk_dup(ctx, wrapper);
	define(ctx, "Date", DUK_DEFPROP_SET_WC);
	duk_set_top(ctx, original);
}
