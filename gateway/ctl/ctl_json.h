/*
 * JSON documents of gateways and files: read with bounds, looked into without
 * trusting their shape, shown to people, printed for programs.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_JSON_H
#define POSTERN_CTL_JSON_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* Strict JSON, no duplicate keys, at most 64 deep. ERR_SYNTAX with a sentence,
 * ERR_NOMEM. */
enum err ctl_json_read(
    struct span text, json_t **document_r, struct err_detail *detail) MUST_USE;

/* The member if it is a string without NUL bytes, else NULL. Borrowed. */
const char *ctl_json_text(const json_t *object, const char *key);

/* The member if it is an integer, else `fallback`. */
json_int_t
ctl_json_number(const json_t *object, const char *key, json_int_t fallback);

/* The string's bytes; absent where the value is none. Borrowed. */
struct span ctl_json_span(const json_t *value);

/* Appends a value for people: text as it is, yes and no, lists with commas;
 * nothing for null or NULL, JSON for what else there is. */
void ctl_json_append(struct buf *out, const json_t *value);

/* The same for the member of a name: times in Unix seconds ("at",
 * "..._at", "since") are shown as dates. */
void
ctl_json_append_member(struct buf *out, const char *key, const json_t *value);

/* Prints an object for people, a line a key, maps in it as "map.key". */
void ctl_json_print_keys(json_t *object);

/* Prints the document for programs, in ASCII and with a newline. */
void ctl_json_print(const json_t *document);

/* Text of the document, in `out`. ERR_NOMEM, ERR_LIMIT. */
enum err ctl_json_dump(const json_t *document, struct buf *out) MUST_USE;

#endif
