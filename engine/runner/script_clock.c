/*
 * Telling time, and remembering what was told; see script_clock.h. Not how a
 * script asks (api_clock.c).
 */
#include "engine/runner/script_clock.h"

#include <sys/time.h>

void
script_clock_begin(struct script_clock *clock, const struct msg_run *run)
{
	script_clock_fini(clock);
	clock->is_recorded = run->record;
	buf_init(&clock->readings, CLOCK_READINGS_MAX_BYTES);
	clock->is_given = span_present(run->clock);
	if (clock->is_given)
		clock_reader_init(&clock->given, run->clock);
}

static int64_t
time_ms(void)
{
	struct timeval now;

	(void)gettimeofday(&now, NULL);
	return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

int64_t
script_clock_now_ms(struct script_clock *clock)
{
	int64_t now_ms;

	if (!clock->is_given)
		now_ms = time_ms();
	else
		(void)clock_reader_next(&clock->given, &now_ms);
	if (clock->is_recorded && !clock->is_cut) {
		clock_writer_add(&clock->writer, now_ms, &clock->readings);
		clock->is_cut = clock->readings.failed;
	}
	return now_ms;
}

enum err
script_clock_queue(struct script_clock *clock, struct channel *channel)
{
	struct message message = {.type = MSG_CLOCK_READ};
	enum err err;

	if (!clock->is_recorded ||
	    (clock->readings.len == 0 && clock->writer.run_count == 0))
		return OK;
	clock_writer_flush(&clock->writer, &clock->readings);
	clock->is_cut = clock->is_cut || clock->readings.failed;
	message.clock_read.readings =
	    span_of(clock->readings.data, clock->readings.len);
	message.clock_read.cut = clock->is_cut;
	err = channel_queue(channel, &message, NULL);
	buf_reset(&clock->readings);
	return err;
}

void
script_clock_fini(struct script_clock *clock)
{
	buf_wipe(&clock->readings);
	*clock = (struct script_clock){.is_given = false};
}
