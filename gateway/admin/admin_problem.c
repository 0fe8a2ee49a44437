/*
 * Error answers of the admin listener; see admin_problem.h. Not here: which
 * error it is.
 */
#include "gateway/admin/admin_problem.h"

#include "common/check.h"
#include "common/json_text.h"
#include "common/log.h"

/* RFC 7617 section 2. */
#define CHALLENGE "Basic realm=\"postern\", charset=\"UTF-8\""

/* A full queue or a busy store is free again within a second. */
#define RETRY_AFTER_SECS 1

static const struct {
	int status;
	const char *code;
	const char *message;
} rows[ADMIN_PROBLEM_COUNT] = {
#define ADMIN_PROBLEM(symbol, status, code, message) \
	[symbol] = {status, code, message},
#include "gateway/admin/admin_problems.def"
#undef ADMIN_PROBLEM
};

static void
append_text(struct buf *out, bool *first, const char *key, const char *text)
{
	json_append_member_str(
	    out, first, key, text[0] == '\0' ? span_str(NULL) : span_str(text));
}

static void
append_problem(struct buf *out, const struct config_problem *problem)
{
	bool first = true;

	buf_append_char(out, '{');
	append_text(out, &first, "file", problem->file);
	if (problem->line > 0)
		json_append_member_int(out, &first, "line", problem->line);
	else
		json_append_member_raw(out, &first, "line", span_str("null"));
	append_text(out, &first, "key", problem->key);
	append_text(out, &first, "message", problem->message);
	buf_append_char(out, '}');
}

/* Those that are warnings, or those that are not. */
static void
append_problems(
    struct buf *out, const struct config_problems *problems, bool warnings)
{
	bool first = true;

	buf_append_char(out, '[');
	for (size_t i = 0; problems != NULL && i < problems->count; i++) {
		if (problems->items[i].warning != warnings)
			continue;
		if (!first)
			buf_append_char(out, ',');
		first = false;
		append_problem(out, &problems->items[i]);
	}
	buf_append_char(out, ']');
}

void
admin_problem_append_warnings(
    struct buf *out, bool *first, const struct config_problems *problems)
{
	json_append_key(out, first, "warnings");
	append_problems(out, problems, true);
}

static void
write_body(struct buf *body, const char *code, const char *message,
    const struct config_problems *problems)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(body, &first, "code", span_str(code));
	json_append_member_str(body, &first, "message", span_str(message));
	json_append_key(body, &first, "details");
	append_problems(body, problems, false);
	buf_append_char(body, '}');
}

void
admin_problem_write(
    struct buf *body, int status, const char *code, const char *description)
{
	for (unsigned i = 0; i < ADMIN_PROBLEM_COUNT; i++)
		if (rows[i].status == status) {
			code = rows[i].code;
			break;
		}
	write_body(body, code, description, NULL);
}

void
admin_problem_details(struct http_response *response,
    enum admin_problem problem, const char *message,
    const struct config_problems *problems)
{
	CHECK((unsigned)problem < ADMIN_PROBLEM_COUNT);
	response->status = rows[problem].status;
	response->outcome = rows[problem].code;
	response->content_type = NULL;
	response->cache_control = NULL;
	response->location = NULL;
	response->etag = NULL;
	if (response->status == 401)
		response->www_authenticate = CHALLENGE;
	if (response->status == 503)
		response->retry_after_secs = RETRY_AFTER_SECS;
	buf_reset(&response->body);
	write_body(&response->body, rows[problem].code,
	    message != NULL ? message : rows[problem].message, problems);
}

void
admin_problem(struct http_response *response, enum admin_problem problem,
    const char *message)
{
	admin_problem_details(response, problem, message, NULL);
}

static enum admin_problem
problem_of(enum err err)
{
	static const struct {
		enum err err;
		enum admin_problem problem;
	} known[] = {
	    {ERR_SYNTAX, ADMIN_INVALID},
	    {ERR_INVALID, ADMIN_INVALID},
	    {ERR_DENIED, ADMIN_FORBIDDEN},
	    {ERR_NOT_FOUND, ADMIN_NOT_FOUND},
	    {ERR_EXISTS, ADMIN_EXISTS},
	    {ERR_STATE, ADMIN_CONFLICT},
	    {ERR_STALE, ADMIN_STALE},
	    {ERR_LIMIT, ADMIN_TOO_LARGE},
	    {ERR_FULL, ADMIN_UNAVAILABLE},
	    {ERR_UNAVAILABLE, ADMIN_UNAVAILABLE},
	    {ERR_NOMEM, ADMIN_UNAVAILABLE},
	    {ERR_IO, ADMIN_UNAVAILABLE},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].err == err)
			return known[i].problem;
	return ADMIN_INTERNAL;
}

void
admin_problem_err(struct http_response *response, enum err err,
    const struct err_detail *detail)
{
	enum admin_problem problem = problem_of(err);
	const char *sentence = NULL;

	/* Ours alone: what a disk or the memory said is the operator's. */
	if (rows[problem].status >= 500)
		log_error("configuration request failed",
		    LOG_STR("error", err_text(detail, err)));
	else if (detail != NULL && detail->text[0] != '\0')
		sentence = detail->text;
	admin_problem(response, problem, sentence);
}
