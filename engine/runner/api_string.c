/*
 * String.prototype.equals, which scripts of the original product use because
 * their strings were Java's. Threads: one.
 */
#include "engine/runner/script_api.h"

duk_ret_t
api_string_equals(duk_context *ctx)
{
	duk_push_this(ctx);
	duk_to_string(ctx, -1);
	duk_push_boolean(ctx, duk_strict_equals(ctx, 0, -1));
	return 1;
}
