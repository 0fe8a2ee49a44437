/*
 * The route table's look-up. Paths are compared as they were sent: nothing is
 * decoded or cleaned, so "//", "%2F" and ".." are only text that matches
 * nothing. Runs on civetweb's workers.
 */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "gateway/http/http_route.h"

static const char *const method_names[] = {
    [HTTP_GET] = "GET",
    [HTTP_POST] = "POST",
    [HTTP_DELETE] = "DELETE",
    [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH",
};

static const char idp_segment[] = "{idp}";

/* `pattern` and `path` from their first "/" on. */
static bool
matches(const char *pattern, const char *path, struct span *idp_r)
{
	const size_t segment_len = sizeof idp_segment - 1;
	const char *hole = strstr(pattern, idp_segment);
	const char *rest;
	size_t before;

	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	before = (size_t)(hole - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	rest = path + before + strcspn(path + before, "/");
	if (rest == path + before || strcmp(rest, hole + segment_len) != 0)
		return false;
	*idp_r = span_of(path + before, (size_t)(rest - path) - before);
	return true;
}

static void
add_allowed(struct http_routing *routing, enum http_method method)
{
	size_t len = strlen(routing->allow);
	int written =
	    snprintf(routing->allow + len, sizeof routing->allow - len, "%s%s",
		len == 0 ? "" : ", ", method_names[method]);

	CHECK(written > 0 && (size_t)written < sizeof routing->allow - len);
}

void
http_route_find(const struct http_route *routes, size_t count,
    const char *method, const char *path, struct http_routing *routing_r)
{
	*routing_r = (struct http_routing){.match = HTTP_MATCH_NONE};
	for (size_t i = 0; i < count; i++) {
		const struct http_route *route = &routes[i];
		struct span idp = {NULL, 0};

		if (!matches(route->path, path, &idp))
			continue;
		if (strcmp(method_names[route->method], method) == 0) {
			routing_r->match = HTTP_MATCH_ROUTE;
			routing_r->route = route;
			routing_r->idp = idp;
			return;
		}
		routing_r->match = HTTP_MATCH_PATH;
		add_allowed(routing_r, route->method);
	}
}
