/*
 * The globals of scripts, from script_api.def, and what is taken away of
 * duktape's own. Threads: one.
 */
#ifndef POSTERN_SCRIPT_API_H
#define POSTERN_SCRIPT_API_H

#include <duktape.h>

#include "common/span.h"

/* Removes, replaces and adds globals of a fresh heap. May throw. */
void script_api_install(duk_context *ctx, struct span properties);

/* To be called by whatever reaches out of the release: in the template's top
 * level it notes that the release is cold, and throws. */
void script_api_reach_out(duk_context *ctx, const char *name);

/* The functions of the table; each in the api_*.c that its name says. */
#define SCRIPT_API(                                              \
    object, member, params, result, count, reach, function, doc) \
	duk_ret_t function(duk_context *ctx);
#include "engine/runner/script_api.def"
#undef SCRIPT_API

/* Replaces the global Date by one that tells when the clock is read. */
void api_clock_install(duk_context *ctx);

/* Fills PROPERTIES with its fields and freezes it. May throw. */
void api_properties_install(duk_context *ctx, struct span json);

#endif
