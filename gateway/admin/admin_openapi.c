/*
 * Writes the OpenAPI document; see admin_openapi.h. Not here: serving it
 * (admin_openapi_handle.c), the schemas (admin_openapi_schema.c).
 */
#include "gateway/admin/admin_openapi.h"

#include <string.h>

#include "common/json_text.h"
#include "gateway/admin/admin_openapi_schema.h"

#define API "/api/v1/configuration"

/* Copies of the table as text. Columns that only the compiler understands are
 * spelled as they are in the table. */
static const struct openapi_route {
	const char *name, *method, *path, *access, *query, *request, *response;
	int status;
	const char *doc;
} routes[] = {
#define ADMIN_QUERY(name, type, doc)
#define ADMIN_ROUTE(name, method, path, access, body_max, query, request, \
    response, status, handler, doc)                                       \
	{name, #method, path, #access, query, #request, #response, status, doc},
#include "gateway/admin/admin_routes.def"
#undef ADMIN_ROUTE
#undef ADMIN_QUERY
};

static const struct openapi_query {
	const char *name, *type, *doc;
} queries[] = {
#define ADMIN_QUERY(name, type, doc) {#name, type, doc},
#define ADMIN_ROUTE(name, method, path, access, body_max, query, request, \
    response, status, handler, doc)
#include "gateway/admin/admin_routes.def"
#undef ADMIN_ROUTE
#undef ADMIN_QUERY
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void
append_text(struct buf *out, bool *first, const char *key, const char *text)
{
	json_append_member_str(out, first, key, span_str(text));
}

/* "HTTP_GET" as "get". */
static void
append_lower(struct buf *out, const char *method)
{
	for (method += strlen("HTTP_"); *method != '\0'; method++)
		buf_append_char(out, (char)(*method - 'A' + 'a'));
}

/* ---- parameters --------------------------------------------------------- */

static void
append_parameter(struct buf *out, bool *first, const char *in, struct span name,
    const char *type, const char *doc)
{
	bool member = true;

	if (!*first)
		buf_append_char(out, ',');
	*first = false;
	buf_append_char(out, '{');
	json_append_member_str(out, &member, "name", name);
	append_text(out, &member, "in", in);
	json_append_member_raw(out, &member, "required",
	    span_str(strcmp(in, "path") == 0 ? "true" : "false"));
	if (doc != NULL)
		append_text(out, &member, "description", doc);
	buf_printf(out, ",\"schema\":{%s}}", type);
}

static void
append_path_parameters(struct buf *out, bool *first, const char *path)
{
	const char *open, *close;

	for (; (open = strchr(path, '{')) != NULL; path = close) {
		close = strchr(open, '}');
		append_parameter(out, first, "path",
		    span_of(open + 1, (size_t)(close - open - 1)), OAS_TEXT,
		    NULL);
	}
}

static void
append_query_parameters(struct buf *out, bool *first, const char *names)
{
	size_t len;

	for (; *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		for (size_t i = 0; i < COUNT(queries); i++)
			if (span_is(span_of(names, len), queries[i].name))
				append_parameter(out, first, "query",
				    span_of(names, len), queries[i].type,
				    queries[i].doc);
	}
}

static bool
takes_if_match(const struct openapi_route *route)
{
	return strcmp(route->method, "HTTP_PATCH") == 0 ||
	       strcmp(route->method, "HTTP_DELETE") == 0;
}

static void
append_parameters(struct buf *out, const struct openapi_route *route)
{
	bool first = true;

	buf_append_str(out, ",\"parameters\":[");
	append_path_parameters(out, &first, route->path);
	append_query_parameters(out, &first, route->query);
	if (takes_if_match(route))
		append_parameter(out, &first, "header", span_str("If-Match"),
		    OAS_TEXT,
		    "the ETag that was read; refused with 412 if it "
		    "is another now");
	buf_append_char(out, ']');
}

/* ---- bodies ------------------------------------------------------------- */

static bool
is_none(const char *shape)
{
	return strcmp(shape, "None") == 0;
}

static void
append_content(struct buf *out, const char *shape)
{
	const char *type = "application/json";

	if (strcmp(shape, "Text") == 0)
		type = "text/plain";
	if (strcmp(shape, "File") == 0)
		type = "application/vnd.sqlite3";
	if (strcmp(shape, "MergePatch") == 0)
		shape = "Any";
	buf_printf(out,
	    "\"content\":{\"%s\":{\"schema\":{"
	    "\"$ref\":\"#/components/schemas/%s\"}}}",
	    type, shape);
}

