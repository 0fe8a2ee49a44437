/*
 * Reads a map by the rows of its schema: types, ranges, defaults, unknown and
 * missing keys. Not what settings mean to each other: realm_check.c. Runs on
 * the loader's thread.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/realm/realm_address.h"
#include "gateway/realm/realm_hash.h"
#include "gateway/realm/realm_schema.h"
#include "gateway/realm/realm_syntax.h"

/* "attribute_mapping.", an index, and room; longer paths are cut. */
#define KEY_PATH_BYTES 128

enum value_type {
	TYPE_INT,
	TYPE_BOOL,
	TYPE_CHOICE,
	TYPE_BLOCK,
	TYPE_NODE,
	TYPE_TEXT, /* from here on: kinds of text, rows of text_kinds */
	TYPE_LINES,
	TYPE_ASCII,
	TYPE_PATH,
	TYPE_ISSUER,
	TYPE_HTTPS_URL,
	TYPE_CLIENT_ID,
	TYPE_IDP_ID,
	TYPE_SCOPE,
	TYPE_PROPERTY_ID,
	TYPE_LABEL,
	TYPE_ENV_NAME,
	TYPE_POINTER,
	TYPE_ALLOW,
	TYPE_HASH,
	TYPE_GRANT,
	TYPE_API_SCOPE,
	TYPE_LIST = 0x100
};

#define TYPE_IDP_ID_LIST    (TYPE_IDP_ID | TYPE_LIST)
#define TYPE_SCOPE_LIST     (TYPE_SCOPE | TYPE_LIST)
#define TYPE_ASCII_LIST     (TYPE_ASCII | TYPE_LIST)
#define TYPE_ALLOW_LIST     (TYPE_ALLOW | TYPE_LIST)
#define TYPE_LABEL_LIST     (TYPE_LABEL | TYPE_LIST)
#define TYPE_POINTER_LIST   (TYPE_POINTER | TYPE_LIST)
#define TYPE_GRANT_LIST     (TYPE_GRANT | TYPE_LIST)
#define TYPE_API_SCOPE_LIST (TYPE_API_SCOPE | TYPE_LIST)

enum need { MAY, MUST };

struct schema_row {
	const char *key;
	unsigned type;
	enum need need;
	int64_t min;
	int64_t max;
	const char *fallback;
	const char *doc;
	size_t offset; /* of the setting in the schema's struct */
};

struct schema {
	const char *where;
	const struct schema_row *rows;
	size_t count;
	size_t bytes; /* of its struct */
};

#define SCHEMA(schema, where, doc) \
	static const struct schema_row schema##_rows[] = {
#define KEY(schema, need, key, type, min, max, fallback, doc) \
	{#key, TYPE_##type, need, min, max, fallback, doc,    \
	    offsetof(struct schema, key)},
#define END_SCHEMA(schema) \
	}                  \
	;
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA

static const struct schema schemas[SCHEMA_COUNT] = {
#define SCHEMA(schema, where, doc)                                             \
	{where, schema##_rows, sizeof schema##_rows / sizeof schema##_rows[0], \
	    sizeof(struct schema)},
#define KEY(schema, need, key, type, min, max, fallback, doc)
#define END_SCHEMA(schema)
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA
};

static bool
schema_is_grant(struct span text)
{
	return span_is(text, "client_credentials") ||
	       span_is(text, "stateless");
}

static bool
schema_is_api_scope(struct span text)
{
	return span_is(text, "user_registration") ||
	       span_is(text, "token_introspection") ||
	       span_is(text, "end_user") || span_is(text, "events") ||
	       span_is(text, "config") || span_is(text, "admin");
}

