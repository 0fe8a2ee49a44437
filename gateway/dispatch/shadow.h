/*
 * Shadow runs: a draft is given what the live release was given, after the live
 * answer was sent, and what comes of it is compared and counted.
 *
 * Host calls are answered from the live run's recording, so a draft has no
 * effects; one that the live run did not make ends the run as diverged. Random
 * numbers and clock are the live run's. Only idle slots are used
 * (dispatch_idle.h), one at a time, and what waits is bounded: whatever does
 * not fit is skipped and counted as that.
 *
 * Everything is in memory and ends with the process. Of values, only the latest
 * SHADOW_EXAMPLES differences are kept, masked as records are.
 *
 * Threads: any; one thread of its own runs them. One mutex, held for moving
 * pointers and counting; where nothing is shadowed a live execution does not
 * take it.
 */
#ifndef POSTERN_SHADOW_H
#define POSTERN_SHADOW_H

#include <stdbool.h>

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* Drafts at a time, one an identity provider. */
#define SHADOW_TARGETS_MAX 16

/* Live executions whose shadow runs wait. */
#define SHADOW_WAITING_MAX 64

#define SHADOW_EXAMPLES 20

struct shadow;
struct shadow_item;

/* Its thread starts with the first draft. NULL: out of memory. */
struct shadow *shadow_new(struct dispatch *dispatch);
void shadow_free(struct shadow *shadow); /* only before that; NULL is fine */

/*
 * Runs `draft` (owned from then on, also after a failure) beside `percent` in a
 * hundred live executions of its identity provider; for one that is shadowed
 * already the share changes. ERR_EXISTS: another draft of this identity
 * provider is; ERR_LIMIT: too many are; ERR_NOMEM.
 */
enum err shadow_start(
    struct shadow *shadow, struct release *draft, unsigned percent) MUST_USE;

/* ERR_NOT_FOUND: it is not shadowed. */
enum err shadow_stop(struct shadow *shadow, const char *idp,
    const uint8_t hash[DIGEST_BYTES]) MUST_USE;

/* Appends members of an open object: percent, runs, same, different, diverged,
 * skipped, examples. ERR_NOT_FOUND. */
enum err shadow_append(struct shadow *shadow, const char *idp,
    const uint8_t hash[DIGEST_BYTES], struct buf *out) MUST_USE;

/* ---- for live executions --------------------------------------------------
 */

/* Whether this one shall have a shadow: then its recording is wanted. */
bool shadow_wants(struct shadow *shadow, const struct realm_idp *idp,
    const struct release *release);

/* What a shadow run of it needs, copied; NULL: there will be none. To be given
 * to shadow_submit() once the live answer was sent. */
struct shadow_item *shadow_item_new(struct shadow *shadow,
    const struct execution *execution, const struct execution_result *result);

/* Takes a struct shadow_item; NULL is fine. */
void shadow_submit(void *item);

#endif
