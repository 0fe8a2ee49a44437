/*
 * What a script's clock said, in few bytes: for recordings and replays.
 *
 * A sequence of runs, each two numbers in LEB128: how much later than the run
 * before it (zigzag: a clock may be set back; the first is since 1970, in
 * milliseconds), and how many readings in a row said so. A script that waits
 * by reading the clock a million times makes one run a millisecond.
 *
 * Threads: one at a time per struct.
 */
#ifndef POSTERN_CLOCK_READINGS_H
#define POSTERN_CLOCK_READINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* Of one recording, and of any field that holds readings: more than ten
 * thousand runs, so ten seconds of doing nothing but looking at the clock. */
#define CLOCK_READINGS_MAX_BYTES 65536

/* ---- writing ------------------------------------------------------------- */

/* All zero is one that has seen nothing. */
struct clock_writer {
	int64_t last_ms; /* of the last run that was appended */
	int64_t run_ms;
	uint64_t run_count; /* 0: no run is open */
};

/* Appends the run before this reading where it ends with it. */
void
clock_writer_add(struct clock_writer *writer, int64_t now_ms, struct buf *out);

/* Appends the run that is open; the next reading opens another. */
void clock_writer_flush(struct clock_writer *writer, struct buf *out);

/* ---- reading ------------------------------------------------------------- */

struct clock_reader {
	struct span rest; /* borrowed */
	int64_t run_ms;   /* the last reading, once there was one */
	uint64_t left;    /* of the run */
};

void clock_reader_init(struct clock_reader *reader, struct span readings);

/* The next run as a whole. ERR_NOT_FOUND: there is no more; ERR_SYNTAX. */
enum err clock_reader_run(
    struct clock_reader *reader, int64_t *ms_r, uint64_t *count_r) MUST_USE;

/* The next reading. False: they are used up, or the rest is no readings; then
 * `*ms_r` is the last one there was (0: none). */
bool clock_reader_next(struct clock_reader *reader, int64_t *ms_r);

#endif
