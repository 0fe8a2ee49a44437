/*
 * Masking of JSON and of text; see record_mask.h. Not where it is needed:
 * record_json.c. On the thread that records.
 */
#include "gateway/dispatch/record_mask.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/dispatch/outcomes.h"
#include "gateway/realm/json_memory.h"

#define MASKED "***"

/* A payload, and one masked copy of it for each of many sensitive values. */
#define MASK_ARENA_BYTES (16 * 1024 * 1024)

/* One step of a pointer, unescaped. */
#define TOKEN_BYTES 512

/* So many digits as a shown number keeps; a double has between 15 and 17. */
#define SHOWN_DIGITS 15

/* NULL: nothing that can be read safely. Strings may hold NULs. */
static json_t *
parse(struct span text)
{
	if (!span_present(text) || json_depth(text) > RECORD_MASK_DEPTH)
		return NULL;
	return json_memory_load(
	    text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL, NULL);
}

/* ---- pointers (RFC 6901) ---------------------------------------------------
 */

/* The next step of a pointer that starts with '/'; false: too long for any key
 * worth masking. */
static bool
next_token(const char **pointer, char token_r[TOKEN_BYTES])
{
	size_t len = 0;

	for (++*pointer; **pointer != '\0' && **pointer != '/'; ++*pointer) {
		char c = **pointer;

		if (c == '~' && ((*pointer)[1] == '0' || (*pointer)[1] == '1'))
			c = *++*pointer == '0' ? '~' : '/';
		if (len + 1 >= TOKEN_BYTES)
			return false;
		token_r[len++] = c;
	}
	token_r[len] = '\0';
	return true;
}

/* False: no index of this array. */
static bool
index_of(const json_t *array, const char *token, size_t *index_r)
{
	char *end;
	unsigned long index;

	if (token[0] < '0' || token[0] > '9' ||
	    (token[0] == '0' && token[1] != '\0'))
		return false;
	index = strtoul(token, &end, 10);
	*index_r = index;
	return *end == '\0' && index < json_array_size(array);
}

static json_t *
member(const json_t *parent, const char *token)
{
	size_t index;

	if (json_is_object(parent))
		return json_object_get(parent, token);
	if (json_is_array(parent) && index_of(parent, token, &index))
		return json_array_get(parent, index);
	return NULL;
}

static void
replace(json_t *parent, const char *token)
{
	size_t index;

	if (json_is_object(parent))
		(void)json_object_set_new(parent, token, json_string(MASKED));
	else if (index_of(parent, token, &index))
		(void)json_array_set_new(parent, index, json_string(MASKED));
}

/* Whatever is there becomes "***". `""` is the whole document. */
static void
mask_pointer(json_t **root, const char *pointer)
{
	char token[TOKEN_BYTES];
	json_t *parent = NULL;
	json_t *at = *root;

	while (at != NULL && *pointer == '/') {
		if (!next_token(&pointer, token))
			return;
		parent = at;
		at = member(parent, token);
	}
	if (at == NULL)
		return;
	if (parent != NULL) {
		replace(parent, token);
		return;
	}
	json_decref(*root);
	*root = json_string(MASKED);
}

/* ---- sensitive values ------------------------------------------------------
 */

/* A masked copy of a string that holds one; NULL: it holds none. */
static json_t *
masked_string(
    const json_t *string, const struct string_set *values, struct arena *arena)
{
	struct span text =
	    span_of(json_string_value(string), json_string_length(string));
	struct span masked = outcome_mask(text, values, arena);

	if (masked.data == text.data)
		return NULL;
	if (!span_present(masked))
		return json_string(MASKED);
	return json_stringn((const char *)masked.data, masked.len);
}

/* A container on the way down, and how far it has been looked at. */
struct level {
	json_t *container;
	void *member; /* of an object */
	size_t index; /* of an array */
};

/* The next value of a container; NULL: that was all. */
static json_t *
next_value(struct level *level)
{
	if (json_is_array(level->container))
		return json_array_get(level->container, level->index++);
	level->member =
	    level->member == NULL
		? json_object_iter(level->container)
		: json_object_iter_next(level->container, level->member);
	return level->member == NULL ? NULL
				     : json_object_iter_value(level->member);
}

