/*
 * The watchdog's timer; see pulse.h. Judges nothing but this process: what to
 * do about a silent gateway is uplink's. Runs on the main thread.
 */
#include "engine/front/pulse.h"

#include "common/log.h"
#include "common/notify.h"
#include "engine/front/uplink.h"

#define BEATS_PER_WATCH 3

/* Heartbeats that nobody answers end a session within a second or two. One
 * that lasts in silence has lost its timers or its link's threads. */
static bool
pulse_is_alive(const struct pulse *pulse)
{
	int64_t silent_us = uplinks_silent_us(pulse->front);

	if (silent_us <= pulse->every_ms * 1000)
		return true;
	log_error("a session whose heartbeats are not answered",
	    LOG_INT("silent_ms", silent_us / 1000));
	return false;
}

static void
pulse_beat(void *owner)
{
	struct pulse *pulse = owner;

	loop_timer_in(&pulse->front->loop, &pulse->timer, pulse->every_ms);
	if (pulse_is_alive(pulse))
		notify_alive();
}

void
pulse_start(struct pulse *pulse, struct front *front)
{
	pulse->front = front;
	pulse->every_ms = notify_watchdog_us() / 1000 / BEATS_PER_WATCH;
	timer_init(&pulse->timer, pulse_beat, pulse);
	if (pulse->every_ms > 0)
		pulse_beat(pulse);
}
