/*
 * The admin listener's table of routes as the HTTP server takes it; see
 * admin.h. Not here: who may (admin_auth.c), what any handler does.
 */
#include "gateway/admin/admin.h"

#include "common/check.h"
#include "gateway/admin/admin_auth.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/live_log.h"
#include "gateway/oauth/oauth.h"

#define API ADMIN_API

/* An empty body is fine for every method; GET and DELETE take no other. */
#define BODIES_OF(method)                                                 \
	((method) == HTTP_GET || (method) == HTTP_DELETE ? HTTP_BODY_NONE \
							 : HTTP_BODY_JSON)

static const struct http_route routes[] = {
#define ADMIN_QUERY(name, type, doc)
#define ADMIN_ROUTE(name, method, path, access, body_max, query, request, \
    response, status, handler, doc)                                       \
	{name, method, path, BODIES_OF(method), handler, body_max,        \
	    ADMIN_ACCESS_##access},
#include "gateway/admin/admin_routes.def"
#undef ADMIN_ROUTE
#undef ADMIN_QUERY
};

void
admin_fill(struct http_config *config, struct admin_context *context)
{
	config->body_max_bytes = ADMIN_BODY_MAX_BYTES;
	config->response_max_bytes = ADMIN_RESPONSE_MAX_BYTES;
	config->routes = routes;
	config->route_count = sizeof routes / sizeof routes[0];
	config->context = context;
	config->admit = admin_auth_admit;
	config->write_problem = admin_problem_write;
}

void
admin_stop(struct admin_context *context)
{
	live_log_stop(dispatch_live_log(context->dispatch));
}

const struct admin_caller *
admin_caller(const struct http_request *request)
{
	CHECK(request->caller != NULL);
	return request->caller;
}

struct event
admin_event_of(const struct http_request *request, enum event_type type)
{
	struct event event = event_of(request, type);

	event.client_id = span_str(admin_caller(request)->client_id);
	return event;
}

void
admin_event(const struct admin_context *admin,
    const struct http_request *request, enum event_type type, const char *idp,
    const char *detail)
{
	struct event event = admin_event_of(request, type);

	event.idp = idp;
	event.detail = detail;
	event_record(admin->oauth->events, &event);
}
