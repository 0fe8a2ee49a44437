/*
 * Parsing the bodies of the registration endpoints; see
 * registration_request.h. The JSON tree ends here.
 */
#include "gateway/oauth/registration_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/realm/json_memory.h"

/* ---- JSON -----------------------------------------------------------------
 */

/* A string member into the arena. An explicit null counts as not sent. */
static enum err
take_string(json_t *body, const char *name, const char *complaint,
    struct arena *arena, struct registration_request *r, struct span *out_r)
{
	json_t *value = json_object_get(body, name);

	if (value == NULL || json_is_null(value))
		return OK;
	if (!json_is_string(value)) {
		r->wrong_field = complaint;
		return OK;
	}
	*out_r = arena_copy(arena,
	    span_of(json_string_value(value), json_string_length(value)));
	return span_present(*out_r) ? OK : ERR_NOMEM;
}

static enum err
take_scopes(json_t *body, struct arena *arena, struct registration_request *r)
{
	json_t *list = json_object_get(body, "scope"), *item;
	struct span scope;
	size_t i;

	if (list == NULL || json_is_null(list))
		return OK;
	if (!json_is_array(list)) {
		r->wrong_field = "scope must be an array of strings.";
		return OK;
	}
	if (json_array_size(list) > REQUEST_SCOPES_MAX) {
		r->wrong_field = "scope has too many values.";
		return OK;
	}
	json_array_foreach (list, i, item) {
		if (!json_is_string(item)) {
			r->wrong_field = "scope must be an array of strings.";
			return OK;
		}
		scope = arena_copy(arena,
		    span_of(json_string_value(item), json_string_length(item)));
		if (!span_present(scope))
			return ERR_NOMEM;
		r->scopes[r->scope_count++] = scope;
	}
	return OK;
}

/* An object of name -> array of strings. */
static bool
custom_params_are_valid(json_t *params)
{
	const char *name;
	json_t *list, *item;
	size_t i;

	if (!json_is_object(params))
		return false;
	json_object_foreach (params, name, list) {
		if (!json_is_array(list))
			return false;
		json_array_foreach (list, i, item)
			if (!json_is_string(item))
				return false;
	}
	return true;
}

static enum err
keep_custom_params(
    json_t *params, struct arena *arena, struct registration_request *r)
{
	char *text;

	if (params == NULL || json_is_null(params))
		return OK;
	if (!custom_params_are_valid(params)) {
		r->wrong_field = "hook_context_custom_params must be an object "
				 "of arrays of strings.";
		return OK;
	}
	text = json_dumps(params, JSON_COMPACT);
	if (text == NULL)
		return ERR_NOMEM;
	r->custom_params = arena_copy(arena, span_str(text));
	free(text);
	return span_present(r->custom_params) ? OK : ERR_NOMEM;
}

/* RFC 7521 section 4.2, as JSON. */
static enum err
take_assertion(
    json_t *body, struct arena *arena, struct registration_request *r)
{
	enum err err;

	err = take_string(body, "client_assertion_type", NULL, arena, r,
	    &r->client_assertion_type);
	if (err == OK)
		err = take_string(body, "client_assertion", NULL, arena, r,
		    &r->client_assertion);
	if (err == OK)
		err = take_string(
		    body, "client_id", NULL, arena, r, &r->assertion_client_id);
	return err;
}

static enum err
take_members(json_t *body, struct arena *arena, struct registration_request *r)
{
	enum err err;

	err = take_assertion(body, arena, r);
	if (err == OK)
		err = take_string(
		    body, "data", "data must be a string.", arena, r, &r->data);
	if (err == OK)
		err = take_string(body, "transaction_id",
		    "transaction_id must be a string.", arena, r,
		    &r->transaction_id);
	if (err == OK)
		err = take_string(body, "profile_id",
		    "profile_id must be a string.", arena, r, &r->profile_id);
	if (err == OK)
		err = take_string(body, "grant_type",
		    "grant_type must be a string.", arena, r, &r->grant_type);
	if (err == OK)
		err = take_scopes(body, arena, r);
	if (err == OK)
		err = keep_custom_params(
		    json_object_get(body, "hook_context_custom_params"), arena,
		    r);
	return err;
}

