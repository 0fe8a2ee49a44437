/*
 * Which handler takes a request: an allow-list of methods and raw paths.
 * Private to gateway/http. Threads: any; a pure function.
 */
#ifndef POSTERN_HTTP_ROUTE_H
#define POSTERN_HTTP_ROUTE_H

#include "common/span.h"
#include "gateway/http/http.h"

/* Room for "GET, POST, DELETE, PUT, PATCH". */
#define HTTP_ALLOW_BYTES 40

enum http_match {
	HTTP_MATCH_NONE, /* no such path */
	HTTP_MATCH_PATH, /* the path, but not with this method */
	HTTP_MATCH_ROUTE
};

struct http_routing {
	enum http_match match;
	const struct http_route *route;          /* HTTP_MATCH_ROUTE */
	struct span segments[HTTP_SEGMENTS_MAX]; /* raw; absent: fewer */
	char allow[HTTP_ALLOW_BYTES];            /* HTTP_MATCH_PATH */
};

void http_route_find(const struct http_route *routes, size_t count,
    const char *method, const char *path, struct http_routing *routing_r);

#endif
