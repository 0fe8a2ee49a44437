/*
 * Errors of the configuration API: {"code", "message", "details"}, from
 * admin_problems.def. `details` is a list of {"file","line","key","message"},
 * null where one does not apply. Threads: any.
 */
#ifndef POSTERN_ADMIN_PROBLEM_H
#define POSTERN_ADMIN_PROBLEM_H

#include "gateway/config/config.h"
#include "gateway/http/http.h"

enum admin_problem {
#define ADMIN_PROBLEM(symbol, status, code, message) symbol,
#include "gateway/admin/admin_problems.def"
#undef ADMIN_PROBLEM
	ADMIN_PROBLEM_COUNT
};

/* Answers with it; `message` NULL: the table's. */
void admin_problem(struct http_response *response, enum admin_problem problem,
    const char *message);

/* The same with the mistakes (not the warnings) of `problems` as details. */
void admin_problem_details(struct http_response *response,
    enum admin_problem problem, const char *message,
    const struct config_problems *problems);

/* What an error is on the outside, and its sentence where that is the
 * caller's business; what is ours alone is logged. */
void admin_problem_err(struct http_response *response, enum err err,
    const struct err_detail *detail);

/* "warnings":[..] of a change that went well; a member of an open object. */
void admin_problem_append_warnings(
    struct buf *out, bool *first, const struct config_problems *problems);

/* For http_config: refusals before any handler. */
http_problem_writer admin_problem_write;

#endif
