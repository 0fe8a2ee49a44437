/*
 * Ends reads that last too long. mg_read() of n bytes starts its time-out anew
 * with every byte, so a client that drips could hold a worker for hours, and
 * reading a byte at a time costs two system calls for each. Instead a worker
 * reads at once and names its deadline here; when that passes, the receiving
 * side of its socket is shut and the read returns.
 *
 * Private to gateway/http. Threads: add and remove on workers; one thread of
 * its own shuts the sockets. One mutex guards the list.
 */
#ifndef POSTERN_HTTP_WATCH_H
#define POSTERN_HTTP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct http_watch;

/* At most `reads_max` reads at a time: one a worker. */
enum err
http_watch_open(unsigned reads_max, struct http_watch **watch_r) MUST_USE;
void http_watch_close(struct http_watch *watch); /* NULL is fine */

/* Returns the place to give to http_watch_remove(), which must be called before
 * the socket is closed. */
unsigned
http_watch_add(struct http_watch *watch, int socket, int64_t deadline_us);

/* True: the deadline passed and the socket was shut for reading. */
bool http_watch_remove(struct http_watch *watch, unsigned place);

#endif
