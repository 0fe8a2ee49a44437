/*
 * The signing keys: listed, rotated. Not the keys themselves (keys/keyring.c).
 */
#include <jansson.h>

#include "common/json_text.h"
#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_change.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/store/store_config.h"

struct key_list {
	struct buf *body;
	bool first;
};

static enum err
append_key(void *user, const struct store_signing_key *key)
{
	static const char *const slots[KEY_SLOTS] = {
	    [KEY_NEXT] = "next",
	    [KEY_CURRENT] = "current",
	    [KEY_PREVIOUS] = "previous",
	};
	struct key_list *list = user;
	bool first = true;

	if (key->slot < 0 || key->slot >= KEY_SLOTS)
		return ERR_CORRUPT;
	if (!list->first)
		buf_append_char(list->body, ',');
	list->first = false;
	buf_append_char(list->body, '{');
	json_append_member_str(list->body, &first, "kid", span_str(key->kid));
	json_append_member_str(list->body, &first, "alg", span_str(key->alg));
	json_append_member_str(
	    list->body, &first, "slot", span_str(slots[key->slot]));
	json_append_member_int(list->body, &first, "since", key->since);
	buf_append_char(list->body, '}');
	return OK;
}

void
admin_key_list_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct key_list list = {&response->body, true};
	enum err err;

	(void)request;
	buf_append_str(&response->body, "{\"items\":[");
	err = store_signing_key_each(admin->store, append_key, &list);
	buf_append_str(&response->body, "]}");
	if (err != OK)
		admin_problem_err(response, err, NULL);
}

static void
rotate(const struct admin_context *admin, const struct http_request *request,
    bool forced, struct http_response *response)
{
	struct event event = admin_event_of(request, EVENT_JWT_KEYS_ROTATED);
	struct err_detail detail = {0};
	enum err err;

	event.detail = forced ? "forced" : "asked for";
	err = admin->rotate_keys(admin->user, &event, forced, &detail);
	if (err == OK)
		response->status = 204;
	else if (err == ERR_STATE)
		admin_problem(response, ADMIN_TOO_SOON, detail.text);
	else
		admin_problem_err(response, err, &detail);
}

void
admin_key_rotate_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	static const char *const names[] = {"force", NULL};
	json_t *body = admin_body_parse(request, response);
	bool forced = false;

	if (body != NULL && admin_body_has_only(body, names, response) &&
	    admin_body_bool(body, "force", &forced, response))
		rotate(context, request, forced, response);
	json_decref(body);
}
