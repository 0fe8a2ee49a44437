/*
 * Building the globals (see script_api.h). Not what they do: that is one
 * api_*.c for each of them.
 */
#include "engine/runner/script_api.h"

#include <string.h>

#include "common/check.h"
#include "engine/runner/script_shims.h"
#include "engine/runner/vm.h"

#define INSIDE    false
#define OUTSIDE   true
#define ANY_COUNT DUK_VARARGS

static const struct api_row {
	const char *object;
	const char *member;
	const char *name; /* for messages */
	duk_idx_t count;
	bool reaches_out;
	duk_c_function function;
} api_rows[] = {
#define SCRIPT_API(                                              \
    object, member, params, result, count, reach, function, doc) \
	{object, #member, object "." #member, count, reach, function},
#include "engine/runner/script_api.def"
#undef SCRIPT_API
};

#define API_ROWS (sizeof api_rows / sizeof api_rows[0])

/* Of duktape's globals, those that reach into its inside or tell time. */
static const char *const removed_globals[] = {"Duktape", "CBOR", "performance"};

void
script_api_reach_out(duk_context *ctx, const char *name)
{
	struct vm *vm = vm_of(ctx);

	if (vm->phase != VM_LOADING)
		return;
	if (vm->cold_reason == NULL)
		vm->cold_reason = name;
	(void)vm_throw(ctx, DUK_ERR_ERROR,
	    "%s is not available before an execution", name);
}

/* Every function of the table is called through here. */
static duk_ret_t
call_row(duk_context *ctx)
{
	int index = duk_get_current_magic(ctx);

	CHECK(index >= 0 && (size_t)index < API_ROWS);
	if (api_rows[index].reaches_out)
		script_api_reach_out(ctx, api_rows[index].name);
	return api_rows[index].function(ctx);
}

/* Pushes the object a dotted path names, making what is missing. */
static void
push_object(duk_context *ctx, const char *path)
{
	duk_push_global_object(ctx);
	while (*path != '\0') {
		size_t len = strcspn(path, ".");

		if (!duk_get_prop_lstring(ctx, -1, path, len)) {
			duk_pop(ctx);
			duk_push_object(ctx);
			duk_push_lstring(ctx, path, len);
			duk_dup(ctx, -2);
			duk_def_prop(ctx, -4,
			    DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WC |
				DUK_DEFPROP_CLEAR_ENUMERABLE);
		}
		duk_remove(ctx, -2);
		path += len;
		path += *path == '.';
	}
}

static void
install_row(duk_context *ctx, size_t index)
{
	const struct api_row *row = &api_rows[index];

	push_object(ctx, row->object);
	duk_push_string(ctx, row->member);
	duk_push_c_function(ctx, call_row, row->count);
	duk_set_magic(ctx, -1, (duk_int_t)index);
	duk_push_string(ctx, "name");
	duk_push_string(ctx, row->member);
	duk_def_prop(ctx, -3, DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_FORCE);
	duk_def_prop(ctx, -3,
	    DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WC |
		DUK_DEFPROP_CLEAR_ENUMERABLE);
	duk_pop(ctx);
}

void
script_api_install(duk_context *ctx, struct span properties)
{
	script_shims_install(ctx); /* needs one of the removed */
	duk_push_global_object(ctx);
	for (size_t i = 0;
	     i < sizeof removed_globals / sizeof removed_globals[0]; i++)
		(void)duk_del_prop_string(ctx, -1, removed_globals[i]);
	duk_pop(ctx);
	api_clock_install(ctx);
	for (size_t i = 0; i < API_ROWS; i++)
		install_row(ctx, i);
	script_shims_install_members(ctx);
	api_properties_install(ctx, properties);
}
