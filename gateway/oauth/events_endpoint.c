/*
 * GET /oauth/api/v1/events: audit events in pages, oldest first after a
 * number (?after=N) or newest first (the default; ?before=N goes on), filtered
 * by type, client, sub, idp and time (from, until: Unix seconds).
 */
#include <stdlib.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "common/log.h"
#include "gateway/oauth/client_auth.h"
#include "gateway/oauth/event.h"
#include "gateway/store/store_event.h"

/* Events of a page: with its longest values some 700 bytes each. */
#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

struct page {
	struct buf *body;
	bool first;
};

/* ---- the query ---------------------------------------------------------- */

/* Digits only. False: something else. Absent leaves the output alone. */
static bool
take_number(const struct http_form *form, const char *name, uint64_t most,
    uint64_t *number_r)
{
	struct span text = http_form_get(form, name);
	uint64_t number = 0;

	if (!span_present(text))
		return true;
	if (text.len == 0 || text.len > 18)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	}
	if (number > most)
		return false;
	*number_r = number;
	return true;
}

static bool
take_text(const struct http_form *form, const char *name, struct arena *arena,
    const char **text_r)
{
	struct span text = http_form_get(form, name);

	if (!span_present(text))
		return true;
	*text_r = arena_copy_str(arena, text);
	return *text_r != NULL;
}

/* NULL, or what is wrong with the query. */
static const char *
fill_filter(const struct http_form *form, struct arena *arena,
    struct store_event_filter *f)
{
	uint64_t limit = LIMIT_DEFAULT, from = 0, until = 0;

	if (!take_number(form, "after", INT64_MAX, &f->after) ||
	    !take_number(form, "before", INT64_MAX, &f->before) ||
	    !take_number(form, "from", INT64_MAX, &from) ||
	    !take_number(form, "until", INT64_MAX, &until) ||
	    !take_number(form, "limit", LIMIT_MAX, &limit) || limit == 0)
		return "after, before, from and until are numbers, limit is "
		       "1 to 1000.";
	f->newest_first = !span_present(http_form_get(form, "after"));
	if (!f->newest_first && f->before != 0)
		return "after and before exclude each other.";
	if (!take_text(form, "type", arena, &f->type) ||
	    !take_text(form, "client", arena, &f->client_id) ||
	    !take_text(form, "sub", arena, &f->sub) ||
	    !take_text(form, "idp", arena, &f->idp))
		return "The query is too large.";
	if (f->type != NULL && event_type_of(span_str(f->type)) == EVENT_TYPES)
		return "There is no such type of event.";
	f->from = (int64_t)from;
	f->until = (int64_t)until;
	f->limit = (unsigned)limit;
	return NULL;
}

static const char *
read_query(const struct http_request *http, struct store_event_filter *filter)
{
	struct http_form form = {0};

	if (span_present(http->query) &&
	    http_form_parse(http->query, http->arena, &form) != OK)
		return "The query is malformed.";
	return fill_filter(&form, http->arena, filter);
}

/* ---- the answer --------------------------------------------------------- */

static void
append_text(struct buf *body, const char *key, const char *text)
{
	bool first = false;

	if (text != NULL)
		json_append_member_str(body, &first, key, span_str(text));
}

static void
append_event(void *user, const struct store_event *event)
{
	struct page *page = user;
	struct buf *body = page->body;
	bool first = true;
	struct buf hex;

	if (!page->first)
		buf_append_char(body, ',');
	page->first = false;
	buf_append_char(body, '{');
	json_append_member_int(body, &first, "number", (int64_t)event->number);
	json_append_member_int(body, &first, "time", event->at);
	append_text(body, "type", event->type);
	append_text(body, "correlation_id", event->correlation_id);
	append_text(body, "client_id", event->client_id);
	append_text(body, "sub", event->sub);
	append_text(body, "idp", event->idp);
	append_text(body, "source", event->source);
	append_text(body, "detail", event->detail);
	if (span_present(event->release)) {
		buf_init(&hex, 2 * DIGEST_BYTES);
		hex_append_lower(&hex, event->release);
		json_append_member_str(body, &first, "release", buf_span(&hex));
		buf_fini(&hex);
	}
	buf_append_char(body, '}');
}

static void
answer(const struct oauth *oauth, const struct store_event_filter *filter,
    const struct http_request *http, struct http_response *response)
{
	struct page page = {&response->body, true};
	bool first = false;
	uint64_t next = 0;
	enum err err;

	buf_append_str(&response->body, "{\"events\":[");
	err =
	    store_event_each(oauth->store, filter, append_event, &page, &next);
	buf_append_char(&response->body, ']');
	if (next != 0)
		json_append_member_int(&response->body, &first,
		    filter->newest_first ? "next_before" : "next_after",
		    (int64_t)next);
	buf_append_char(&response->body, '}');
	if (err == OK)
		return;
	log_error("events not read",
	    LOG_STR("correlation_id", http->correlation_id),
	    LOG_STR("error", err_sentence(err)));
	http_problem(response, PROBLEM_INTERNAL, NULL);
}

/* ---- who asks ----------------------------------------------------------- */

/* OK, or how it was answered. */
static bool
check_caller(const struct oauth *oauth, const struct realm *realm,
    const struct http_request *http, struct http_response *response)
{
	const struct realm_api_client *api_client = NULL;
	struct credentials credentials;
	struct err_detail detail = {0};
	enum err err;

	err = credentials_collect(
	    http, span_str(NULL), span_str(NULL), &credentials, &detail);
	if (err == ERR_INVALID) {
		http_problem(
		    response, PROBLEM_INVALID_REQUEST, err_text(&detail, err));
		return false;
	}
	if (err == OK)
		err = api_client_check(oauth, realm, &credentials, &api_client);
	if (err == OK && (api_client->scopes & API_EVENTS) != 0)
		return true;
	http_problem(response,
	    err == OK                ? PROBLEM_INSUFFICIENT_PERMISSIONS
	    : err == ERR_UNAVAILABLE ? PROBLEM_UNAVAILABLE
				     : PROBLEM_INVALID_CLIENT_401,
	    NULL);
	return false;
}

static void
check_and_answer(const struct oauth *oauth, const struct realm *realm,
    const struct http_request *http, struct http_response *response)
{
	struct store_event_filter filter = {0};
	const char *complaint;

	if (!check_caller(oauth, realm, http, response))
		return;
	complaint = read_query(http, &filter);
	if (complaint != NULL)
		http_problem(response, PROBLEM_INVALID_REQUEST, complaint);
	else
		answer(oauth, &filter, http, response);
}

void
events_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct oauth *oauth = context;
	const struct realm *realm = realm_acquire(oauth->realms);

	if (realm == NULL)
		http_problem(response, PROBLEM_UNAVAILABLE, NULL);
	else
		check_and_answer(oauth, realm, request, response);
	realm_release(realm);
}
