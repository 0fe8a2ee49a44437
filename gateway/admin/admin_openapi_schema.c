/*
 * Schemas of the OpenAPI document; see admin_openapi_schema.h. "client_file"
 * of realm_schema.def is called ClientFile. Not here: routes.
 */
#include "gateway/admin/admin_openapi_schema.h"

#include <string.h>

#include "common/json_text.h"

enum need { MAY, MUST };

/* A row of either table: one member of an object. */
struct member {
	enum need need;
	const char *key;
	const char *type; /* admin_shapes.def: a schema without braces */
	/* realm_schema.def only */
	const char *kind; /* "INT", "CHOICE", "SCOPE_LIST", .. */
	long long min, max;
	const char *fallback;
	const char *doc;
};

struct shape {
	const char *name;
	const char *where; /* realm_schema.def: the key that holds the block */
	const char *doc;
	const struct member *members;
	size_t count;
};

/* ---- the tables --------------------------------------------------------- */

#define SHAPE(shape, doc) static const struct member shape##_members[] = {
#define FIELD(shape, need, key, type, doc) \
	{need, #key, type, NULL, 0, 0, NULL, doc},
#define END_SHAPE(shape) \
	}                \
	;
#include "gateway/admin/admin_shapes.def"
#undef SHAPE
#undef FIELD
#undef END_SHAPE

#define SCHEMA(schema, where, doc) \
	static const struct member schema##_members[] = {
#define KEY(schema, need, key, type, min, max, fallback, doc) \
	{need, #key, NULL, #type, min, max, fallback, doc},
#define END_SCHEMA(schema) \
	}                  \
	;
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA

#define MEMBERS(name) \
	name##_members, sizeof name##_members / sizeof(struct member)

static const struct shape shapes[] = {
#define SHAPE(shape, doc) {#shape, NULL, doc, MEMBERS(shape)},
#define FIELD(shape, need, key, type, doc)
#define END_SHAPE(shape)
#include "gateway/admin/admin_shapes.def"
#undef SHAPE
#undef FIELD
#undef END_SHAPE
};

static const struct shape schemas[] = {
#define SCHEMA(schema, where, doc) {#schema, where, doc, MEMBERS(schema)},
#define KEY(schema, need, key, type, min, max, fallback, doc)
#define END_SCHEMA(schema)
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- names -------------------------------------------------------------- */

/* "client_file" as ClientFile; what has no "_" stays. */
static void
append_name(struct buf *out, const char *name)
{
	bool upper = true;

	for (; *name != '\0'; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		buf_append_char(out, upper && *name >= 'a' && *name <= 'z'
					 ? (char)(*name - 'a' + 'A')
					 : *name);
		upper = false;
	}
}

/* ---- types of realm_schema.def ------------------------------------------ */

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* "a|b|c: doc" as ["a","b","c"]. */
static void
append_choices(struct buf *out, const char *doc)
{
	bool first = true;

	buf_append_str(out, "\"enum\":[");
	for (;; doc++) {
		size_t len = strcspn(doc, "|:");

		if (!first)
			buf_append_char(out, ',');
		first = false;
		json_append_string(out, span_of(doc, len));
		doc += len;
		if (*doc != '|')
			break;
	}
	buf_append_char(out, ']');
}

static void
append_block(struct buf *out, const char *key)
{
	for (size_t i = 0; i < COUNT(schemas); i++)
		if (strcmp(schemas[i].where, key) == 0) {
			buf_append_str(out, "\"$ref\":\"#/components/schemas/");
			append_name(out, schemas[i].name);
			buf_append_char(out, '"');
			return;
		}
	buf_append_str(out, "\"type\":\"object\"");
}

static void
append_kind(struct buf *out, const struct member *member)
{
	if (member->type != NULL)
		buf_append_str(out, member->type);
	else if (strcmp(member->kind, "INT") == 0)
		buf_printf(out, OAS_INT ",\"minimum\":%lld,\"maximum\":%lld",
		    member->min, member->max);
	else if (strcmp(member->kind, "BOOL") == 0)
		buf_append_str(out, OAS_BOOL);
	else if (strcmp(member->kind, "CHOICE") == 0)
		append_choices(out, member->doc);
	else if (strcmp(member->kind, "BLOCK") == 0)
		append_block(out, member->key);
	else if (strcmp(member->kind, "NODE") == 0)
		buf_append_str(out, "\"type\":\"object\"");
	else if (ends_with(member->kind, "_LIST"))
		buf_append_str(out, OAS_LIST(OAS_TEXT));
	else
		buf_append_str(out, OAS_TEXT);
}

/* Numbers and booleans are spelled alike in the table and in JSON. */
static void
append_default(struct buf *out, const struct member *member)
{
	bool is_bare =
	    member->kind != NULL && (strcmp(member->kind, "INT") == 0 ||
					strcmp(member->kind, "BOOL") == 0);

	if (member->fallback == NULL)
		return;
	buf_append_str(out, ",\"default\":");
	if (is_bare)
		buf_append_str(out, member->fallback);
	else
		json_append_string(out, span_str(member->fallback));
}

/* ---- objects ------------------------------------------------------------ */

static void
append_member(struct buf *out, const struct member *member)
{
	json_append_string(out, span_str(member->key));
	buf_append_str(out, ":{");
	append_kind(out, member);
	append_default(out, member);
	buf_append_str(out, ",\"description\":");
	json_append_string(out, span_str(member->doc));
	buf_append_char(out, '}');
}

static void
append_required(struct buf *out, const struct shape *shape)
{
	bool first = true;

	for (size_t i = 0; i < shape->count; i++) {
		if (shape->members[i].need != MUST)
			continue;
		buf_append_str(out, first ? ",\"required\":[" : ",");
		first = false;
		json_append_string(out, span_str(shape->members[i].key));
	}
	if (!first)
		buf_append_char(out, ']');
}

static void
append_shape(struct buf *out, const struct shape *shape)
{
	buf_append_char(out, '"');
	append_name(out, shape->name);
	buf_append_str(out, "\":{\"type\":\"object\",\"description\":");
	json_append_string(out, span_str(shape->doc));
	append_required(out, shape);
	buf_append_str(out, ",\"properties\":{");
	for (size_t i = 0; i < shape->count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_member(out, &shape->members[i]);
	}
	buf_append_str(out, "}},");
}

void
admin_openapi_schema_append(struct buf *out)
{
	for (size_t i = 0; i < COUNT(shapes); i++)
		append_shape(out, &shapes[i]);
	for (size_t i = 0; i < COUNT(schemas); i++)
		append_shape(out, &schemas[i]);
	/* What no table describes. */
	buf_append_str(out,
	    "\"ExecutionList\":{" OAS_LIST(OAS_SHAPE(
		Execution)) "},"
			    "\"Text\":{" OAS_TEXT "},"
			    "\"File\":{" OAS_TEXT ",\"format\":\"binary\"},"
			    "\"Any\":{\"type\":\"object\"}");
}
