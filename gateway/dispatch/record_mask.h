/*
 * What may be shown of a script's arguments and results: sensitive property
 * values and what the IdP's `record.mask` points at become "***".
 * Threads: any.
 */
#ifndef POSTERN_RECORD_MASK_H
#define POSTERN_RECORD_MASK_H

#include "common/buf.h"
#include "gateway/realm/realm.h"

/* Deeper JSON than this is not looked into but masked as a whole. */
#define RECORD_MASK_DEPTH 32

/*
 * Appends `text` as a JSON string. Where it looks like an object or array it
 * is masked inside, and wholly if it cannot be read and there are pointers
 * (it might hold what they mean). Absent: null.
 */
void record_mask_append_text(
    struct buf *out, struct span text, const struct realm_idp *idp);

/* The same for JSON text, as the value that it is; "***" if it is none. */
void record_mask_append_json(
    struct buf *out, struct span text, const struct realm_idp *idp);

#endif
