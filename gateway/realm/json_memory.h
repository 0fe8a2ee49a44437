/*
 * Reading JSON where memory may end. jansson drops bytes of a text, and goes
 * on, where it cannot grow its buffer: what it gives then is another document,
 * a syntax error that is none, or a failed assertion. So every text whose
 * meaning matters while the gateway serves is read through here.
 *
 * Threads: any.
 */
#ifndef POSTERN_JSON_MEMORY_H
#define POSTERN_JSON_MEMORY_H

#include <stdbool.h>

#include <jansson.h>

#include "common/span.h"

/* As json_loadb(); NULL also where memory ended, and then *no_memory_r (NULL:
 * the caller treats both alike) is true. `error` may be NULL. */
json_t *json_memory_load(
    struct span text, size_t flags, json_error_t *error, bool *no_memory_r);

#endif
