/*
 * An execution's outcome as text, for people to read and for comparing two;
 * and documents without the values that are not for showing.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_REPLAY_TEXT_H
#define POSTERN_CTL_REPLAY_TEXT_H

#include <jansson.h>

#include "common/buf.h"

/* Two recordings of the largest size. */
#define CTL_REPLAY_TEXT_MAX ((size_t)64 * 1024 * 1024)

/* Shorter values than this are left, as in the gateway's logs: replacing "a"
 * everywhere would hide nothing. */
#define CTL_REPLAY_MASK_MIN_BYTES 4

/* Appends code, status, payload, user, registrationData, message, place,
 * stack, log and the host calls with their answers; one thing a line. Calls
 * are told apart by `calls`, which may be NULL. */
void
ctl_replay_append(struct buf *out, const json_t *outcome, const json_t *calls);

/*
 * A copy of `document` in which, wherever they stand, the values of the
 * recording's sensitive properties are replaced: by "***", or with `by_name`
 * by "sensitive-ID". NULL: out of memory.
 */
json_t *ctl_replay_masked(
    const json_t *document, const json_t *recording, bool by_name);

#endif
