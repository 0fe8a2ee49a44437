/*
 * Tells the service manager how this process is and has it keep sockets. Not
 * the watchdog's clock: whoever has a loop keeps that. Gateway and engine, any
 * thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/notify.h"

/* A status is one line for people; longer ones are cut. */
#define NOTIFY_STATUS_BYTES 256

/* Above what a unit lets us keep. */
#define NOTIFY_SOCKETS_MAX 8

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

/* What was kept for this process. sd_listen_fds() looks at every one of them
 * each time, so it must not be asked again once one was closed. */
static struct {
	int count;
	char *names[NOTIFY_SOCKETS_MAX]; /* NULL: taken */
} kept;

static void
load_kept(void)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(0, &names);

	for (int i = 0; i < count; i++) {
		if (i < NOTIFY_SOCKETS_MAX)
			kept.names[kept.count++] = names[i];
		else
			free(names[i]);
	}
	free(names);
}

int
notify_socket_take(const char *name)
{
	int fd;

	if (kept.count == 0)
		load_kept();
	for (int i = 0; i < kept.count; i++) {
		if (kept.names[i] == NULL || strcmp(kept.names[i], name) != 0)
			continue;
		free(kept.names[i]);
		kept.names[i] = NULL;
		fd = SD_LISTEN_FDS_START + i;
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			return fd;
	}
	return -1;
}

bool
notify_socket_keep(int fd, const char *name)
{
	char state[NOTIFY_STATUS_BYTES];

	/* FDPOLL=0: it is not to be dropped for what comes in meanwhile. */
	(void)snprintf(
	    state, sizeof state, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return sd_pid_notify_with_fds(0, 0, state, &fd, 1) > 0;
}

void
notify_socket_forget(const char *name)
{
	(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}
