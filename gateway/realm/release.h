/*
 * A release as bytes: how its content is named and kept; release_decode() is
 * in realm_load.h.
 * Threads: any.
 */
#ifndef POSTERN_RELEASE_H
#define POSTERN_RELEASE_H

#include "common/buf.h"
#include "gateway/realm/realm.h"

/* Three scripts of the largest size, and what describes them. */
#define RELEASE_CONTENT_BYTES ((size_t)2 << 20)

/* Appends the content; same release, same bytes. */
void release_encode(const struct release *release, struct buf *out);

/* How many limits a release has; each by its key in the script block. */
#define RELEASE_LIMITS 12

const char *release_limit_key(size_t which);
int64_t release_limit(const struct script_limits *limits, size_t which);

#endif
