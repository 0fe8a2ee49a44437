/*
 * Clear messages for what scripts written elsewhere expect to find
 * (script_shims.def). Threads: one.
 */
#ifndef POSTERN_SCRIPT_SHIMS_H
#define POSTERN_SCRIPT_SHIMS_H

#include <duktape.h>

/* Adds the sentences to errors about unknown names. Before the global
 * Duktape is removed. */
void script_shims_install(duk_context *ctx);

/* Adds the members that throw; after script_api.def's objects were made. */
void script_shims_install_members(duk_context *ctx);

#endif
