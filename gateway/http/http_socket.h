/*
 * The descriptors under civetweb's connections and listeners, which it hides.
 * Private to gateway/http. Threads: the worker that owns the connection.
 */
#ifndef POSTERN_HTTP_SOCKET_H
#define POSTERN_HTTP_SOCKET_H

/*
 * The connected socket of this process with these ends; -1: none (the peer is
 * gone). The worker that serves the connection keeps it open meanwhile.
 */
int http_socket_find(const char *peer_address, int peer_port, int own_port);

/* The socket of this process that listens there; -1: none. */
int http_socket_find_listener(const char *address, int port);

#endif
