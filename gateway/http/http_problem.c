/*
 * Every error answer, from problems.def: the one place where an error becomes
 * HTTP. Not the decision which error it is. Runs on any thread.
 */
#include "common/check.h"
#include "common/json_text.h"
#include "gateway/http/http.h"

/* RFC 6749 section 5.2: a 401 names the scheme; RFC 7617: our charset. */
#define BASIC_CHALLENGE "Basic realm=\"postern\", charset=\"UTF-8\""

/* What turns us away (a full queue, a lost engine) ends within a second or
 * not soon; a client that comes back after one costs nothing. */
#define RETRY_AFTER_SECS 1

struct problem_row {
	int status;
	const char *code;
	const char *description;
};

static const struct problem_row problem_rows[PROBLEM_COUNT] = {
#define PROBLEM(symbol, status, code, description) \
	[symbol] = {status, code, description},
#include "gateway/http/problems.def"
#undef PROBLEM
};

const char *
http_problem_code(enum problem problem)
{
	CHECK((unsigned)problem < PROBLEM_COUNT);
	return problem_rows[problem].code;
}

/* RFC 6749 section 5.2. */
static void
write_oauth_problem(struct buf *body, const char *code, const char *description)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(body, &first, "error", span_str(code));
	json_append_member_str(
	    body, &first, "error_description", span_str(description));
	buf_append_char(body, '}');
}

void
http_problem(struct http_response *response, enum problem problem,
    const char *description)
{
	const struct problem_row *row;

	CHECK((unsigned)problem < PROBLEM_COUNT);
	row = &problem_rows[problem];
	response->status = row->status;
	response->outcome = row->code;
	response->content_type = NULL;
	response->cache_control = NULL;
	if (row->status == 401 && response->www_authenticate == NULL)
		response->www_authenticate = BASIC_CHALLENGE;
	if (row->status == 503 && response->retry_after_secs == 0)
		response->retry_after_secs = RETRY_AFTER_SECS;
	response->location = NULL;
	response->etag = NULL;
	buf_reset(&response->body);
	if (description == NULL)
		description = row->description;
	if (response->write_problem != NULL)
		response->write_problem(
		    &response->body, row->status, row->code, description);
	else
		write_oauth_problem(&response->body, row->code, description);
}
