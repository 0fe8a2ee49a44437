/*
 * The gateway's test run: when no engine has run a script to its end lately, a
 * small script of the gateway's own goes the whole way (ticket, job, source,
 * sandboxed process, result), so that /health/ready speaks of what works and
 * not of what is connected.
 *
 * It takes a free slot only while nobody waits, one at a time, and is neither
 * logged, recorded nor counted as an execution.
 */
#ifndef POSTERN_PROBE_H
#define POSTERN_PROBE_H

#include "common/err.h"
#include "gateway/dispatch/dispatch.h"

/* After so long without a success it is tried. */
#define PROBE_AFTER_US ((int64_t)5 * 1000 * 1000)

/* A success that is older proves nothing any more: not ready. Twice what the
 * next test run takes at most, and a margin. */
#define PROBE_READY_US ((int64_t)15 * 1000 * 1000)

/* Starts its thread, which lasts as long as the process. */
enum err
probe_start(struct dispatch *dispatch, struct err_detail *detail) MUST_USE;

#endif
