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

static size_t
segment_len(const char *text)
{
	return strcspn(text, "/");
}

/* One segment of each, without their "/". */
static bool
segment_matches(struct span pattern, struct span path,
    struct span segments[HTTP_SEGMENTS_MAX], size_t *count)
{
	if (pattern.len == 0 || pattern.data[0] != '{')
		return span_equal(pattern, path);
	CHECK(*count < HTTP_SEGMENTS_MAX);
	segments[(*count)++] = path;
	return path.len > 0;
}

/* `pattern` and `path` from their first "/" on. */
static bool
matches(const char *pattern, const char *path,
    struct span segments[HTTP_SEGMENTS_MAX])
{
	size_t count = 0;

	while (*pattern == '/' && *path == '/') {
		struct span of_pattern =
		    span_of(pattern + 1, segment_len(pattern + 1));
		struct span of_path = span_of(path + 1, segment_len(path + 1));

		if (!segment_matches(of_pattern, of_path, segments, &count))
			return false;
		pattern += 1 + of_pattern.len;
		path += 1 + of_path.len;
	}
	return *pattern == '\0' && *path == '\0';
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
		struct span segments[HTTP_SEGMENTS_MAX] = {{NULL, 0}};

		if (!matches(route->path, path, segments))
			continue;
		if (strcmp(method_names[route->method], method) == 0) {
			routing_r->match = HTTP_MATCH_ROUTE;
			routing_r->route = route;
			memcpy(routing_r->segments, segments, sizeof segments);
			return;
		}
		routing_r->match = HTTP_MATCH_PATH;
		add_allowed(routing_r, route->method);
	}
}