static const struct {
	enum value_type type;
	bool (*is)(struct span text);
	const char *expects;
} text_kinds[] = {
    {TYPE_TEXT, realm_syntax_is_text, "text without control characters"},
    {TYPE_LINES, realm_syntax_is_lines, "text"},
    {TYPE_ASCII, realm_syntax_is_ascii, "printable ASCII characters"},
    {TYPE_PATH, realm_syntax_is_text, "a path"},
    {TYPE_ISSUER, realm_address_is_issuer,
	"an https URL without query or fragment (http only for loopback)"},
    {TYPE_HTTPS_URL, realm_address_is_https_url, "an https URL"},
    {TYPE_CLIENT_ID, realm_syntax_is_client_id,
	"a client id: [A-Za-z0-9._~-], 1 to 128 characters"},
    {TYPE_IDP_ID, realm_syntax_is_idp_id,
	"an identity provider's id: [A-Za-z0-9_-], 1 to 64 characters"},
    {TYPE_SCOPE, realm_syntax_is_scope,
	"a scope: visible ASCII without \" and \\, 1 to 255 characters"},
    {TYPE_PROPERTY_ID, realm_syntax_is_property_id,
	"a property id: a letter or _, then [A-Za-z0-9_.-], up to 128"},
    {TYPE_LABEL, realm_syntax_is_label,
	"a label: [A-Za-z0-9._-], 1 to 64 characters"},
    {TYPE_ENV_NAME, realm_syntax_is_env_name,
	"the name of an environment variable"},
    {TYPE_POINTER, realm_syntax_is_pointer,
	"a JSON pointer (RFC 6901), like /password"},
    {TYPE_ALLOW, realm_address_is_allow_entry,
	"a host name, *.name, address or CIDR block, with :port if wanted"},
    {TYPE_HASH, realm_hash_is_known,
	"a hash that starts $argon2id$, $2b$, $2y$, $y$ or $pbkdf2-sha256$"},
    {TYPE_GRANT, schema_is_grant, "client_credentials or stateless"},
    {TYPE_API_SCOPE, schema_is_api_scope,
	"user_registration, token_introspection, end_user, events, config or "
	"admin"},
};

/* One row being read: what the functions below pass to each other. */
struct row_reader {
	const struct yaml_source *source;
	const struct schema_row *row;
	const char *prefix;
};

static void
reader_problem(const struct row_reader *reader, int line, const char *suffix,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

static void
reader_problem(const struct row_reader *reader, int line, const char *suffix,
    const char *format, ...)
{
	char path[KEY_PATH_BYTES];
	char sentence[ERR_DETAIL_BYTES];
	va_list args;

	(void)snprintf(path, sizeof path, "%s%s%s", reader->prefix,
	    reader->row->key, suffix);
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	realm_problem_add(reader->source->problems,
	    (struct realm_place){reader->source->file, line, path}, "%s",
	    sentence);
}

/* ---- scalars ------------------------------------------------------------ */

/* Decimal without sign, leading zeros or more than 18 digits. */
static bool
schema_parse_int(const char *text, int64_t *number_r)
{
	size_t len = strlen(text);
	int64_t number = 0;

	if (len == 0 || len > 18 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*number_r = number;
	return true;
}

/* The place of `text` among the words before the colon of "a|b|c: doc". */
static bool
schema_parse_choice(const char *doc, const char *text, int64_t *number_r)
{
	size_t len = strlen(text);

	for (int64_t place = 0;; place++) {
		size_t word = strcspn(doc, "|:");

		if (word == len && memcmp(doc, text, len) == 0) {
			*number_r = place;
			return true;
		}
		if (doc[word] != '|')
			return false;
		doc += word + 1;
	}
}

static bool
reader_take_int(const struct row_reader *reader, const char *text, int line,
    struct setting *setting)
{
	const struct schema_row *row = reader->row;
	int64_t number;

	if (!schema_parse_int(text, &number) || number < row->min ||
	    number > row->max) {
		reader_problem(reader, line, "",
		    "expects a whole number from %lld to %lld",
		    (long long)row->min, (long long)row->max);
		return false;
	}
	setting->number = number;
	return true;
}

static bool
reader_take_bool(const struct row_reader *reader, const char *text, int line,
    struct setting *setting)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0) {
		reader_problem(reader, line, "", "expects true or false");
		return false;
	}
	setting->number = yes;
	return true;
}

static bool
reader_take_choice(const struct row_reader *reader, const char *text, int line,
    struct setting *setting)
{
	const char *doc = reader->row->doc;

	if (schema_parse_choice(doc, text, &setting->number))
		return true;
	reader_problem(reader, line, "", "expects one of %.*s",
	    (int)strcspn(doc, ":"), doc);
	return false;
}

