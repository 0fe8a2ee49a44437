/*
 * The admin listener: health, metrics and the configuration API, one table of
 * routes (admin_routes.def). Not what configuration is (gateway/config).
 *
 * A handler runs once Host, Cookie, method, type, size, credentials and scope
 * are known to be right, on one of the admin server's workers (100 KB of
 * stack); it answers, and may block.
 */
#ifndef POSTERN_ADMIN_H
#define POSTERN_ADMIN_H

#include "gateway/config/config.h"
#include "gateway/http/http.h"
#include "gateway/oauth/event.h"

struct dispatch;
struct oauth;
struct store;

/* Of a request; of one that carries a whole realm. */
#define ADMIN_BODY_MAX_BYTES  ((size_t)1 << 20)
#define ADMIN_REALM_MAX_BYTES ((size_t)32 << 20)

/* A realm at its limit with every byte escaped twice over is beyond it, and
 * then an export fails; no text of people comes near. */
#define ADMIN_RESPONSE_MAX_BYTES ((size_t)96 << 20)

/* The `context` of the admin server's http_config. Borrowed, for as long as
 * that server runs. */
struct admin_context {
	struct dispatch *dispatch;
	struct store *store;
	const struct oauth *oauth; /* API clients' credentials, events */
	struct config *config;
	const char *listen; /* the listener's ADDRESS:PORT; NULL: loopback */
	int64_t started_at; /* wall-clock seconds */
	/* Rotates the signing keys and records `event`; ERR_STATE: too soon. */
	enum err (*rotate_keys)(void *user, const struct event *event,
	    bool forced, struct err_detail *detail);
	void *user; /* of rotate_keys */
};

/* Where the configuration API is. */
#define ADMIN_API "/api/v1/configuration"

/* Routes, access rules, limits and the form of errors. */
void admin_fill(struct http_config *config, struct admin_context *context);

/* Long polls end: before the server is drained. */
void admin_stop(struct admin_context *context);

/* ---- for handlers ---------------------------------------------------------
 */

/* Bits of http_route.access. */
enum admin_access {
	ADMIN_ACCESS_OPEN,
	ADMIN_ACCESS_CONFIG,
	ADMIN_ACCESS_ADMIN
};

/* Who asks; in the request's arena. */
struct admin_caller {
	const char *client_id;
	bool is_admin;
};

/* Not of an OPEN route. */
const struct admin_caller *admin_caller(const struct http_request *request);

/* An event about what the caller did. */
struct event
admin_event_of(const struct http_request *request, enum event_type type);

/* Records one; `idp` and `detail` may be NULL. */
void admin_event(const struct admin_context *admin,
    const struct http_request *request, enum event_type type, const char *idp,
    const char *detail);

/* ---- handlers --------------------------------------------------------------
 */

#define ADMIN_QUERY(name, type, doc)
#define ADMIN_ROUTE(name, method, path, access, body_max, query, request, \
    response, status, handler, doc)                                       \
	http_handler handler;
#include "gateway/admin/admin_routes.def"
#undef ADMIN_ROUTE
#undef ADMIN_QUERY

#endif
