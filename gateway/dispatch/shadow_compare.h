/*
 * Whether two runs came to the same, and what may be shown where they did not.
 * Private to dispatch/. Threads: any.
 */
#ifndef POSTERN_SHADOW_COMPARE_H
#define POSTERN_SHADOW_COMPARE_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* The first of "code", "status", "payload", "user", "registration_data" in
 * which they differ; NULL: in none. JSON is compared as the value it is. */
const char *shadow_compare(
    const struct execution_result *live, const struct execution_result *draft);

/* Appends an object of what may be shown of a result, masked; a sentence where
 * that is too long. */
void shadow_compare_append(struct buf *out,
    const struct execution_result *result, const struct realm_idp *idp);

#endif
