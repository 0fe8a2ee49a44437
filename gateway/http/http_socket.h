/*
 * The descriptors under civetweb's connections and listeners, which it hides.
 * Private to gateway/http. Threads: the worker that owns the connection.
 */
#ifndef POSTERN_HTTP_SOCKET_H
#define POSTERN_HTTP_SOCKET_H

#include <stdbool.h>

/*
 * The connected socket of this process with these ends; -1: none (the peer is
 * gone). The worker that serves the connection keeps it open meanwhile.
 */
int http_socket_find(const char *peer_address, int peer_port, int own_port);

/* The socket of this process that listens there; -1: none. */
int http_socket_find_listener(const char *address, int port);

/* True: that is where the descriptor listens. */
bool http_socket_listens_at(int fd, const char *address, int port);

/* Connections of this process to one of its listeners' ports, as far as their
 * peers are still there. */
unsigned http_socket_count(int own_port);

#endif
