/*
 * The realm as a whole: its settings, its export, plan and apply. Not single
 * resources (admin_document.c).
 */
#include <jansson.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_change.h"
#include "gateway/admin/admin_problem.h"

/* ---- reading ------------------------------------------------------------ */

static void
append_bool(struct buf *out, bool *first, const char *key, bool value)
{
	json_append_member_raw(
	    out, first, key, span_str(value ? "true" : "false"));
}

void
admin_realm_get_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const struct config_view *view = config_view_acquire(admin->config);
	const struct config_document *document =
	    config_view_document(view, CONFIG_REALM, span_str(""));
	struct buf *body = &response->body;
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "revision", span_str(config_view_revision(view)));
	append_bool(
	    body, &first, "read_only", config_is_read_only(admin->config));
	json_append_member_raw(body, &first, "settings",
	    document != NULL ? document->json : span_str("{}"));
	buf_append_char(body, '}');
	if (document != NULL)
		response->etag =
		    admin_change_etag(document->etag, request->arena);
	config_view_release(view);
}

void
admin_realm_export_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const struct config_view *view = config_view_acquire(admin->config);
	const char *revision = config_view_revision(view);
	struct buf *body = &response->body;
	const struct config_file *files;
	bool first = true;
	size_t count;

	files = config_view_files(view, &count);
	buf_append_char(body, '{');
	json_append_member_str(body, &first, "revision", span_str(revision));
	json_append_key(body, &first, "files");
	buf_append_char(body, '{');
	first = true;
	for (size_t i = 0; i < count; i++)
		json_append_member_str(
		    body, &first, files[i].path, files[i].text);
	buf_append_str(body, "}}");
	response->etag = admin_change_etag(revision, request->arena);
	config_view_release(view);
}

/* ---- settings ----------------------------------------------------------- */

void
admin_realm_patch_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct admin_change change;
	enum err err;

	if (!admin_change_begin(&change, admin, request, response))
		return;
	err = config_patch(admin->config, &change.request, CONFIG_REALM,
	    span_str(""), request->body, &change.outcome, &change.detail);
	if (err == OK) {
		response->status = 204;
		response->etag =
		    admin_change_etag(change.outcome.etag, request->arena);
	} else {
		admin_change_fail(&change, err, response);
	}
	admin_change_end(&change);
}

/* ---- files -------------------------------------------------------------- */

/* What the body of a plan or an apply says. Borrowed from the tree. */
struct asked {
	json_t *body;
	struct config_file *files; /* in the request's arena */
	size_t count;
	const char *revision;
	const char *why;
	bool dry_run;
};

static bool
refuse(struct http_response *response, const char *sentence)
{
	admin_problem(response, ADMIN_INVALID, sentence);
	return false;
}

static bool
read_files(struct asked *asked, const struct http_request *request,
    struct http_response *response)
{
	json_t *files = json_object_get(asked->body, "files"), *text;
	const char *path;

	if (!json_is_object(files))
		return refuse(
		    response, "files must be an object: path to text.");
	asked->files = arena_alloc(
	    request->arena, json_object_size(files) * sizeof asked->files[0]);
	if (asked->files == NULL)
		return refuse(response, "There are too many files.");
	json_object_foreach (files, path, text) {
		if (!json_is_string(text))
			return refuse(response, "A file must be text.");
		asked->files[asked->count++] = (struct config_file){path,
		    span_of(json_string_value(text), json_string_length(text))};
	}
	return true;
}

static bool
read_asked(struct asked *asked, const struct http_request *request,
    const char *const *names, struct http_response *response)
{
	*asked = (struct asked){.body = admin_body_parse(request, response)};
	return asked->body != NULL &&
	       admin_body_has_only(asked->body, names, response) &&
	       admin_body_text(
		   asked->body, "revision", &asked->revision, response) &&
	       admin_body_text(asked->body, "why", &asked->why, response) &&
	       admin_body_bool(
		   asked->body, "dry_run", &asked->dry_run, response) &&
	       read_files(asked, request, response);
}

/* ---- plan --------------------------------------------------------------- */

static void
append_planned(struct buf *body, const struct config_change *change)
{
	bool first = true;

	buf_append_char(body, '{');
	admin_change_append(body, &first, change);
	json_append_member_str(body, &first, "before", change->before);
	json_append_member_str(body, &first, "after", change->after);
	append_bool(body, &first, "secret", change->secret);
	append_bool(body, &first, "admin", change->admin);
	buf_append_char(body, '}');
}

