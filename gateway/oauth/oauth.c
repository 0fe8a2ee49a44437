/*
 * The route table of the public listener; see oauth.h. One file an endpoint
 * has the handlers.
 */
#include "gateway/oauth/oauth.h"

static const struct http_route routes[] = {
#define ROUTE(name, method, path, bodies, handler, caller, doc) \
	{name, method, path, bodies, handler, 0, 0},
#include "gateway/oauth/routes.def"
#undef ROUTE
};

const struct http_route *
oauth_routes(size_t *count_r)
{
	*count_r = sizeof routes / sizeof routes[0];
	return routes;
}

const char *
oauth_issuer(const struct oauth *oauth, const struct realm *realm)
{
	return realm->issuer != NULL ? realm->issuer : oauth->default_issuer;
}
