/*
 * A realm and the arena it lives in. Private to realm/.
 * Threads: see realm.h.
 */
#ifndef POSTERN_REALM_SNAPSHOT_H
#define POSTERN_REALM_SNAPSHOT_H

#include "common/arena.h"
#include "gateway/realm/realm.h"

/* An empty realm with one reference, in `arena`, which is its from then on.
 * NULL: the arena is full, and still the caller's. */
struct realm *realm_snapshot_new(struct arena *arena);

#endif
