/*
 * Host calls of a local engine's jobs: answered from memory, by fakes, or by
 * the answers of an earlier run; and noted. The hooks are in local.h.
 * Threads: the main one.
 */
#ifndef POSTERN_LOCAL_CALL_H
#define POSTERN_LOCAL_CALL_H

#include <stdbool.h>

#include "engine/front/local_job.h"

struct hostcall;
struct outbound_order;

bool local_call_answer(struct local_job *job, struct hostcall *call,
    const struct message *message);

bool local_call_answer_http(struct local_job *job, struct hostcall *call,
    const struct outbound_order *order);

void local_call_note(struct local_job *job, const struct hostcall *call,
    const struct message *reply);

/* The run is over: says so where answers of the earlier one are left. */
void local_call_end(struct local_job *job);

#endif
