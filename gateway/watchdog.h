/*
 * The gateway as its service manager's watchdog sees it.
 */
#ifndef POSTERN_WATCHDOG_H
#define POSTERN_WATCHDOG_H

#include "common/err.h"

struct dispatch;
struct http_server;

/* A listener, and what of it anybody may GET. */
struct watchdog_listener {
	const struct http_server *server;
	const char *listen; /* ADDRESS:PORT */
	const char *path;
};

/* Process lifetime, filled by the gateway. */
struct watchdog {
	struct watchdog_listener listeners[2];
	struct dispatch *dispatch;
};

/*
 * Where a service manager watches: starts the thread that tells it "alive" as
 * long as each listener answers a request and the engines' listener answers
 * its own. Where none watches, nothing. Not for readiness: a gateway without a
 * writable store or an engine is alive, and starting it anew would not help.
 */
enum err
watchdog_start(struct watchdog *watchdog, struct err_detail *detail) MUST_USE;

#endif
