/*
 * Reading queries; see admin_query.h. Not here: what a name means.
 */
#include "gateway/admin/admin_query.h"

#include <stdio.h>

#include "gateway/admin/admin_problem.h"

#define SENTENCE_BYTES 128

/* Below what overflows. */
#define DIGITS_MAX 18

bool
admin_query_parse(const struct http_request *request, struct http_form *query_r,
    struct http_response *response)
{
	*query_r = (struct http_form){.count = 0};
	if (!span_present(request->query) ||
	    http_form_parse(request->query, request->arena, query_r) == OK)
		return true;
	admin_problem(response, ADMIN_INVALID, "The query is malformed.");
	return false;
}

static bool
parse_number(struct span text, uint64_t *number_r)
{
	uint64_t number = 0;

	if (text.len == 0 || text.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	}
	*number_r = number;
	return true;
}

bool
admin_query_number(const struct http_form *query, const char *name,
    uint64_t min, uint64_t max, uint64_t *number_r,
    struct http_response *response)
{
	struct span text = http_form_get(query, name);
	char sentence[SENTENCE_BYTES];
	uint64_t number;

	if (!span_present(text))
		return true;
	if (parse_number(text, &number) && number >= min && number <= max) {
		*number_r = number;
		return true;
	}
	(void)snprintf(sentence, sizeof sentence,
	    "%s is a number from %llu to %llu.", name, (unsigned long long)min,
	    (unsigned long long)max);
	admin_problem(response, ADMIN_INVALID, sentence);
	return false;
}

bool
admin_query_bool(const struct http_form *query, const char *name, bool *value_r,
    struct http_response *response)
{
	struct span text = http_form_get(query, name);
	char sentence[SENTENCE_BYTES];

	if (!span_present(text))
		return true;
	if (span_is(text, "true") || span_is(text, "false")) {
		*value_r = span_is(text, "true");
		return true;
	}
	(void)snprintf(sentence, sizeof sentence, "%s is true or false.", name);
	admin_problem(response, ADMIN_INVALID, sentence);
	return false;
}

bool
admin_query_page(const struct http_request *request, struct admin_page *page_r,
    struct http_response *response)
{
	uint64_t limit = ADMIN_PAGE_DEFAULT;
	struct http_form query;

	if (!admin_query_parse(request, &query, response) ||
	    !admin_query_number(
		&query, "limit", 1, ADMIN_PAGE_MAX, &limit, response))
		return false;
	page_r->limit = (size_t)limit;
	page_r->after = http_form_get(&query, "after");
	return true;
}
