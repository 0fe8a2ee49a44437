/*
 * A release as bytes: how its content is named and kept. Private to realm/;
 * release_decode() is in realm_load.h.
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

#endif
