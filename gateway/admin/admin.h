/*
 * The admin listener's routes: health, metrics and the records of executions.
 *
 * Threads: the handlers run on the admin server's workers.
 */
#ifndef POSTERN_ADMIN_H
#define POSTERN_ADMIN_H

#include <stddef.h>

#include "gateway/http/http.h"

struct dispatch;
struct oauth;
struct store;

/* The `context` of the admin server's http_config. Borrowed, for as long as
 * that server runs. */
struct admin_context {
	struct dispatch *dispatch;
	struct store *store;
	const struct oauth *oauth; /* for API clients' credentials */
	const char *listen; /* the listener's ADDRESS:PORT; NULL: loopback */
};

/* Routes for http_config; they live for ever. */
const struct http_route *admin_routes(size_t *count_r);

#endif
