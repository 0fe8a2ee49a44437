/*
 * Members cut out of JSON text that duktape's encoder wrote, without
 * decoding it: values stay text. Threads: any.
 */
#ifndef POSTERN_JSON_MEMBERS_H
#define POSTERN_JSON_MEMBERS_H

#include "common/span.h"

/*
 * The text of the value of the object's own member `name` (letters only, so
 * an encoder has one way to write it). Absent if there is none, or if the
 * text is not the encoder's compact form. Points into `object`.
 */
struct span json_members_get(struct span object, const char *name);

/* "an object", "a string", ...: for sentences. */
const char *json_members_kind(struct span json);

#endif
