/*
 * Tells the service manager how this process is. Not the watchdog's clock:
 * whoever has a loop keeps that. Gateway and engine, any thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/notify.h"

/* A status is one line for people; longer ones are cut. */
#define NOTIFY_STATUS_BYTES 256

/* sd_notify() has lines "NAME=value": a newline in ours would start another. */
static void
notify_send(const char *state, const char *status)
{
	char line[NOTIFY_STATUS_BYTES];

	if (status == NULL) {
		(void)sd_notify(0, state);
		return;
	}
	(void)snprintf(line, sizeof line, "%s", status);
	for (char *c = line; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ')
			*c = ' ';
	}
	(void)sd_notifyf(0, "%sSTATUS=%s", state, line);
}

void
notify_ready(const char *status)
{
	notify_send("READY=1\n", status);
}

void
notify_status(const char *status)
{
	if (status != NULL)
		notify_send("", status);
}

void
notify_reloading(void)
{
	/* systemd matches the stamp with its own clock (Type=notify-reload). */
	(void)sd_notifyf(
	    0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

int64_t
notify_watchdog_us(void)
{
	uint64_t within_us = 0;

	/* Not for this process, or not at all: both are no watch. */
	if (sd_watchdog_enabled(0, &within_us) <= 0 || within_us > INT64_MAX)
		return 0;
	return (int64_t)within_us;
}

void
notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
