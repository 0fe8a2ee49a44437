/*
 * Releases over HTTP: list, show, draft, compare, publish, roll back. Not what
 * these do (gateway/config/config_release.h); shadow runs (admin_shadow.c).
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_change.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"
#include "gateway/admin/admin_release.h"
#include "gateway/config/release_diff.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/shadow.h"
#include "gateway/realm/release.h"

/* A reason is a sentence or two. */
#define WHY_BYTES 500

/* Every line of two releases, and what a diff puts around them. */
#define DIFF_BYTES ((size_t)8 << 20)

/* The settings of a draft: twelve numbers. */
#define SETTINGS_BYTES ((size_t)4096)

#define HASH_CHARS (2 * DIGEST_BYTES)

/* ---- for all ------------------------------------------------------------- */

static struct config_releases
releases_of(const struct admin_context *admin)
{
	return (struct config_releases){admin->config, admin->store};
}

const char *
admin_release_idp(const struct admin_context *admin,
    const struct http_request *request, struct http_response *response)
{
	const struct config_view *view = config_view_acquire(admin->config);
	struct span id = request->segments[0];
	const struct config_document *document =
	    span_present(id) ? config_view_document(view, CONFIG_IDP, id)
			     : NULL;
	const char *idp = NULL;

	if (document != NULL)
		idp = arena_strdup(request->arena, document->id);
	config_view_release(view);
	if (document == NULL)
		admin_problem(response, ADMIN_NOT_FOUND,
		    "There is no such identity provider.");
	else if (idp == NULL)
		admin_problem(response, ADMIN_UNAVAILABLE, NULL);
	return idp;
}

static bool
find_named(const struct admin_context *admin, const char *idp, struct span name,
    const struct http_request *request, struct http_response *response,
    struct store_release_row *row_r)
{
	enum err err = span_present(name)
			   ? config_release_find(
				 admin->store, idp, name, request->arena, row_r)
			   : ERR_NOT_FOUND;

	if (err == OK)
		return true;
	if (err == ERR_NOT_FOUND)
		admin_problem(response, ADMIN_NOT_FOUND,
		    "There is no such release: give its hash, the first 8 or "
		    "more digits of it, or live.");
	else if (err == ERR_INVALID)
		admin_problem(response, ADMIN_INVALID,
		    "Several releases begin with these digits.");
	else
		admin_problem_err(response, err, NULL);
	return false;
}

bool
admin_release_find(const struct admin_context *admin, const char *idp,
    const struct http_request *request, struct http_response *response,
    struct store_release_row *row_r)
{
	return find_named(
	    admin, idp, request->segments[1], request, response, row_r);
}

struct release *
admin_release_load(const struct admin_context *admin,
    const uint8_t hash[DIGEST_BYTES], struct http_response *response)
{
	struct release *release = NULL;
	enum err err = config_release_load(admin->store, hash, &release);

	if (err != OK)
		admin_problem_err(response, err, NULL);
	return release;
}

void
admin_release_append_hash(struct buf *out, bool *first, const char *key,
    const uint8_t hash[DIGEST_BYTES])
{
	json_append_key(out, first, key);
	buf_append_char(out, '"');
	hex_append_lower(out, span_of(hash, DIGEST_BYTES));
	buf_append_char(out, '"');
}

static const char *
etag_of(const struct store_release_row *row, struct arena *arena)
{
	char etag[CONFIG_RELEASE_ETAG_CHARS + 1];

	config_release_etag(row, etag);
	return admin_change_etag(etag, arena);
}

/* A draft that is none any more. */
static void
end_shadow(const struct admin_context *admin, const char *idp,
    const uint8_t hash[DIGEST_BYTES])
{
	(void)!shadow_stop(dispatch_shadow(admin->dispatch), idp, hash);
}

/* ---- reading ------------------------------------------------------------- */

static const char *
state_name(enum store_release_state state)
{
	static const char *const names[] = {"draft", "live", "past"};

	return names[state];
}

