/*
 * What the service manager is told (sd_notify); no-ops without one.
 * Threads: any.
 */
#ifndef POSTERN_NOTIFY_H
#define POSTERN_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

void notify_ready(const char *status);
void notify_status(const char *status);
void notify_reloading(void);
void notify_stopping(void);

/* Within how long it wants to hear notify_alive() again; 0: it does not watch.
 * Say it three times as often, so that one late look is no death. */
int64_t notify_watchdog_us(void);
void notify_alive(void);

/*
 * A listening socket outlives its process in the service manager's store: who
 * connects meanwhile waits for the next process. `name` is its own there.
 * take: the kept socket, now ours to close; -1: there is none. keep: false
 * where nobody would keep it. (A unit also needs FileDescriptorStoreMax=.)
 * From one thread: who opens the listeners.
 */
int notify_socket_take(const char *name);
bool notify_socket_keep(int fd, const char *name);
void notify_socket_forget(const char *name);

#endif
