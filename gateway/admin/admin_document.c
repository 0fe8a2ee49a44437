/*
 * Scopes, properties, clients, API clients and identity providers, one
 * resource at a time: list, show, add, change, remove. Not what they may say
 * (gateway/config).
 */
#include <stdio.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/admin/admin_change.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"

/* The lists' names in paths. */
static const char *const collections[CONFIG_KINDS] = {
    [CONFIG_REALM] = "realm",
    [CONFIG_SCOPE] = "scopes",
    [CONFIG_PROPERTY] = "properties",
    [CONFIG_CLIENT] = "clients",
    [CONFIG_API_CLIENT] = "api-clients",
    [CONFIG_IDP] = "idps",
};

static void
answer_not_found(struct http_response *response, enum config_kind kind)
{
	char sentence[64]; /* the longest kind is "api-client" */

	(void)snprintf(sentence, sizeof sentence, "There is no such %s.",
	    config_kind_name(kind));
	admin_problem(response, ADMIN_NOT_FOUND, sentence);
}

/* ---- reading ------------------------------------------------------------ */

/* Whether `id` comes after `after` in the list's order (strcmp's). */
static bool
is_after(const char *id, struct span after)
{
	size_t len = strlen(id);
	size_t shared = len < after.len ? len : after.len;
	int order = shared == 0 ? 0 : memcmp(id, after.data, shared);

	return order != 0 ? order > 0 : len > after.len;
}

static void
append_page(struct buf *body, const struct config_document *documents,
    size_t count, const struct admin_page *page)
{
	const char *last = NULL;
	size_t at = 0, taken = 0;
	bool first = false;

	while (at < count && span_present(page->after) &&
	       !is_after(documents[at].id, page->after))
		at++;
	buf_append_str(body, "{\"items\":[");
	for (; at < count && taken < page->limit; at++, taken++) {
		if (taken > 0)
			buf_append_char(body, ',');
		buf_append_span(body, documents[at].json);
		last = documents[at].id;
	}
	buf_append_char(body, ']');
	json_append_member_str(body, &first, "next_after",
	    at < count ? span_str(last) : span_str(NULL));
	buf_append_char(body, '}');
}

static void
list(const struct admin_context *admin, enum config_kind kind,
    const struct http_request *request, struct http_response *response)
{
	const struct config_document *documents;
	const struct config_view *view;
	struct admin_page page;
	size_t count;

	if (!admin_query_page(request, &page, response))
		return;
	view = config_view_acquire(admin->config);
	documents = config_view_documents(view, kind, &count);
	append_page(&response->body, documents, count, &page);
	config_view_release(view);
}

static void
get(const struct admin_context *admin, enum config_kind kind,
    const struct http_request *request, struct http_response *response)
{
	const struct config_view *view = config_view_acquire(admin->config);
	const struct config_document *document = NULL;

	if (span_present(request->segments[0]))
		document =
		    config_view_document(view, kind, request->segments[0]);
	if (document != NULL) {
		buf_append_span(&response->body, document->json);
		response->etag =
		    admin_change_etag(document->etag, request->arena);
	} else {
		answer_not_found(response, kind);
	}
	config_view_release(view);
}

/* ---- changing ----------------------------------------------------------- */

/* {"id", "client_secret"?}: the only time that a secret is shown. */
static void
append_made(
    struct buf *body, struct span id, const struct config_outcome *outcome)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(body, &first, "id", id);
	if (outcome->made_count > 0)
		json_append_member_str(body, &first, "client_secret",
		    span_str(outcome->made[0].secret));
	buf_append_char(body, '}');
}

/* RFC 3986 section 2.3: what needs no escape. */
static bool
is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