/* The members of an open object. */
static void
append_row(struct buf *out, bool *first, const struct store_release_row *row)
{
	json_append_member_int(out, first, "number", (int64_t)row->number);
	admin_release_append_hash(out, first, "release", row->hash);
	json_append_member_str(
	    out, first, "state", span_str(state_name(row->state)));
	json_append_member_raw(out, first, "rollback",
	    span_str(store_release_is_rollback(row) ? "true" : "false"));
	json_append_member_int(out, first, "created_at", row->created_at);
	json_append_member_str(
	    out, first, "created_by", span_str(row->created_by));
	json_append_member_str(
	    out, first, "created_why", span_str(row->created_why));
	if (row->published_at == 0)
		json_append_member_raw(
		    out, first, "published_at", span_str("null"));
	else
		json_append_member_int(
		    out, first, "published_at", row->published_at);
	json_append_member_str(
	    out, first, "published_by", span_str(row->published_by));
	json_append_member_str(
	    out, first, "published_why", span_str(row->published_why));
}

struct list {
	struct buf *body;
	size_t limit;
	size_t count;
	uint64_t last; /* of those shown */
};

static void
list_row(void *user, const struct store_release_row *row)
{
	struct list *list = user;
	bool first = true;

	if (list->count++ >= list->limit)
		return;
	if (list->count > 1)
		buf_append_char(list->body, ',');
	buf_append_char(list->body, '{');
	append_row(list->body, &first, row);
	buf_append_char(list->body, '}');
	list->last = row->number;
}

/* False: answered. */
static bool
read_after(
    struct span after, uint64_t *number_r, struct http_response *response)
{
	uint64_t number = 0;
	bool fine = after.len > 0 && after.len <= 18;

	for (size_t i = 0; fine && i < after.len; i++) {
		fine = after.data[i] >= '0' && after.data[i] <= '9';
		number = number * 10 + (uint64_t)(after.data[i] - '0');
	}
	*number_r = number;
	if (!fine || number == 0)
		admin_problem(response, ADMIN_INVALID,
		    "after must be the number of a release.");
	return fine && number > 0;
}

void
admin_release_list_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct list list = {.body = &response->body};
	struct admin_page page;
	uint64_t before = 0;
	enum err err;

	if (idp == NULL || !admin_query_page(request, &page, response) ||
	    (span_present(page.after) &&
		!read_after(page.after, &before, response)))
		return;
	list.limit = page.limit;
	buf_append_str(list.body, "{\"items\":[");
	/* One more than is shown tells whether there is a next page. */
	err = store_release_each(admin->store, idp, before,
	    (unsigned)page.limit + 1, list_row, &list);
	if (list.count > list.limit)
		buf_printf(
		    list.body, "],\"next_after\":\"%" PRIu64 "\"}", list.last);
	else
		buf_append_str(list.body, "],\"next_after\":null}");
	if (err != OK)
		admin_problem_err(response, err, NULL);
}

static void
append_content(struct buf *out, bool *first, const struct release *release)
{
	bool first_setting = true, first_script = true;

	json_append_key(out, first, "settings");
	buf_append_char(out, '{');
	for (size_t i = 0; i < RELEASE_LIMITS; i++)
		json_append_member_int(out, &first_setting,
		    release_limit_key(i), release_limit(&release->limits, i));
	buf_append_char(out, '}');
	json_append_key(out, first, "scripts");
	buf_append_char(out, '{');
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		const struct realm_script *script = release->scripts[kind];

		json_append_member_str(out, &first_script,
		    script_kind_name((enum script_kind)kind),
		    script == NULL ? span_str(NULL) : script->source);
	}
	buf_append_char(out, '}');
}

void
admin_release_get_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct buf *body = &response->body;
	struct store_release_row row;
	struct release *release;
	bool first = true;

	if (idp == NULL ||
	    !admin_release_find(admin, idp, request, response, &row))
		return;
	release = admin_release_load(admin, row.hash, response);
	if (release == NULL)
		return;
	buf_append_char(body, '{');
	append_row(body, &first, &row);
	append_content(body, &first, release);
	buf_append_char(body, '}');
	response->etag = etag_of(&row, request->arena);
	free(release);
}

/* ---- comparing ----------------------------------------------------------- */

static void
answer_diff(const struct release *from, const struct release *to,
    struct http_response *response)
{
	struct buf *body = &response->body;
	bool first = true;
	struct buf diff;
	enum err err;

	buf_init(&diff, DIFF_BYTES);
	err = release_diff(from, to, &diff);
	if (err == OK) {
		buf_append_char(body, '{');
		admin_release_append_hash(body, &first, "against", from->hash);
		admin_release_append_hash(body, &first, "release", to->hash);
		json_append_member_str(body, &first, "diff",
		    diff.len == 0 ? span_str("") : buf_span(&diff));
		buf_append_char(body, '}');
	} else {
		admin_problem_err(response, err, NULL);
	}
	buf_fini(&diff);
}

