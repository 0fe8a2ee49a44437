/*
 * What the service manager is told (sd_notify); no-ops without one.
 * Threads: any.
 */
#ifndef POSTERN_NOTIFY_H
#define POSTERN_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
void notify_status(const char *status);
void notify_reloading(void);
void notify_stopping(void);

/* Within how long it wants to hear notify_alive() again; 0: it does not watch.
 * Say it three times as often, so that one late look is no death. */
int64_t notify_watchdog_us(void);
void notify_alive(void);

#endif
