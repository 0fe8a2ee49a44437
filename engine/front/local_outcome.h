/*
 * The outcome of a local engine's job as a line of JSON: what a gateway makes
 * of a result, with the same rules and sentences. Threads: the main one.
 */
#ifndef POSTERN_LOCAL_OUTCOME_H
#define POSTERN_LOCAL_OUTCOME_H

#include "common/buf.h"
#include "engine/front/local_job.h"
#include "proto/message.h"

/* Appends the line with its end. */
void local_outcome_append(
    struct buf *out, struct local_job *job, const struct msg_result *result);

/* The line of a job that is none; `id` may be NULL. */
void local_outcome_append_refusal(
    struct buf *out, const json_t *id, const char *sentence);

#endif
