/*
 * One execution as the JSON object that record.h describes. Private to
 * gateway/dispatch. Threads: any; a pure function.
 */
#ifndef POSTERN_RECORD_JSON_H
#define POSTERN_RECORD_JSON_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* Appends the object. `why_not`: why it cannot be run again; NULL: it can.
 * `summary_len_r`: how much of it are the members that a list shows; with a
 * closing brace that is an object too. */
void record_json_append(struct buf *out, const struct execution *x,
    const struct execution_result *r, const char *why_not,
    size_t *summary_len_r);

#endif