/* `suffix` names the item where the text is one of a list. */
static bool
reader_check_text(const struct row_reader *reader, const char *text, int line,
    const char *suffix)
{
	unsigned type = reader->row->type & ~(unsigned)TYPE_LIST;

	for (size_t i = 0; i < sizeof text_kinds / sizeof text_kinds[0]; i++) {
		if (text_kinds[i].type != (enum value_type)type)
			continue;
		if (text_kinds[i].is(span_str(text)))
			return true;
		reader_problem(
		    reader, line, suffix, "expects %s", text_kinds[i].expects);
		return false;
	}
	return true;
}

static bool
reader_take_text(const struct row_reader *reader, const char *text, int line,
    struct setting *setting)
{
	const struct schema_row *row = reader->row;
	int64_t len = (int64_t)strlen(text);

	if (row->max > 0 && (len < row->min || len > row->max)) {
		reader_problem(reader, line, "",
		    "expects %lld to %lld characters", (long long)row->min,
		    (long long)row->max);
		return false;
	}
	if (!reader_check_text(reader, text, line, ""))
		return false;
	setting->text = text;
	return true;
}

static bool
reader_take_value(const struct row_reader *reader, const char *text, int line,
    struct setting *setting)
{
	switch (reader->row->type) {
	case TYPE_INT:
		return reader_take_int(reader, text, line, setting);
	case TYPE_BOOL:
		return reader_take_bool(reader, text, line, setting);
	case TYPE_CHOICE:
		return reader_take_choice(reader, text, line, setting);
	default:
		return reader_take_text(reader, text, line, setting);
	}
}

static bool
reader_take_scalar(const struct row_reader *reader,
    const struct yaml_node *node, struct setting *setting)
{
	unsigned type = reader->row->type;

	if (node->kind != YAML_SCALAR) {
		reader_problem(
		    reader, node->line, "", "expects a single value");
		return false;
	}
	if (node->plain && node->text[0] == '\0') {
		reader_problem(reader, node->line, "", "has no value");
		return false;
	}
	if (!node->plain && (type == TYPE_INT || type == TYPE_BOOL)) {
		reader_problem(reader, node->line, "",
		    "expects %s without quotes",
		    type == TYPE_INT ? "a number" : "true or false");
		return false;
	}
	return reader_take_value(reader, node->text, node->line, setting);
}

/* ---- lists and blocks --------------------------------------------------- */

