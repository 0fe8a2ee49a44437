/*
 * Sentences for names that are not there (see script_shims.h). Names stay
 * undefined for typeof, so libraries that look around before they use
 * something keep working. Threads: one.
 */
#include "engine/runner/script_shims.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "engine/runner/vm.h"

/* How duktape words it; test_vm.c notices if another version does not. */
#define UNKNOWN_BEGIN "identifier '"
#define UNKNOWN_END   "' undefined"
#define MESSAGE_BYTES 512

static const struct shim_global {
	const char *name;
	const char *sentence;
} shim_globals[] = {
#define SHIM_GLOBAL(name, sentence) {name, sentence},
#define SHIM_MEMBER(object, member, sentence)
#include "engine/runner/script_shims.def"
#undef SHIM_GLOBAL
#undef SHIM_MEMBER
};

static const struct shim_member {
	const char *object;
	const char *member;
	const char *sentence;
} shim_members[] = {
#define SHIM_GLOBAL(name, sentence)
#define SHIM_MEMBER(object, member, sentence) {object, #member, sentence},
#include "engine/runner/script_shims.def"
#undef SHIM_GLOBAL
#undef SHIM_MEMBER
};

#define SHIM_GLOBALS (sizeof shim_globals / sizeof shim_globals[0])
#define SHIM_MEMBERS (sizeof shim_members / sizeof shim_members[0])

/* The sentence for the name in duktape's message; NULL: it has none. */
static const struct shim_global *
shim_of(const char *message)
{
	const char *name = message + strlen(UNKNOWN_BEGIN);
	const char *end;

	if (strncmp(message, UNKNOWN_BEGIN, strlen(UNKNOWN_BEGIN)) != 0)
		return NULL;
	end = strstr(name, UNKNOWN_END);
	for (size_t i = 0; end != NULL && i < SHIM_GLOBALS; i++)
		if (strlen(shim_globals[i].name) == (size_t)(end - name) &&
		    strncmp(shim_globals[i].name, name, (size_t)(end - name)) ==
			0)
			return &shim_globals[i];
	return NULL;
}

/* Called by duktape with each new error; what it returns is thrown. */
static duk_ret_t
on_error(duk_context *ctx)
{
	const struct shim_global *shim;
	char message[MESSAGE_BYTES];

	if (duk_get_error_code(ctx, 0) != DUK_ERR_REFERENCE_ERROR)
		return 1;
	duk_get_prop_string(ctx, 0, "message");
	shim = duk_is_string(ctx, -1) ? shim_of(duk_get_string(ctx, -1)) : NULL;
	duk_pop(ctx);
	if (shim == NULL)
		return 1;
	(void)snprintf(message, sizeof message, "%s is not available: %s",
	    shim->name, shim->sentence);
	duk_push_string(ctx, message);
	duk_put_prop_string(ctx, 0, "message");
	return 1;
}

void
script_shims_install(duk_context *ctx)
{
	if (duk_get_global_string(ctx, "Duktape")) {
		duk_push_c_function(ctx, on_error, 1);
		duk_put_prop_string(ctx, -2, "errCreate");
	}
	duk_pop(ctx);
}

static duk_ret_t
throw_member(duk_context *ctx)
{
	int index = duk_get_current_magic(ctx);

	CHECK(index >= 0 && (size_t)index < SHIM_MEMBERS);
	return vm_throw(ctx, DUK_ERR_ERROR, "%s.%s is not available: %s",
	    shim_members[index].object, shim_members[index].member,
	    shim_members[index].sentence);
}

/* Pushes the object of a dotted path; all of them are there. */
static void
push_object(duk_context *ctx, const char *path)
{
	duk_push_global_object(ctx);
	while (*path != '\0') {
		size_t len = strcspn(path, ".");

		duk_get_prop_lstring(ctx, -1, path, len);
		duk_remove(ctx, -2);
		path += len;
		path += *path == '.';
	}
}

void
script_shims_install_members(duk_context *ctx)
{
	for (size_t i = 0; i < SHIM_MEMBERS; i++) {
		push_object(ctx, shim_members[i].object);
		duk_push_string(ctx, shim_members[i].member);
		duk_push_c_function(ctx, throw_member, 0);
		duk_set_magic(ctx, -1, (duk_int_t)i);
		duk_def_prop(ctx, -3,
		    DUK_DEFPROP_HAVE_GETTER | DUK_DEFPROP_SET_CONFIGURABLE |
			DUK_DEFPROP_CLEAR_ENUMERABLE);
		duk_pop(ctx);
	}
}
