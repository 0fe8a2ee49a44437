/*
 * Writing JSON text into a buffer, and the checks that untrusted JSON passes
 * before a recursive parser sees it. Parsing itself is jansson's, in the
 * folder that needs it: a JSON tree never crosses a folder.
 * Threads: one at a time per buffer.
 */
#ifndef POSTERN_JSON_TEXT_H
#define POSTERN_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/span.h"

/* A quoted, escaped string. Control bytes become \u00XX; invalid UTF-8 bytes
 * become U+FFFD, so the output is always valid JSON. */
void json_append_string(struct buf *out, struct span text);

/* Members of an object that is being written: `first` starts true and is
 * cleared by the first call, so commas fall where they belong. An absent
 * string is written as null. */
void json_append_key(struct buf *out, bool *first, const char *key);
void json_append_member_str(
    struct buf *out, bool *first, const char *key, struct span value);
void json_append_member_int(
    struct buf *out, bool *first, const char *key, int64_t value);
void json_append_member_raw(
    struct buf *out, bool *first, const char *key, struct span json);

/*
 * The deepest nesting of [ and { outside strings, without recursion and
 * without validating anything else. civetweb's workers have 100 KB of stack
 * and jansson recurses: nothing deeper than a limit may reach it.
 */
size_t json_depth(struct span text);

#endif