static void
append_applied(struct buf *body, const struct config_change *change)
{
	bool first = true;

	buf_append_char(body, '{');
	admin_change_append(body, &first, change);
	buf_append_char(body, '}');
}

static void
append_changes(struct buf *body, bool *first,
    const struct config_outcome *outcome,
    void (*append)(struct buf *body, const struct config_change *change))
{
	json_append_key(body, first, "changes");
	buf_append_char(body, '[');
	for (size_t i = 0; i < outcome->change_count; i++) {
		if (i > 0)
			buf_append_char(body, ',');
		append(body, &outcome->changes[i]);
	}
	buf_append_char(body, ']');
}

static void
answer_plan(struct buf *body, const struct config_outcome *outcome)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "revision", span_str(outcome->revision));
	append_changes(body, &first, outcome, append_planned);
	admin_problem_append_warnings(body, &first, &outcome->problems);
	buf_append_char(body, '}');
}

static void
plan(const struct admin_context *admin, const struct http_request *request,
    const struct asked *asked, struct http_response *response)
{
	struct admin_change change;
	enum err err;

	if (!admin_change_begin(&change, admin, request, response))
		return;
	/* Looking at what would change needs no more than an export does. */
	change.request.admin = true;
	change.request.dry_run = true;
	change.request.etag = NULL;
	change.request.event = NULL;
	err = config_apply(admin->config, &change.request, asked->files,
	    asked->count, &change.outcome, &change.detail);
	if (err == OK)
		answer_plan(&response->body, &change.outcome);
	else
		admin_change_fail(&change, err, response);
	admin_change_end(&change);
}

void
admin_realm_plan_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	static const char *const names[] = {"files", NULL};
	struct asked asked;

	if (read_asked(&asked, request, names, response))
		plan(context, request, &asked, response);
	json_decref(asked.body);
}

/* ---- apply -------------------------------------------------------------- */

/* An API client and a client may have one id: then the API client's is told
 * apart by its folder. */
static bool
is_shared_id(const struct config_outcome *outcome, size_t at)
{
	for (size_t i = 0; i < outcome->made_count; i++)
		if (i != at && strcmp(outcome->made[i].client_id,
				   outcome->made[at].client_id) == 0)
			return true;
	return false;
}

static void
append_secrets(
    struct buf *body, bool *first, const struct config_outcome *outcome)
{
	bool first_secret = true;

	json_append_key(body, first, "secrets");
	buf_append_char(body, '{');
	for (size_t i = 0; i < outcome->made_count; i++) {
		const struct config_made_secret *made = &outcome->made[i];
		const char *folder = strcmp(made->kind, "api_client") == 0 &&
					     is_shared_id(outcome, i)
					 ? "api-clients/"
					 : "";
		char key[160]; /* a client id has up to 128 characters */

		(void)snprintf(
		    key, sizeof key, "%s%s", folder, made->client_id);
		json_append_member_str(
		    body, &first_secret, key, span_str(made->secret));
	}
	buf_append_char(body, '}');
}

static void
answer_apply(struct buf *body, const struct config_outcome *outcome)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "revision", span_str(outcome->revision));
	append_changes(body, &first, outcome, append_applied);
	admin_problem_append_warnings(body, &first, &outcome->problems);
	append_secrets(body, &first, outcome);
	buf_append_char(body, '}');
}

static void
apply(const struct admin_context *admin, const struct asked *asked,
    struct admin_change *change, struct http_response *response)
{
	enum err err;

	/* The tag of an export is its revision. */
	change->request.revision =
	    asked->revision != NULL ? asked->revision : change->request.etag;
	change->request.etag = NULL;
	change->request.dry_run = asked->dry_run;
	err = config_apply(admin->config, &change->request, asked->files,
	    asked->count, &change->outcome, &change->detail);
	if (err == OK)
		answer_apply(&response->body, &change->outcome);
	else
		admin_change_fail(change, err, response);
}

void
admin_realm_apply_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	static const char *const names[] = {
	    "files", "revision", "why", "dry_run", NULL};
	struct admin_change change;
	struct asked asked;

	if (read_asked(&asked, request, names, response) &&
	    admin_change_begin(&change, context, request, response)) {
		if (admin_change_why(&change, span_str(asked.why), response))
			apply(context, &asked, &change, response);
		admin_change_end(&change);
	}
	json_decref(asked.body);
}
