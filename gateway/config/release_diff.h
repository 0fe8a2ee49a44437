/*
 * Two releases of an identity provider compared: a unified diff of their
 * scripts and settings, as files of a realm directory.
 *
 * Threads: any. As bounded as text_diff.h.
 */
#ifndef POSTERN_RELEASE_DIFF_H
#define POSTERN_RELEASE_DIFF_H

#include "common/buf.h"
#include "gateway/realm/realm.h"

/* Appends what leads from one to the other, nothing where they are the same.
 * Settings are all of them, as `script` in idp.yaml. */
enum err release_diff(const struct release *from, const struct release *to,
    struct buf *out) MUST_USE;

#endif
