/*
 * The host of a local engine: what a gateway is to an engine that serves one,
 * played within the engine's process. Jobs are lines of JSON on one
 * descriptor, outcomes lines of JSON on another; see docs/LOCAL-ENGINE.md.
 *
 * Front, templates, runner and sandbox are those of production and do not know
 * the difference, but for host calls: CACHE lives in memory for one job, HTTP
 * is answered by fakes unless the job wants it real, and a job that brings the
 * answers of an earlier run has every call answered by those.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_LOCAL_H
#define POSTERN_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "proto/message.h"

struct asks;
struct execution;
struct front;
struct hostcall;
struct inbox;
struct local;
struct outbound_order;

/* NULL: out of memory. Lives as long as the process. */
struct local *local_new(int jobs_fd, int outcomes_fd);

/* Begins to read jobs; becomes the carrier of `asks`. */
enum err local_open(struct local *local, struct front *front, struct asks *asks,
    struct inbox *inbox, struct err_detail *detail) MUST_USE;

/* ---- from execution.c, hostcall.c and hostcall_outside.c -----------------
 * All of them do nothing, and are false, in an engine that serves a gateway.
 */

/* Seed and clock of a job that has its own; they live as long as the job. */
void local_fill_run(const struct execution *execution, struct msg_run *run);

/* True: the job's clock stands, at this time. */
bool local_now_secs(const struct execution *execution, int64_t *now_secs_r);

/* True: the call was answered here, or has ended its execution. */
bool local_answer(struct hostcall *call, const struct message *message);

/* The same for an HTTP request that is ready to be judged and sent. */
bool
local_answer_http(struct hostcall *call, const struct outbound_order *order);

/* Notes a call that is over; NULL: it was left unanswered. */
void local_note(struct hostcall *call, const struct message *reply);

#endif