/* NULL: no memory; the answer then goes without it. */
static const char *
location_of(enum config_kind kind, const char *id, struct arena *arena)
{
	const char *location = NULL;
	struct buf path;

	buf_init(&path, sizeof ADMIN_API + 32 + 3 * strlen(id));
	buf_printf(&path, ADMIN_API "/%s/", collections[kind]);
	for (; *id != '\0'; id++) {
		if (is_unreserved(*id))
			buf_append_char(&path, *id);
		else
			buf_printf(&path, "%%%02X", (unsigned char)*id);
	}
	if (buf_status(&path) == OK)
		location = arena_copy_str(arena, buf_span(&path));
	buf_fini(&path);
	return location;
}

static void
create(const struct admin_context *admin, enum config_kind kind,
    const struct http_request *request, struct http_response *response)
{
	struct admin_change change;
	const char *id = NULL;
	enum err err;

	if (!admin_change_begin(&change, admin, request, response))
		return;
	change.request.etag = NULL; /* there is nothing yet to match */
	err = config_create(admin->config, &change.request, kind, request->body,
	    &id, &change.outcome, &change.detail);
	if (err == OK) {
		response->status = 201;
		response->location = location_of(kind, id, request->arena);
		response->etag =
		    admin_change_etag(change.outcome.etag, request->arena);
		append_made(&response->body, span_str(id), &change.outcome);
	} else {
		admin_change_fail(&change, err, response);
	}
	admin_change_end(&change);
}

static void
patch(const struct admin_context *admin, enum config_kind kind,
    const struct http_request *request, struct http_response *response)
{
	struct span id = request->segments[0];
	struct admin_change change;
	enum err err;

	if (!span_present(id)) {
		answer_not_found(response, kind);
		return;
	}
	if (!admin_change_begin(&change, admin, request, response))
		return;
	err = config_patch(admin->config, &change.request, kind, id,
	    request->body, &change.outcome, &change.detail);
	if (err == OK) {
		response->etag =
		    admin_change_etag(change.outcome.etag, request->arena);
		if (change.outcome.made_count > 0)
			append_made(&response->body, id, &change.outcome);
		else
			response->status = 204;
	} else {
		admin_change_fail(&change, err, response);
	}
	admin_change_end(&change);
}

static void
fail_delete(const struct admin_change *change, enum err err,
    struct http_response *response)
{
	const struct config_problems *problems = &change->outcome.problems;

	/* The realm without it would have dangling references. */
	if (err == ERR_INVALID && problems->mistakes > 0)
		admin_problem_details(response, ADMIN_IN_USE, NULL, problems);
	else
		admin_change_fail(change, err, response);
}

static void delete (const struct admin_context *admin, enum config_kind kind,
    const struct http_request *request, struct http_response *response)
{
	struct span id = request->segments[0];
	struct admin_change change;
	enum err err;

	if (!span_present(id)) {
		answer_not_found(response, kind);
		return;
	}
	if (!admin_change_begin(&change, admin, request, response))
		return;
	err = config_delete(admin->config, &change.request, kind, id,
	    &change.outcome, &change.detail);
	if (err == OK)
		response->status = 204;
	else
		fail_delete(&change, err, response);
	admin_change_end(&change);
}

/* ---- handlers ----------------------------------------------------------- */

#define HANDLER(resource, kind, operation)                          \
	void admin_##resource##_##operation##_handle(void *context, \
	    const struct http_request *request,                     \
	    struct http_response *response)                         \
	{                                                           \
		operation(context, kind, request, response);        \
	}

#define HANDLERS(resource, kind)        \
	HANDLER(resource, kind, list)   \
	HANDLER(resource, kind, get)    \
	HANDLER(resource, kind, create) \
	HANDLER(resource, kind, patch)  \
	HANDLER(resource, kind, delete)

HANDLERS(scope, CONFIG_SCOPE)
HANDLERS(property, CONFIG_PROPERTY)
HANDLERS(client, CONFIG_CLIENT)
HANDLERS(api_client, CONFIG_API_CLIENT)
HANDLERS(idp, CONFIG_IDP)
