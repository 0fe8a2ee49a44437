/*
 * The listening socket under civetweb: taken over from the process before,
 * left to the one after. Private to gateway/http.
 *
 * Threads: the one that opens and drains the server.
 */
#ifndef POSTERN_HTTP_GATE_H
#define POSTERN_HTTP_GATE_H

#include <stdbool.h>

#include "common/err.h"
#include "gateway/http/http.h"

struct http_gate {
	const char *name; /* among the kept sockets: the listener's */
	int taken;        /* kept by the service manager for us; -1: none */
	int fd;           /* civetweb's descriptor, from http_gate_open() on */
	bool is_kept;     /* the service manager has it too */
};

/* Takes the kept socket, if there is one for this address. */
void http_gate_take(
    struct http_gate *gate, const char *name, const struct http_listen *listen);

/* Puts the taken socket, if there is one, in the place of civetweb's own at
 * `listen`; has the service manager keep what now listens. */
enum err http_gate_open(struct http_gate *gate,
    const struct http_listen *listen, struct err_detail *detail) MUST_USE;

/* Only for a kept one: civetweb accepts no more. Who connects from now on
 * waits for the next process. False: it is not kept, all goes on. */
bool http_gate_shut(struct http_gate *gate);

#endif
