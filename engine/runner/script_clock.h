/*
 * The clock a script sees: the time, or the readings of an earlier run. Keeps
 * what it said where the run is recorded.
 *
 * Threads: one.
 */
#ifndef POSTERN_SCRIPT_CLOCK_H
#define POSTERN_SCRIPT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "engine/runner/channel.h"
#include "proto/clock_readings.h"
#include "proto/message.h"

/* All zero tells the time and keeps nothing. */
struct script_clock {
	bool is_given;
	struct clock_reader given; /* borrows the run message */
	bool is_recorded;
	bool is_cut; /* readings are missing */
	struct clock_writer writer;
	struct buf readings; /* what was said and not sent yet */
};

/* For one run; what its message says about the clock. */
void script_clock_begin(struct script_clock *clock, const struct msg_run *run);

/* Milliseconds since 1970. */
int64_t script_clock_now_ms(struct script_clock *clock);

/* Queues clock_read if something was said since the last one. */
enum err script_clock_queue(
    struct script_clock *clock, struct channel *channel) MUST_USE;

/* Wipes what it keeps. */
void script_clock_fini(struct script_clock *clock);

#endif