static void
load_and_compare(const struct admin_context *admin,
    const struct store_release_row *from, const struct store_release_row *to,
    struct http_response *response)
{
	struct release *old = admin_release_load(admin, from->hash, response);
	struct release *new =
	    old == NULL ? NULL : admin_release_load(admin, to->hash, response);

	if (new != NULL)
		answer_diff(old, new, response);
	free(old);
	free(new);
}

void
admin_release_diff_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct store_release_row row, other;
	struct http_form query;
	struct span against;

	if (idp == NULL || !admin_query_parse(request, &query, response))
		return;
	against = http_form_get(&query, "against");
	if (!span_present(against))
		against = span_str("live");
	if (admin_release_find(admin, idp, request, response, &row) &&
	    find_named(admin, idp, against, request, response, &other))
		load_and_compare(admin, &other, &row, response);
}

/* ---- drafts -------------------------------------------------------------- */

static bool
refuse(struct http_response *response, const char *sentence)
{
	admin_problem(response, ADMIN_INVALID, sentence);
	return false;
}

/* "why" of any body here. False: answered. */
static bool
read_why(
    json_t *body, struct admin_change *change, struct http_response *response)
{
	if (!admin_body_text(body, "why", &change->request.why, response))
		return false;
	if (change->request.why != NULL &&
	    strlen(change->request.why) > WHY_BYTES)
		return refuse(response, "why is longer than 500 bytes.");
	return true;
}

static bool
read_scripts(json_t *scripts, struct config_release_draft *draft,
    struct http_response *response)
{
	static const char *const names[] = {
	    "init", "complete", "backchannel", NULL};

	if (scripts == NULL)
		return true;
	if (!json_is_object(scripts))
		return refuse(response,
		    "scripts must be an object of init, complete and "
		    "backchannel.");
	if (!admin_body_has_only(scripts, names, response))
		return false;
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		json_t *text = json_object_get(
		    scripts, script_kind_name((enum script_kind)kind));

		draft->scripts[kind].given = text != NULL;
		if (text == NULL || json_is_null(text))
			continue;
		if (!json_is_string(text))
			return refuse(response, "A script must be text.");
		draft->scripts[kind].source =
		    span_of(json_string_value(text), json_string_length(text));
	}
	return true;
}

static bool
read_settings(json_t *settings, struct config_release_draft *draft,
    const struct http_request *request, struct http_response *response)
{
	char *text;
	size_t len;

	if (settings == NULL || json_is_null(settings))
		return true;
	if (!json_is_object(settings))
		return refuse(response, "settings must be an object.");
	text = arena_alloc(request->arena, SETTINGS_BYTES);
	if (text == NULL)
		return refuse(response, "The body is too large.");
	len = json_dumpb(settings, text, SETTINGS_BYTES, JSON_COMPACT);
	if (len == 0 || len > SETTINGS_BYTES)
		return refuse(response, "settings is too large.");
	draft->settings = span_of(text, len);
	return true;
}

/* Whether all that is wrong is in scripts. */
static bool
are_all_in_scripts(const struct config_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct config_problem *problem = &problems->items[i];
		size_t len = strlen(problem->file);

		if (!problem->warning &&
		    (len < 3 || strcmp(problem->file + len - 3, ".js") != 0))
			return false;
	}
	return true;
}

static void
fail(const struct admin_change *change, enum err err,
    struct http_response *response)
{
	const struct config_problems *problems = &change->outcome.problems;

	if (err == ERR_EXISTS || err == ERR_LIMIT)
		admin_problem(response, ADMIN_CONFLICT, change->detail.text);
	else if (err == ERR_INVALID && problems->mistakes > 0 &&
		 are_all_in_scripts(problems))
		admin_problem_details(
		    response, ADMIN_INVALID_SCRIPT, NULL, problems);
	else
		admin_change_fail(change, err, response);
}

static void
answer_draft(const struct config_release_draft *draft,
    const struct config_release_done *done, const struct http_request *request,
    struct http_response *response)
{
	struct buf *body = &response->body;
	struct buf hex;
	bool first = true;

