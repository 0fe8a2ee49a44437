/*
 * Reading JSON bodies; see admin_body.h. Not here: documents of the realm,
 * which gateway/config reads.
 */
#include "gateway/admin/admin_body.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/realm/json_memory.h"

/* jansson recurses, on a worker's small stack. */
#define DEPTH_MAX 16

/* "dry_run must be true or false." with the longest name. */
#define SENTENCE_BYTES 160

static json_t *
parse(struct span text, struct http_response *response)
{
	json_error_t error;
	bool no_memory;
	char sentence[SENTENCE_BYTES];
	json_t *body;

	if (json_depth(text) > DEPTH_MAX) {
		admin_problem(
		    response, ADMIN_INVALID, "The body is nested too deeply.");
		return NULL;
	}
	body =
	    json_memory_load(text, JSON_REJECT_DUPLICATES, &error, &no_memory);
	if (body != NULL)
		return body;
	if (no_memory) {
		admin_problem(response, ADMIN_UNAVAILABLE, NULL);
		return NULL;
	}
	(void)snprintf(sentence, sizeof sentence,
	    "The body is not JSON, or names a member twice: line %d, column "
	    "%d.",
	    error.line, error.column);
	admin_problem(response, ADMIN_INVALID, sentence);
	return NULL;
}

json_t *
admin_body_parse(
    const struct http_request *request, struct http_response *response)
{
	json_t *body;

	if (request->body.len == 0) {
		body = json_object();
		if (body == NULL)
			admin_problem(response, ADMIN_UNAVAILABLE, NULL);
		return body;
	}
	body = parse(request->body, response);
	if (body == NULL || json_is_object(body))
		return body;
	json_decref(body);
	admin_problem(response, ADMIN_INVALID, "The body must be an object.");
	return NULL;
}

static bool
refuse_type(
    const char *name, const char *expected, struct http_response *response)
{
	char sentence[SENTENCE_BYTES];

	(void)snprintf(
	    sentence, sizeof sentence, "%s must be %s.", name, expected);
	admin_problem(response, ADMIN_INVALID, sentence);
	return false;
}

bool
admin_body_text(json_t *body, const char *name, const char **text_r,
    struct http_response *response)
{
	json_t *value = json_object_get(body, name);

	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return refuse_type(name, "text", response);
	*text_r = json_string_value(value);
	return true;
}

bool
admin_body_bool(json_t *body, const char *name, bool *value_r,
    struct http_response *response)
{
	json_t *value = json_object_get(body, name);

	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_boolean(value))
		return refuse_type(name, "true or false", response);
	*value_r = json_is_true(value);
	return true;
}

bool
admin_body_has_only(
    json_t *body, const char *const *names, struct http_response *response)
{
	char sentence[SENTENCE_BYTES];
	const char *key;
	json_t *value;

	json_object_foreach (body, key, value) {
		const char *const *name = names;

		while (*name != NULL && strcmp(*name, key) != 0)
			name++;
		if (*name != NULL)
			continue;
		(void)snprintf(sentence, sizeof sentence,
		    "The body has a member that is not taken here: %.40s.",
		    key);
		admin_problem(response, ADMIN_INVALID, sentence);
		return false;
	}
	return true;
}