/* Depth first: jansson recurses and these threads have small stacks. NULL:
 * *err_r and `detail` say why, not in jansson's words, which quote the body:
 * RFC 6749 section 5.2 allows no such characters in an error_description. */
static json_t *
load_json(struct span text, enum err *err_r, struct err_detail *detail)
{
	json_error_t error;
	bool no_memory;
	json_t *tree;

	if (json_depth(text) > REQUEST_DEPTH_MAX) {
		*err_r = err_set(detail, ERR_SYNTAX,
		    "The body is nested deeper than %d.", REQUEST_DEPTH_MAX);
		return NULL;
	}
	tree = json_memory_load(
	    text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error, &no_memory);
	*err_r = no_memory ? ERR_UNAVAILABLE : ERR_SYNTAX;
	if (tree != NULL || no_memory)
		return tree;
	if (json_error_code(&error) == json_error_duplicate_key)
		(void)err_set(
		    detail, ERR_SYNTAX, "The body has a member twice.");
	else
		(void)err_set(detail, ERR_SYNTAX,
		    "The body is not valid JSON (line %d, column %d).",
		    error.line, error.column);
	return NULL;
}

static enum err
parse_json(const struct http_request *http, struct registration_request *r,
    struct err_detail *detail)
{
	enum err err;
	json_t *body = load_json(http->body, &err, detail);

	if (body == NULL)
		return err;
	err = json_is_object(body) ? take_members(body, http->arena, r)
				   : err_set(detail, ERR_SYNTAX,
					 "The body is not a JSON object.");
	json_decref(body);
	return err;
}

/* ---- form -----------------------------------------------------------------
 */

/* RFC 6749 section 3.3: scope tokens separated by single spaces. */
static void
split_scopes(struct span text, struct registration_request *r)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.data[i] != ' ')
			continue;
		if (i > start) {
			if (r->scope_count == REQUEST_SCOPES_MAX) {
				r->wrong_field = "scope has too many values.";
				return;
			}
			r->scopes[r->scope_count++] =
			    span_of(text.data + start, i - start);
		}
		start = i + 1;
	}
}

static enum err
parse_form(const struct http_request *http, struct registration_request *r,
    struct err_detail *detail)
{
	struct http_form form;
	struct span params;
	json_t *tree;
	enum err err;

	err = http_form_parse(http->body, http->arena, &form);
	if (err == ERR_NOMEM)
		return err;
	if (err != OK)
		return err_set(detail, ERR_SYNTAX, "%s",
		    err == ERR_INVALID ? "The form has a field twice."
				       : "The form is malformed.");
	r->data = http_form_get(&form, "data");
	r->transaction_id = http_form_get(&form, "transaction_id");
	r->profile_id = http_form_get(&form, "profile_id");
	r->grant_type = http_form_get(&form, "grant_type");
	r->client_id = http_form_get(&form, "client_id");
	r->client_secret = http_form_get(&form, "client_secret");
	split_scopes(http_form_get(&form, "scope"), r);
	params = http_form_get(&form, "hook_context_custom_params");
	if (!span_present(params))
		return OK;
	tree = load_json(params, &err, NULL);
	if (tree == NULL && err == ERR_UNAVAILABLE)
		return err;
	if (tree == NULL) {
		r->wrong_field =
		    "hook_context_custom_params is not valid JSON.";
		return OK;
	}
	err = keep_custom_params(tree, http->arena, r);
	json_decref(tree);
	return err;
}

enum err
registration_request_parse(const struct http_request *http,
    struct registration_request *request_r, struct err_detail *detail)
{
	struct registration_request r = {0};
	enum err err = OK;

	if (http->body_type == HTTP_BODY_JSON)
		err = parse_json(http, &r, detail);
	else if (http->body_type == HTTP_BODY_FORM)
		err = parse_form(http, &r, detail);
	if (err == OK)
		*request_r = r;
	return err;
}
