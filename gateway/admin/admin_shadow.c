/*
 * Shadow runs of drafts over HTTP: begin, look, end. Not the runs themselves
 * (gateway/dispatch/shadow.h).
 */
#include <jansson.h>
#include <stdlib.h>

#include "common/json_text.h"
#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_release.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/shadow.h"
#include "gateway/oauth/oauth.h"

/* "5 %" */
#define DETAIL_BYTES 16

static void
tell(const struct admin_context *admin, const struct http_request *request,
    enum event_type type, const char *idp, const uint8_t *hash,
    const char *detail)
{
	struct event event = admin_event_of(request, type);

	event.idp = idp;
	event.release = hash;
	event.detail = detail;
	event_record(admin->oauth->events, &event);
}

static void
answer(const struct admin_context *admin, const char *idp, const uint8_t *hash,
    struct http_response *response)
{
	struct buf *body = &response->body;
	bool first = true;
	enum err err;

	buf_append_char(body, '{');
	admin_release_append_hash(body, &first, "release", hash);
	err = shadow_append(dispatch_shadow(admin->dispatch), idp, hash, body);
	buf_append_char(body, '}');
	if (err != OK)
		admin_problem(
		    response, ADMIN_NOT_FOUND, "This release is not shadowed.");
}

void
admin_shadow_get_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct store_release_row row;

	if (idp != NULL &&
	    admin_release_find(admin, idp, request, response, &row))
		answer(admin, idp, row.hash, response);
}

/* 0: answered. */
static unsigned
read_percent(const struct http_request *request, struct http_response *response)
{
	static const char *const names[] = {"percent", NULL};
	json_t *body = admin_body_parse(request, response);
	json_int_t percent = 0;

	if (body == NULL)
		return 0;
	if (admin_body_has_only(body, names, response)) {
		percent = json_integer_value(json_object_get(body, "percent"));
		if (percent < 1 || percent > 100) {
			percent = 0;
			admin_problem(response, ADMIN_INVALID,
			    "percent must be a whole number from 1 to 100.");
		}
	}
	json_decref(body);
	return (unsigned)percent;
}

static void
start(const struct admin_context *admin, const char *idp,
    const struct store_release_row *row, unsigned percent,
    struct http_response *response)
{
	struct release *draft = admin_release_load(admin, row->hash, response);
	enum err err;

	if (draft == NULL)
		return;
	err = shadow_start(dispatch_shadow(admin->dispatch), draft, percent);
	if (err == ERR_EXISTS)
		admin_problem(response, ADMIN_CONFLICT,
		    "Another draft of this identity provider is shadowed: end "
		    "that first.");
	else if (err == ERR_LIMIT)
		admin_problem(response, ADMIN_CONFLICT,
		    "As many drafts are shadowed as may be: end one first.");
	else if (err != OK)
		admin_problem_err(response, err, NULL);
	else
		answer(admin, idp, row->hash, response);
}

void
admin_shadow_put_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	char detail[DETAIL_BYTES];
	struct store_release_row row;
	unsigned percent;

	if (idp == NULL ||
	    !admin_release_find(admin, idp, request, response, &row))
		return;
	percent = read_percent(request, response);
	if (percent == 0)
		return;
	if (row.state != STORE_RELEASE_DRAFT) {
		admin_problem(
		    response, ADMIN_CONFLICT, "Only drafts can be shadowed.");
		return;
	}
	start(admin, idp, &row, percent, response);
	(void)snprintf(detail, sizeof detail, "%u %%", percent);
	if (response->status == 200)
		tell(admin, request, EVENT_SHADOW_STARTED, idp, row.hash,
		    detail);
}

void
admin_shadow_delete_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	const char *idp = admin_release_idp(admin, request, response);
	struct store_release_row row;

	if (idp == NULL ||
	    !admin_release_find(admin, idp, request, response, &row))
		return;
	if (shadow_stop(dispatch_shadow(admin->dispatch), idp, row.hash) !=
	    OK) {
		admin_problem(
		    response, ADMIN_NOT_FOUND, "This release is not shadowed.");
		return;
	}
	response->status = 204;
	tell(admin, request, EVENT_SHADOW_ENDED, idp, row.hash, NULL);
}