static void
put_value(struct level *level, json_t *value)
{
	if (json_is_array(level->container))
		(void)json_array_set_new(
		    level->container, level->index - 1, value);
	else
		(void)json_object_iter_set_new(
		    level->container, level->member, value);
}

static bool
is_container(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

/* In every string, so that no escape of JSON hides a value. The depth was
 * bounded when it was parsed. */
static void
mask_strings(json_t *root, const struct string_set *values, struct arena *arena)
{
	struct level levels[RECORD_MASK_DEPTH + 1];
	size_t depth = 0;
	json_t *value, *masked;

	if (!is_container(root))
		return;
	levels[0] = (struct level){.container = root};
	for (;;) {
		value = next_value(&levels[depth]);
		if (value == NULL && depth == 0)
			return;
		if (value == NULL) {
			depth--;
		} else if (is_container(value) && depth < RECORD_MASK_DEPTH) {
			levels[++depth] = (struct level){.container = value};
		} else if (json_is_string(value)) {
			masked = masked_string(value, values, arena);
			if (masked != NULL)
				put_value(&levels[depth], masked);
		}
	}
}

/* ---- both ------------------------------------------------------------------
 */

/* malloc'd JSON text with everything masked that is to be; takes `root`. */
static char *
masked_dump(json_t *root, const struct realm_idp *idp, struct arena *arena)
{
	char *text;

	for (size_t i = 0; i < idp->record_mask.count; i++)
		mask_pointer(&root, idp->record_mask.items[i]);
	mask_strings(root, &idp->sensitive_values, arena);
	text = json_dumps(root,
	    JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(SHOWN_DIGITS));
	json_decref(root);
	return text;
}

static bool
looks_like_json(struct span text)
{
	size_t i = 0;

	while (
	    i < text.len && (text.data[i] == ' ' || text.data[i] == '\t' ||
				text.data[i] == '\r' || text.data[i] == '\n'))
		i++;
	return i < text.len && (text.data[i] == '{' || text.data[i] == '[');
}

static bool
is_masked(const struct realm_idp *idp)
{
	return idp->record_mask.count > 0 || idp->sensitive_values.count > 0;
}

static void
append_masked(struct buf *out, struct span text, const struct realm_idp *idp,
    struct arena *arena)
{
	json_t *root = NULL;
	char *dump = NULL;

	if (is_masked(idp) && looks_like_json(text)) {
		root = parse(text);
		if (root != NULL)
			dump = masked_dump(root, idp, arena);
		if (dump != NULL)
			text = span_str(dump);
		else if (idp->record_mask.count > 0)
			text = span_str(MASKED);
	}
	text = outcome_mask(text, &idp->sensitive_values, arena);
	json_append_string(out, span_present(text) ? text : span_str(MASKED));
	free(dump);
}

void
record_mask_append_text(
    struct buf *out, struct span text, const struct realm_idp *idp)
{
	struct arena *arena = arena_new(MASK_ARENA_BYTES);

	if (!span_present(text))
		buf_append_str(out, "null");
	else if (arena == NULL)
		buf_append_str(out, "\"" MASKED "\"");
	else
		append_masked(out, text, idp, arena);
	arena_free(arena);
}

void
record_mask_append_json(
    struct buf *out, struct span text, const struct realm_idp *idp)
{
	struct arena *arena = arena_new(MASK_ARENA_BYTES);
	struct span masked = {NULL, 0};
	json_t *root = arena == NULL ? NULL : parse(text);
	char *dump = NULL;

	if (root != NULL)
		dump = masked_dump(root, idp, arena);
	/* Once more as text: for values in the names of members. */
	if (dump != NULL)
		masked =
		    outcome_mask(span_str(dump), &idp->sensitive_values, arena);
	if (!span_present(text))
		buf_append_str(out, "null");
	else if (span_present(masked))
		buf_append_span(out, masked);
	else
		buf_append_str(out, "\"" MASKED "\"");
	free(dump);
	arena_free(arena);
}
