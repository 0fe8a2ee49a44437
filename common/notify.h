/*
 * What the service manager is told (sd_notify); no-ops without one.
 * Threads: any.
 */
#ifndef POSTERN_NOTIFY_H
#define POSTERN_NOTIFY_H

void notify_ready(const char *status);
void notify_status(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
