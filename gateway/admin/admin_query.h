/*
 * A request's query, read by name. Threads: any.
 */
#ifndef POSTERN_ADMIN_QUERY_H
#define POSTERN_ADMIN_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/http/http.h"

/* Parses it; no query is an empty one. False: answered. */
bool admin_query_parse(const struct http_request *request,
    struct http_form *query_r, struct http_response *response);

/* A number from `min` to `max`; absent leaves the output alone. False:
 * answered. */
bool admin_query_number(const struct http_form *query, const char *name,
    uint64_t min, uint64_t max, uint64_t *number_r,
    struct http_response *response);

/* "true" or "false"; absent leaves the output alone. False: answered. */
bool admin_query_bool(const struct http_form *query, const char *name,
    bool *value_r, struct http_response *response);

/* What a page of a list starts after, and how many items it has. */
#define ADMIN_PAGE_DEFAULT 50
#define ADMIN_PAGE_MAX     200

struct admin_page {
	size_t limit;
	struct span after; /* absent: from the start */
};

/* limit and after. False: answered. */
bool admin_query_page(const struct http_request *request,
    struct admin_page *page_r, struct http_response *response);

#endif