static int
schema_compare(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static bool
reader_check_item(
    const struct row_reader *reader, const struct yaml_node *item, size_t index)
{
	char suffix[32];

	(void)snprintf(suffix, sizeof suffix, "[%zu]", index);
	if (item->kind != YAML_SCALAR) {
		reader_problem(
		    reader, item->line, suffix, "expects a single value");
		return false;
	}
	if (item->plain && item->text[0] == '\0') {
		reader_problem(reader, item->line, suffix, "has no value");
		return false;
	}
	return reader_check_text(reader, item->text, item->line, suffix);
}

/* Finds what the sorted items have twice. */
static bool
reader_check_unique(const struct row_reader *reader, int line,
    const char *const *items, size_t count)
{
	bool fine = true;

	for (size_t i = 1; i < count; i++) {
		if (strcmp(items[i - 1], items[i]) != 0)
			continue;
		reader_problem(
		    reader, line, "", "'%.64s' is listed twice", items[i]);
		fine = false;
	}
	return fine;
}

static bool
reader_check_list(const struct row_reader *reader, const struct yaml_node *node)
{
	const struct schema_row *row = reader->row;

	if (node->kind != YAML_LIST) {
		reader_problem(reader, node->line, "", "expects a list");
		return false;
	}
	if ((int64_t)node->count >= row->min &&
	    (int64_t)node->count <= row->max)
		return true;
	reader_problem(reader, node->line, "", "expects %lld to %lld items",
	    (long long)row->min, (long long)row->max);
	return false;
}

/* False: the arena is full. A mistake leaves the setting as it was. */
static bool
reader_take_list(const struct row_reader *reader, const struct yaml_node *node,
    struct setting *setting)
{
	const char **items;
	size_t count = 0;
	bool fine = true;

	if (!reader_check_list(reader, node))
		return true;
	items = arena_alloc(
	    reader->source->arena, (node->count + 1) * sizeof *items);
	if (items == NULL)
		return false;
	for (const struct yaml_node *item = node->first; item != NULL;
	     item = item->next) {
		if (!reader_check_item(reader, item, count))
			fine = false;
		items[count++] = item->kind == YAML_SCALAR ? item->text : "";
	}
	if (!fine)
		return true;
	qsort(items, count, sizeof *items, schema_compare);
	if (!reader_check_unique(reader, node->line, items, count))
		return true;
	setting->list = (struct string_set){items, count};
	setting->node = node;
	setting->given = true;
	return true;
}

static void
reader_take_block(const struct row_reader *reader, const struct yaml_node *node,
    struct setting *setting)
{
	if (node->kind != YAML_MAP) {
		reader_problem(reader, node->line, "", "expects a map");
		return;
	}
	setting->node = node;
	setting->given = true;
}

static bool
reader_take(const struct row_reader *reader, const struct yaml_node *node,
    struct setting *setting)
{
	unsigned type = reader->row->type;

	setting->line = node->key_line;
	if ((type & TYPE_LIST) != 0)
		return reader_take_list(reader, node, setting);
	if (type == TYPE_BLOCK) {
		reader_take_block(reader, node, setting);
	} else if (type == TYPE_NODE) {
		setting->node = node;
		setting->given = true;
	} else {
		setting->given = reader_take_scalar(reader, node, setting);
	}
	return true;
}

/* ---- keys --------------------------------------------------------------- */

/* Levenshtein's distance, for words of at most 31 characters. */
static size_t
schema_distance(const char *a, const char *b)
{
	size_t row[32];
	size_t len = strlen(b);

	if (strlen(a) >= 32 || len >= 32)
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[len];
}

/* The known key that was probably meant, NULL if none is near. */
static const char *
schema_nearest(const struct schema *schema, const char *key)
{
	const char *nearest = NULL;
	size_t least = 3;

	for (size_t i = 0; i < schema->count; i++) {
		size_t distance = schema_distance(key, schema->rows[i].key);

		if (distance < least && distance < strlen(key)) {
			least = distance;
			nearest = schema->rows[i].key;
		}
	}
	return nearest;
}

static void
schema_refuse_key(const struct yaml_source *source, enum realm_schema_id id,
    const struct yaml_node *member, const char *prefix)
{
	const char *nearest = schema_nearest(&schemas[id], member->key);
	/* `client_secret: {s3cret}` makes the secret a key: not repeated. */
	bool quiet = id == SCHEMA_secret_block;
	char path[KEY_PATH_BYTES];
	struct realm_place place = {source->file, member->key_line, path};

	(void)snprintf(
	    path, sizeof path, "%s%.80s", prefix, quiet ? "?" : member->key);
	if (quiet)
		realm_problem_add(source->problems, place,
		    "unknown key (known are plain, env, file, hash, keep)");
	else if (nearest != NULL)
		realm_problem_add(source->problems, place,
		    "unknown key '%.80s' (did you mean '%s'?)", member->key,
		    nearest);
	else
		realm_problem_add(source->problems, place,
		    "unknown key '%.80s'", member->key);
}

static const struct schema_row *
schema_find(const struct schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->rows[i].key, key) == 0)
			return &schema->rows[i];
	}
	return NULL;
}

static struct setting *
schema_setting(void *out, const struct schema_row *row)
{
	/* `out` is the schema's struct, nothing but settings. */
	return (struct setting *)(void *)((uint8_t *)out + row->offset);
}

/* The defaults; they go through the same parser, so a wrong one shows. */
static void
schema_fill_defaults(const struct yaml_source *source,
    const struct schema *schema, struct schema_input input, void *out)
{
	memset(out, 0, schema->bytes);
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_row *row = &schema->rows[i];
		const struct row_reader reader = {source, row, input.prefix};
		struct setting *setting = schema_setting(out, row);

		setting->line = input.line;
		if (row->fallback != NULL)
			(void)reader_take_value(
			    &reader, row->fallback, input.line, setting);
	}
}

