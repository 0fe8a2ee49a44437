/*
 * What an engine reported of an attempt, read as the hostile input it is, and
 * told to the operator's log and the metrics.
 */
#ifndef POSTERN_OUTCOMES_H
#define POSTERN_OUTCOMES_H

#include "gateway/dispatch/jobs.h"

/*
 * Fills `result_r` from an ENDED job, everything copied into the arena; then
 * logs the script's lines and the execution's end, there and in `live` (NULL:
 * nobody watches), and counts it. A report that
 * is malformed is the engine's fault: SCRIPT_CRASHED, saying so.
 * Of a shadow run (execution.replay) nothing is logged or counted.
 * ERR_NOMEM: the arena is full. On the job's HTTP thread, not locked.
 */
enum err outcome_read(struct live_log *live, const struct job *job,
    const struct execution *execution, struct arena *arena,
    struct execution_result *result_r) MUST_USE;

/*
 * `text` with every occurrence of a sensitive value replaced by "***", in the
 * arena; absent when the arena is full. Values shorter than MASK_MIN_BYTES are
 * left: replacing "a" everywhere would hide nothing and ruin everything.
 */
#define MASK_MIN_BYTES 4
struct span outcome_mask(
    struct span text, const struct string_set *values, struct arena *arena);

#endif
