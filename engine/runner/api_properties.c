/*
 * PROPERTIES: the values of this release's environment. They came with the
 * template, so reading one is no host call. Threads: one.
 */
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* In the global stash, which scripts cannot reach: id to value. */
#define STASH_VALUES "properties"

/* A property of kind: key came as null. */
static duk_ret_t
refuse_key(duk_context *ctx)
{
	return vm_throw(ctx, DUK_ERR_ERROR,
	    "this property has kind: key: only CRYPTO (option key) and HTTP "
	    "(option clientCert) can use it, by its id");
}

duk_ret_t
api_properties_get(duk_context *ctx)
{
	(void)duk_require_string(ctx, 0);
	duk_push_global_stash(ctx);
	duk_get_prop_string(ctx, -1, STASH_VALUES);
	duk_dup(ctx, 0);
	if (!duk_get_prop(ctx, -2))
		duk_push_null(ctx);
	else if (duk_is_null(ctx, -1))
		return refuse_key(ctx);
	return 1;
}

/* Gives PROPERTIES (on top) a field for each value; get() keeps its name. */
static void
add_fields(duk_context *ctx, duk_idx_t values)
{
	duk_idx_t object = duk_get_top_index(ctx);

	duk_enum(ctx, values, DUK_ENUM_OWN_PROPERTIES_ONLY);
	while (duk_next(ctx, -1, 1)) {
		duk_dup(ctx, -2);
		duk_push_string(ctx, "get");
		if (duk_strict_equals(ctx, -1, -2)) {
			duk_pop_n(ctx, 4);
			continue;
		}
		duk_pop_2(ctx);
		if (duk_is_null(ctx, -1)) {
			duk_pop(ctx);
			duk_push_c_function(ctx, refuse_key, 0);
			duk_def_prop(ctx, object, DUK_DEFPROP_HAVE_GETTER);
			continue;
		}
		duk_def_prop(ctx, object,
		    DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_ENUMERABLE);
	}
	duk_pop(ctx);
}

void
api_properties_install(duk_context *ctx, struct span json)
{
	duk_idx_t values;

	vm_push_text(ctx, span_present(json) ? json : span_str("{}"));
	duk_json_decode(ctx, -1);
	if (!duk_is_object(ctx, -1) || duk_is_array(ctx, -1))
		(void)duk_type_error(ctx, "properties are not a JSON object");
	duk_push_undefined(ctx);
	duk_set_prototype(ctx, -2); /* own values only, whatever the id */
	values = duk_get_top_index(ctx);
	duk_get_global_string(ctx, "PROPERTIES");
	add_fields(ctx, values);
	duk_freeze(ctx, -1);
	duk_pop(ctx);
	duk_push_global_stash(ctx);
	duk_dup(ctx, values);
	duk_put_prop_string(ctx, -2, STASH_VALUES);
	duk_pop_2(ctx);
}