static void
schema_require(const struct yaml_source *source, const struct schema *schema,
    struct schema_input input)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct row_reader reader = {
		    source, &schema->rows[i], input.prefix};
		const struct yaml_node *member =
		    input.node == NULL ? NULL : input.node->first;

		if (schema->rows[i].need != MUST)
			continue;
		while (member != NULL &&
		       strcmp(member->key, schema->rows[i].key) != 0)
			member = member->next;
		if (member == NULL)
			reader_problem(&reader, input.line, "", "is required");
	}
}

bool
realm_schema_read(const struct yaml_source *source, enum realm_schema_id id,
    struct schema_input input, void *out_r)
{
	const struct schema *schema = &schemas[id];

	schema_fill_defaults(source, schema, input, out_r);
	if (input.node != NULL && input.node->kind != YAML_MAP) {
		realm_problem_add(source->problems,
		    (struct realm_place){
			source->file, input.node->line, input.node->key},
		    "expects a map of keys and values");
		return true;
	}
	schema_require(source, schema, input);
	if (input.node == NULL)
		return true;
	for (const struct yaml_node *member = input.node->first; member != NULL;
	     member = member->next) {
		const struct schema_row *row = schema_find(schema, member->key);
		const struct row_reader reader = {source, row, input.prefix};

		if (row == NULL)
			schema_refuse_key(source, id, member, input.prefix);
		else if (!reader_take(
			     &reader, member, schema_setting(out_r, row)))
			return false;
	}
	return true;
}

bool
realm_schema_read_block(const struct yaml_source *source,
    enum realm_schema_id id, const struct setting *setting, const char *key,
    void *out_r)
{
	char prefix[KEY_PATH_BYTES];

	(void)snprintf(prefix, sizeof prefix, "%s.", key);
	return realm_schema_read(source, id,
	    (struct schema_input){setting->node, setting->line, prefix}, out_r);
}

/* A block's schema is named by the key that holds it. */
static enum realm_schema_id
schema_of_block(const char *key)
{
	size_t id = 0;

	while (id < SCHEMA_COUNT && strcmp(schemas[id].where, key) != 0)
		id++;
	CHECK(id < SCHEMA_COUNT);
	return (enum realm_schema_id)id;
}

bool
realm_schema_key(
    enum realm_schema_id id, size_t place, struct schema_key *key_r)
{
	const struct schema *schema = &schemas[id];
	const struct schema_row *row;

	if (place >= schema->count)
		return false;
	row = &schema->rows[place];
	*key_r = (struct schema_key){.key = row->key, .form = FORM_TEXT};
	if ((row->type & TYPE_LIST) != 0)
		key_r->form = FORM_SET;
	else if (row->type == TYPE_INT || row->type == TYPE_BOOL)
		key_r->form = FORM_LITERAL;
	else if (row->type == TYPE_NODE)
		key_r->form = FORM_NODE;
	else if (row->type == TYPE_BLOCK)
		key_r->form = FORM_BLOCK;
	if (key_r->form == FORM_BLOCK)
		key_r->block = schema_of_block(row->key);
	return true;
}

bool
realm_schema_limits_are_valid(const struct script_limits *limits)
{
#define LIMIT_CHECK(field)                                              \
	do {                                                            \
		const struct schema_row *row =                          \
		    schema_find(&schemas[SCHEMA_script_block], #field); \
		if (row == NULL || limits->field < row->min ||          \
		    limits->field > row->max)                           \
			return false;                                   \
	} while (0)
	LIMIT_CHECK(wall_ms);
	LIMIT_CHECK(cpu_ms);
	LIMIT_CHECK(heap_mib);
	LIMIT_CHECK(executions_per_process);
	LIMIT_CHECK(host_calls);
	LIMIT_CHECK(source_kib);
	LIMIT_CHECK(data_kib);
	LIMIT_CHECK(result_kib);
	LIMIT_CHECK(log_kib);
	LIMIT_CHECK(http_body_kib);
	LIMIT_CHECK(cache_value_kib);
	LIMIT_CHECK(cache_entries);
#undef LIMIT_CHECK
	return true;
}

bool
realm_schema_copy_set(struct arena *arena, const struct string_set *list,
    struct string_set *set_r)
{
	const char **items =
	    arena_alloc(arena, (list->count + 1) * sizeof *items);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		items[i] = arena_strdup(arena, list->items[i]);
		if (items[i] == NULL)
			return false;
	}
	*set_r = (struct string_set){items, list->count};
	return true;
}
