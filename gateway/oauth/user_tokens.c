/*
 * GET and DELETE /oauth/api/v1/users/{userId}/tokens[/{tokenId}]: what a user
 * has allowed which client. One token of this API is a grant with all its
 * access and refresh tokens, so its id outlives every refresh. {userId} is the
 * sub. Runs on HTTP worker threads.
 */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "gateway/oauth/row_id.h"
#include "gateway/oauth/token_call.h"
#include "gateway/store/store_user.h"

/* Of one page. */
#define PAGE_DEFAULT 50
#define PAGE_MAX     200

struct page {
	uint64_t after; /* the last row of the page before; 0: none */
	size_t limit;
};

/* ---- the request ----------------------------------------------------------
 */

/* {userId} to call->sub; false: answered, since no such user can be. */
static bool
find_user(struct token_call *call)
{
	struct span user = call->http->segments[0];

	if (!span_present(user) || user.len > SUBJECT_BYTES_MAX)
		return token_call_refuse(
		    call, PROBLEM_NOT_FOUND, "There is no user of this name.");
	call->sub = arena_copy_str(call->http->arena, user);
	return call->sub != NULL || token_call_fail(call, ERR_NOMEM);
}

static bool
read_limit(struct span text, size_t *limit_r)
{
	size_t limit = 0;

	if (!span_present(text))
		return true;
	if (text.len == 0 || text.len > 3)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		limit = 10 * limit + (size_t)(text.data[i] - '0');
	}
	*limit_r = limit;
	return limit > 0 && limit <= PAGE_MAX;
}

static bool
read_page(struct token_call *call, struct page *page_r)
{
	struct http_form query = {NULL, 0};
	struct span after;

	*page_r = (struct page){.limit = PAGE_DEFAULT};
	if (span_present(call->http->query) &&
	    http_form_parse(call->http->query, call->http->arena, &query) != OK)
		return token_call_refuse(
		    call, PROBLEM_INVALID_REQUEST, "The query is malformed.");
	if (!read_limit(http_form_get(&query, "limit"), &page_r->limit))
		return token_call_refuse(call, PROBLEM_INVALID_REQUEST,
		    "limit must be a number from 1 to 200.");
	after = http_form_get(&query, "after");
	if (span_present(after) &&
	    row_id_parse(
		call->oauth->vault, ROW_ID_GRANT, after, &page_r->after) != OK)
		return token_call_refuse(call, PROBLEM_INVALID_REQUEST,
		    "after must be the id of a token.");
	return find_user(call);
}

/* ---- listing --------------------------------------------------------------
 */

static void
append_grant(struct token_call *call, const struct store_user_grant *grant,
    struct buf *body)
{
	char id[ROW_ID_BYTES];
	bool first = true;

	row_id_make(call->oauth->vault, ROW_ID_GRANT, grant->number, id);
	buf_append_char(body, '{');
	json_append_member_str(body, &first, "id", span_str(id));
	json_append_member_str(
	    body, &first, "client_id", span_str(grant->client_id));
	json_append_member_str(body, &first, "idp", span_str(grant->idp));
	json_append_member_str(body, &first, "scope", span_str(grant->scope));
	if (grant->profile != NULL)
		json_append_member_str(
		    body, &first, "profile_id", span_str(grant->profile));
	json_append_member_int(body, &first, "created_at", grant->created_at);
	json_append_member_int(body, &first, "expires_at", grant->expires_at);
	json_append_member_raw(body, &first, "refresh_token",
	    span_str(grant->refreshable ? "true" : "false"));
	json_append_member_raw(body, &first, "stateless",
	    span_str(grant->stateless ? "true" : "false"));
	buf_append_char(body, '}');
}

/* One more than the page was asked for, to know whether there is a next. */
static void
answer_page(struct token_call *call, const struct page *page,
    const struct store_user_grant *grants, size_t count)
{
	struct buf *body = &call->response->body;
	size_t shown = count > page->limit ? page->limit : count;
	char next[ROW_ID_BYTES];

	buf_append_str(body, "{\"tokens\":[");
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			buf_append_char(body, ',');
		append_grant(call, &grants[i], body);
	}
	buf_append_char(body, ']');
	if (count > shown) {
		row_id_make(call->oauth->vault, ROW_ID_GRANT,
		    grants[shown - 1].number, next);
		buf_printf(body, ",\"next\":\"%s\"", next);
	}
	buf_append_char(body, '}');
	token_call_decided(call, "listed", NULL, NULL);
}

static void
run_list(struct token_call *call)
{
	struct store_user_grant *grants;
	struct store_user_query query;
	struct page page;
	size_t count;
	enum err err;

	if (!read_page(call, &page))
		return;
	count = page.limit + 1;
	grants = arena_alloc(call->http->arena, count * sizeof *grants);
	if (grants == NULL) {
		(void)token_call_fail(call, ERR_NOMEM);
		return;
	}
	query = (struct store_user_query){
	    .sub = call->sub, .after = page.after, .now = clock_wall_secs()};
	err = store_user_grants(
	    call->oauth->store, &query, call->http->arena, grants, &count);
	if (err == OK)
		answer_page(call, &page, grants, count);
	else
		(void)token_call_fail(call, err);
}

/* ---- revoking -------------------------------------------------------------
 */

static void
answer_revoked(struct token_call *call, unsigned count)
{
	buf_printf(&call->response->body, "{\"revoked\":%u}", count);
	token_call_decided(call, "revoked", NULL, NULL);
}

static void
run_revoke_one(struct token_call *call)
{
	uint64_t number = 0;
	enum err err;

	if (!find_user(call))
		return;
	err = row_id_parse(
	    call->oauth->vault, ROW_ID_GRANT, call->http->segments[1], &number);
	if (err == OK)
		err = store_user_grant_revoke(
		    call->oauth->store, call->sub, number);
	else
		err = ERR_NOT_FOUND;
	if (err == OK)
		answer_revoked(call, 1);
	else if (err == ERR_NOT_FOUND)
		(void)token_call_refuse(call, PROBLEM_NOT_FOUND,
		    "The user has no token of this id.");
	else
		(void)token_call_fail(call, err);
}

static void
run_revoke_all(struct token_call *call)
{
	unsigned count = 0;
	enum err err;

	if (!find_user(call))
		return;
	err = store_user_revoke_all(call->oauth->store, call->sub, &count);
	if (err == OK)
		answer_revoked(call, count);
	else
		(void)token_call_fail(call, err);
}

static void
handle(void *context, const struct http_request *request,
    struct http_response *response, void (*run)(struct token_call *call))
{
	struct token_call call;

	if (token_call_begin(
		&call, "user_tokens", context, request, response) &&
	    token_call_check_api_client(&call, API_END_USER) &&
	    (request->method == HTTP_GET || token_call_check_writable(&call)))
		run(&call);
	token_call_end(&call);
}

void
user_tokens_list_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, run_list);
}

void
user_tokens_revoke_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, run_revoke_one);
}

void
user_tokens_revoke_all_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	handle(context, request, response, run_revoke_all);
}