static void
append_request(struct buf *out, const struct openapi_route *route)
{
	if (is_none(route->request))
		return;
	buf_append_str(out, ",\"requestBody\":{");
	if (strcmp(route->request, "MergePatch") == 0)
		buf_append_str(out,
		    "\"description\":\"RFC 7396 merge patch of what GET "
		    "answers\",");
	append_content(out, route->request);
	buf_append_char(out, '}');
}

static void
append_answer(struct buf *out, bool *first, int status, const char *description,
    const char *shape)
{
	bool member = true;

	buf_printf(out, "%s\"%d\":{", *first ? "" : ",", status);
	*first = false;
	append_text(out, &member, "description", description);
	if (!is_none(shape)) {
		buf_append_char(out, ',');
		append_content(out, shape);
	}
	buf_append_char(out, '}');
}

static void
append_answers(struct buf *out, const struct openapi_route *route)
{
	bool first = true;

	buf_append_str(out, ",\"responses\":{");
	if (route->status == 204) {
		append_answer(out, &first, 204, "Done.", "None");
		if (!is_none(route->response))
			append_answer(out, &first, 200,
			    "Done, and something to show.", route->response);
	} else {
		append_answer(
		    out, &first, route->status, "Done.", route->response);
	}
	buf_append_str(
	    out, ",\"default\":{\"$ref\":\"#/components/responses/Error\"}}");
}

/* ---- operations --------------------------------------------------------- */

static void
append_access(struct buf *out, const struct openapi_route *route)
{
	if (strcmp(route->access, "OPEN") == 0)
		buf_append_str(out, ",\"security\":[]");
	else
		buf_printf(out, ",\"x-scope\":\"%s\"",
		    strcmp(route->access, "ADMIN") == 0 ? "admin" : "config");
}

static void
append_operation(struct buf *out, const struct openapi_route *route)
{
	bool first = true;

	buf_append_char(out, '"');
	append_lower(out, route->method);
	buf_append_str(out, "\":{\"operationId\":\"");
	append_lower(out, route->method);
	buf_printf(out, "_%s\",", route->name);
	append_text(out, &first, "summary", route->doc);
	append_access(out, route);
	append_parameters(out, route);
	append_request(out, route);
	append_answers(out, route);
	buf_append_char(out, '}');
}

/* Whether a row before `at` has its path: then it was written there. */
static bool
was_written(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(routes[i].path, routes[at].path) == 0)
			return true;
	return false;
}

static void
append_path(struct buf *out, size_t at)
{
	bool first = true;

	json_append_string(out, span_str(routes[at].path));
	buf_append_str(out, ":{");
	for (size_t i = at; i < COUNT(routes); i++) {
		if (strcmp(routes[i].path, routes[at].path) != 0)
			continue;
		if (!first)
			buf_append_char(out, ',');
		first = false;
		append_operation(out, &routes[i]);
	}
	buf_append_char(out, '}');
}

void
admin_openapi_append(struct buf *out)
{
	buf_append_str(out,
	    "{\"openapi\":\"3.1.0\",\"info\":{"
	    "\"title\":\"Postern configuration API\",\"version\":\"1\","
	    "\"description\":\"The admin listener. Made from its table of "
	    "routes.\"},\"servers\":[{\"url\":\"/\"}],"
	    "\"security\":[{\"basic\":[]}],\"paths\":{");
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (was_written(i))
			continue;
		if (i > 0)
			buf_append_char(out, ',');
		append_path(out, i);
	}
	buf_append_str(out,
	    "},\"components\":{\"securitySchemes\":{\"basic\":{"
	    "\"type\":\"http\",\"scheme\":\"basic\",\"description\":"
	    "\"id and secret of an API client with the scope of "
	    "x-scope; admin includes config\"}},\"responses\":{\"Error\":{"
	    "\"description\":\"It was refused, or it failed.\",");
	append_content(out, "Error");
	buf_append_str(out, "}},\"schemas\":{");
	admin_openapi_schema_append(out);
	buf_append_str(out, "}}}");
}
