/*
 * Reading a request's body whole and in time.
 * Private to gateway/http. Threads: the worker that has the connection.
 */
#ifndef POSTERN_HTTP_BODY_H
#define POSTERN_HTTP_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct http_watch;
struct mg_connection;

/* `socket` is -1 at a connection's first body and then its descriptor, kept
 * by the caller for as long as the connection lasts. */

/* Reads exactly `len` bytes. ERR_TIMEOUT: not there by the deadline; ERR_LOST:
 * the peer went away. After either the connection can only be closed. */
enum err http_body_read(struct mg_connection *conn, struct http_watch *watch,
    int *socket, int64_t deadline_us, uint8_t *body_r, size_t len) MUST_USE;

/*
 * Reads and forgets what an already answered client still sends, for a little
 * while: closing a socket with unread bytes resets the connection, and the
 * client may then never see its answer.
 */
void http_body_discard(
    struct mg_connection *conn, struct http_watch *watch, int *socket);

#endif