	buf_init(&hex, HASH_CHARS);
	hex_append_lower(&hex, span_of(done->hash, DIGEST_BYTES));
	response->status = 201;
	response->location =
	    arena_printf(request->arena, ADMIN_API "/idps/%s/releases/%.*s",
		draft->idp, SPAN_ARG(buf_span(&hex)));
	buf_fini(&hex);
	buf_append_char(body, '{');
	admin_release_append_hash(body, &first, "release", done->hash);
	admin_release_append_hash(body, &first, "live", done->previous);
	buf_append_char(body, '}');
}

static void
create_draft(const struct admin_context *admin,
    const struct http_request *request, json_t *body,
    struct http_response *response)
{
	static const char *const names[] = {"scripts", "settings", "why", NULL};
	const struct config_releases releases = releases_of(admin);
	struct config_release_draft draft = {.idp = NULL};
	struct admin_change change;
	struct config_release_done done = {.outcome = &change.outcome};
	enum err err;

	draft.idp = admin_release_idp(admin, request, response);
	if (draft.idp == NULL || !admin_body_has_only(body, names, response) ||
	    !read_scripts(json_object_get(body, "scripts"), &draft, response) ||
	    !read_settings(
		json_object_get(body, "settings"), &draft, request, response) ||
	    !admin_change_begin(&change, admin, request, response))
		return;
	change.event.type = event_name(EVENT_RELEASE_DRAFTED);
	if (read_why(body, &change, response)) {
		err = config_release_draft(
		    &releases, &change.request, &draft, &done, &change.detail);
		if (err == OK)
			answer_draft(&draft, &done, request, response);
		else
			fail(&change, err, response);
	}
	admin_change_end(&change);
}

void
admin_release_create_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	json_t *body = admin_body_parse(request, response);

	if (body != NULL)
		create_draft(context, request, body, response);
	json_decref(body);
}

void
admin_release_delete_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const struct config_releases releases = releases_of(admin);
	const char *idp = admin_release_idp(admin, request, response);
	struct store_release_row row;
	struct admin_change change;
	enum err err;

	if (idp == NULL ||
	    !admin_release_find(admin, idp, request, response, &row) ||
	    !admin_change_begin(&change, admin, request, response))
		return;
	change.event.type = event_name(EVENT_RELEASE_DRAFT_DELETED);
	err = config_release_drop(
	    &releases, &change.request, idp, &row, &change.detail);
	if (err == OK) {
		response->status = 204;
		end_shadow(admin, idp, row.hash);
	} else {
		fail(&change, err, response);
	}
	admin_change_end(&change);
}

/* ---- publishing ---------------------------------------------------------- */

static void
answer_published(const struct config_release_done *done, struct buf *body)
{
	bool first = true;

	buf_append_char(body, '{');
	admin_release_append_hash(body, &first, "release", done->hash);
	admin_release_append_hash(body, &first, "previous", done->previous);
	admin_problem_append_warnings(body, &first, &done->outcome->problems);
	buf_append_char(body, '}');
}

/* `hash` NULL: roll back. */
static void
publish(const struct admin_context *admin, const struct http_request *request,
    const char *idp, const uint8_t *hash, struct http_response *response)
{
	static const char *const names[] = {"why", NULL};
	const struct config_releases releases = releases_of(admin);
	json_t *body = admin_body_parse(request, response);
	struct admin_change change;
	struct config_release_done done = {.outcome = &change.outcome};
	enum err err;

	if (body == NULL || !admin_body_has_only(body, names, response) ||
	    !admin_change_begin(&change, admin, request, response)) {
		json_decref(body);
		return;
	}
	change.event.type = event_name(
	    hash == NULL ? EVENT_RELEASE_ROLLED_BACK : EVENT_RELEASE_PUBLISHED);
	if (read_why(body, &change, response)) {
		err = config_release_publish(&releases, &change.request, idp,
		    hash, &done, &change.detail);
		if (err == OK) {
			answer_published(&done, &response->body);
			end_shadow(admin, idp, done.hash);
		} else {
			fail(&change, err, response);
		}
	}
	admin_change_end(&change);
	json_decref(body);
}

void
admin_release_publish_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct store_release_row row;

	if (idp != NULL &&
	    admin_release_find(admin, idp, request, response, &row))
		publish(admin, request, idp, row.hash, response);
}

void
admin_release_rollback_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);

	if (idp != NULL)
		publish(admin, request, idp, NULL, response);
}
