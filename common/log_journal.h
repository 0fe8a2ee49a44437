/*
 * Log lines as the journal's own entries: a field for each value, so that
 * `journalctl POSTERN_CORRELATION_ID=...` finds them. Private to common/log.c.
 *
 * It is the journal's native protocol, a datagram of lines NAME=value
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL), spoken here rather than by libsystemd:
 * the runner has the log too and must not link that.
 *
 * Threads: any, after log_journal_open().
 */
#ifndef POSTERN_LOG_JOURNAL_H
#define POSTERN_LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* False: there is no journal at `path`. */
bool log_journal_open(const char *path);

/* False: not open, or it did not take the entry. */
bool log_journal_send(const char *entry, size_t len);

#endif
