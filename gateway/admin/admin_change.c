/*
 * What all changes over HTTP share; see admin_change.h. Not here: the change
 * (gateway/config), the answers of those that go well (their handlers).
 */
#include "gateway/admin/admin_change.h"

#include <string.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"
#include "gateway/realm/realm_syntax.h"

/* RFC 9110 section 13.1.1, of one tag. A weak one matches nothing (section
 * 8.8.3.2), and neither does a tag that cannot be ours. */
static bool
read_if_match(struct admin_change *change, struct span header)
{
	if (!span_present(header) || span_is(header, "*"))
		return true;
	if (header.len < 2 || header.data[header.len - 1] != '"')
		return false;
	change->has_if_match = true;
	if (header.data[0] == '"' && header.len - 2 < sizeof change->if_match) {
		memcpy(change->if_match, header.data + 1, header.len - 2);
		change->if_match[header.len - 2] = '\0';
	} else {
		strcpy(change->if_match, "-");
	}
	return strpbrk(change->if_match, "\", ") == NULL;
}

bool
admin_change_why(struct admin_change *change, struct span why,
    struct http_response *response)
{
	if (!span_present(why))
		return true;
	if (why.len >= sizeof change->why || !realm_syntax_is_text(why)) {
		admin_problem(response, ADMIN_INVALID,
		    "why is text without control characters, up to 300 "
		    "bytes.");
		return false;
	}
	memcpy(change->why, why.data, why.len);
	change->why[why.len] = '\0';
	change->request.why = change->why;
	return true;
}

/* Where a body has no room for the reason: it is the document. */
static bool
read_why(struct admin_change *change, const struct http_request *request,
    struct http_response *response)
{
	struct http_form query;

	return admin_query_parse(request, &query, response) &&
	       admin_change_why(change, http_form_get(&query, "why"), response);
}

bool
admin_change_begin(struct admin_change *change,
    const struct admin_context *admin, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_caller *caller = admin_caller(request);

	*change = (struct admin_change){.has_if_match = false};
	if (config_is_read_only(admin->config)) {
		admin_problem(response, ADMIN_READ_ONLY, NULL);
		return false;
	}
	if (!read_if_match(change, request->if_match)) {
		admin_problem(response, ADMIN_INVALID,
		    "If-Match takes one entity tag, or *.");
		return false;
	}
	change->event = (struct store_event){
	    .at = clock_wall_secs(),
	    .type = event_name(EVENT_CONFIGURATION_CHANGED),
	    .correlation_id = request->correlation_id,
	    .client_id = caller->client_id,
	    .source = request->source,
	};
	change->request = (struct config_request){
	    .etag = change->has_if_match ? change->if_match : NULL,
	    .admin = caller->is_admin,
	    .event = &change->event,
	};
	return read_why(change, request, response);
}

void
admin_change_fail(const struct admin_change *change, enum err err,
    struct http_response *response)
{
	const struct config_problems *problems = &change->outcome.problems;
	const char *sentence =
	    change->detail.text[0] != '\0' ? change->detail.text : NULL;

	if (err == ERR_INVALID && problems->mistakes > 0)
		admin_problem_details(
		    response, ADMIN_INVALID_REALM, sentence, problems);
	else if (err == ERR_SYNTAX)
		admin_problem_details(
		    response, ADMIN_INVALID, sentence, problems);
	else
		admin_problem_err(response, err, &change->detail);
}

void
admin_change_append(
    struct buf *out, bool *first, const struct config_change *change)
{
	json_append_member_str(out, first, "path", span_str(change->path));
	json_append_member_str(
	    out, first, "action", span_str(config_action_name(change->action)));
}

void
admin_change_end(struct admin_change *change)
{
	config_outcome_fini(&change->outcome);
}

const char *
admin_change_etag(const char *etag, struct arena *arena)
{
	return etag[0] == '\0' ? NULL : arena_printf(arena, "\"%s\"", etag);
}
