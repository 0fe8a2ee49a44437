/*
 * Strings and bytes of scripts on their way into native code and back.
 * Threads: one.
 */
#ifndef POSTERN_API_BYTES_H
#define POSTERN_API_BYTES_H

#include <duktape.h>

#include "common/span.h"

/*
 * Appends the value at `index` to the scratch buffer and returns where it
 * starts: a string as UTF-8, or a buffer's bytes. Throws for anything else.
 * Runs no script code, so several may follow each other.
 */
size_t api_bytes_take(
    duk_context *ctx, duk_idx_t index, const char *what, size_t max_bytes);

/* As api_bytes_take(), but strings only. */
size_t api_bytes_take_text(
    duk_context *ctx, duk_idx_t index, const char *what, size_t max_bytes);

/* From `start` to what is taken now; never absent. */
struct span api_bytes_since(duk_context *ctx, size_t start);

/* Pushes a new Uint8Array. */
void api_bytes_push(duk_context *ctx, struct span bytes);

/* Pushes bytes as a string; what is no UTF-8 becomes U+FFFD. Does not use
 * the scratch buffer. */
void api_bytes_push_text_lossy(duk_context *ctx, struct span bytes);

#endif
