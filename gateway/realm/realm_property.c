/*
 * properties.yaml into the draft, and the JSON that each identity provider's
 * scripts get of it. Runs on the loader's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/secret.h"
#include "gateway/realm/realm_ca.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/realm/realm_syntax.h"
#include "gateway/realm/realm_value.h"

/* As long as a value in the file may be. */
#define PROPERTY_VALUE_BYTES ((size_t)64 << 10)

/* What the engine's properties message carries. */
#define PROPERTIES_JSON_BYTES ((size_t)512 << 10)

static void
property_problem(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, const char *key, const char *sentence)
{
	realm_problem_add(&draft->problems,
	    (struct realm_place){source->file, setting->line, key}, "%s",
	    sentence);
}

/* The text of a file without the line end at its end; NULL after a mistake. */
static bool
property_take_bytes(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, struct span bytes, const char **value_r)
{
	if (bytes.len > 0 && bytes.data[bytes.len - 1] == '\n')
		bytes.len--;
	if (!realm_syntax_is_lines(bytes)) {
		property_problem(
		    draft, source, setting, "file", "the file is not text");
		return true;
	}
	*value_r = arena_copy_str(draft->scratch, bytes);
	return *value_r != NULL;
}

/* Others must not be able to read the file of a sensitive value. */
static bool
property_take_secret_file(struct realm_draft *draft,
    const struct yaml_source *source, const struct setting *setting,
    const char **value_r)
{
	const char *mistake;
	const char *path = realm_value_path(draft, setting->text, &mistake);
	struct err_detail detail = {0};
	struct secret *secret;
	enum err err;
	bool fine;

	if (mistake != NULL)
		property_problem(draft, source, setting, "file", mistake);
	if (path == NULL)
		return mistake != NULL;
	err = secret_read_file(path, PROPERTY_VALUE_BYTES, &secret, &detail);
	if (err != OK) {
		property_problem(
		    draft, source, setting, "file", err_text(&detail, err));
		return true;
	}
	fine = property_take_bytes(
	    draft, source, setting, secret_bytes(secret), value_r);
	secret_free(secret);
	return fine;
}

static bool
property_take_file(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, const char **value_r)
{
	struct err_detail detail = {0};
	struct buf text;
	enum err err;
	bool fine = true;

	buf_init(&text, PROPERTY_VALUE_BYTES);
	err = realm_value_read(draft, setting->text, &text, &detail);
	if (err == OK)
		fine = property_take_bytes(
		    draft, source, setting, buf_span(&text), value_r);
	else
		property_problem(
		    draft, source, setting, "file", err_text(&detail, err));
	buf_wipe(&text);
	return fine;
}

static bool
property_take_env(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, const char **value_r)
{
	const char *mistake = realm_value_env_mistake(draft, setting->text);
	const char *text = getenv(setting->text);

	if (mistake != NULL) {
		property_problem(draft, source, setting, "env", mistake);
		return true;
	}
	if (text == NULL) {
		property_problem(draft, source, setting, "env",
		    "there is no such environment variable");
		return true;
	}
	if (strlen(text) > PROPERTY_VALUE_BYTES ||
	    !realm_syntax_is_lines(span_str(text))) {
		property_problem(draft, source, setting, "env",
		    "the environment variable is not text of a sane length");
		return true;
	}
	*value_r = arena_strdup(draft->scratch, text);
	return *value_r != NULL;
}

static bool
property_is_secret(const struct property_item *item)
{
	/* kind: text|key */
	return item->sensitive.number != 0 || item->kind.number != 0;
}

/* Why nothing can be kept; NULL: it can. */
static const char *
property_keep_mistake(const struct property_item *item)
{
	if (strcmp(item->keep.text, item->id.text) != 0)
		return "expects the property's own id";
	if (!property_is_secret(item))
		return "only where the property is sensitive or a key";
	return NULL;
}

static bool
property_take_kept(struct realm_draft *draft, const struct yaml_source *source,
    const struct property_item *item, const char **value_r)
{
	const struct realm_sources *sources = draft->sources;
	const char *mistake = property_keep_mistake(item);
	struct buf value;
	enum err err = ERR_NOT_FOUND;

	if (mistake == NULL && sources->property_get == NULL &&
	    sources->check_only)
		return true;
	buf_init(&value, PROPERTY_VALUE_BYTES);
	if (mistake == NULL && sources->property_get != NULL)
		err = sources->property_get(sources->user, item->id.text,
		    item->kind.number != 0, &value);
	if (mistake == NULL && err == ERR_NOT_FOUND)
		mistake = "there is no value to keep; none of this kind is "
			  "stored for this property";
	else if (mistake == NULL && err != OK)
		mistake = "what is stored cannot be read";
	if (mistake != NULL)
		property_problem(draft, source, &item->keep, "keep", mistake);
	else
		*value_r = arena_copy_str(draft->scratch, buf_span(&value));
	buf_wipe(&value);
	return mistake != NULL || *value_r != NULL;
}

static bool
property_take_value(struct realm_draft *draft, const struct yaml_source *source,
    const struct property_item *item, const char **value_r)
{
	int given = item->value.given + item->env.given + item->file.given +
		    item->keep.given;

	if (given != 1) {
		property_problem(draft, source, &item->id, "id",
		    "expects exactly one of value, env, file and keep");
		return true;
	}
	if (item->keep.given)
		return property_take_kept(draft, source, item, value_r);
	if (item->env.given)
		return property_take_env(draft, source, &item->env, value_r);
	if (item->file.given && draft->dir == NULL)
		return true;
	if (item->file.given && property_is_secret(item))
		return property_take_secret_file(
		    draft, source, &item->file, value_r);
	if (item->file.given)
		return property_take_file(draft, source, &item->file, value_r);
	*value_r = item->value.text;
	return true;
}

static bool
property_take_item(struct realm_draft *draft, const struct yaml_source *source,
    const struct draft_file *file, const struct yaml_node *node)
{
	struct draft_property *property =
	    arena_alloc(draft->scratch, sizeof *property);
	struct property_item *item;

	if (property == NULL)
		return false;
	item = &property->item;
	if (!realm_schema_read(source, SCHEMA_property_item,
		(struct schema_input){node, node->line, ""}, item))
		return false;
	if (item->id.text == NULL)
		return true;
	if (!property_take_value(draft, source, item, &property->value))
		return false;
	if (item->value.given && item->sensitive.number != 0 && file->exposed)
		realm_problem_warn(&draft->problems,
		    (struct realm_place){
			source->file, item->value.line, "value"},
		    "a sensitive value in a file that others may read");
	property->next = draft->properties;
	draft->properties = property;
	draft->property_count++;
	return true;
}

bool
realm_property_take(struct realm_draft *draft, const struct draft_file *file)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);

	if (file->root == NULL)
		return true;
	if (file->root->kind != YAML_LIST) {
		realm_problem_add(&draft->problems,
		    (struct realm_place){file->path, file->root->line, NULL},
		    "expects a list of properties");
		return true;
	}
	for (const struct yaml_node *node = file->root->first; node != NULL;
	     node = node->next) {
		if (!property_take_item(draft, &source, file, node))
			return false;
	}
	return true;
}

/* ---- for one identity provider ------------------------------------------ */

static bool
property_is_for(
    const struct draft_property *property, const struct realm_idp *idp)
{
	const struct property_item *item = &property->item;

	if (property->value == NULL)
		return false;
	return !item->idps.given ||
	       string_set_has(&item->idps.list, span_str(idp->identifier));
}

static bool
property_is_key(const struct draft_property *property)
{
	return property->item.kind.number != 0;
}

/*
 * Either what scripts may read, where a key is null so that asking for it can
 * be told from asking for nothing, or the keys alone. realm_check_all() sorted
 * the list, so equal content is equal text.
 */
static void
property_write(const struct realm_draft *draft, const struct realm_idp *idp,
    bool only_keys, struct buf *json)
{
	static const struct span absent = {NULL, 0};
	bool first = true;

	buf_append_char(json, '{');
	for (const struct draft_property *property = draft->properties;
	     property != NULL; property = property->next) {
		bool is_key = property_is_key(property);

		if (!property_is_for(property, idp) || (only_keys && !is_key))
			continue;
		json_append_member_str(json, &first, property->item.id.text,
		    is_key && !only_keys ? absent : span_str(property->value));
	}
	buf_append_char(json, '}');
}

static int
property_compare(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static size_t
property_drop_doubles(const char **items, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(items[kept - 1], items[i]) != 0)
			items[kept++] = items[i];
	}
	return kept;
}

static bool
property_collect_sensitive(struct realm_draft *draft, struct realm_idp *idp)
{
	const char **items = arena_alloc(
	    draft->scratch, (draft->property_count + 1) * sizeof *items);
	size_t count = 0;

	if (items == NULL)
		return false;
	for (const struct draft_property *property = draft->properties;
	     property != NULL; property = property->next) {
		/* Masking the empty string would mask between all bytes. */
		if (property_is_for(property, idp) &&
		    !property_is_key(property) &&
		    property->item.sensitive.number != 0 &&
		    property->value[0] != '\0')
			items[count++] = property->value;
	}
	qsort(items, count, sizeof *items, property_compare);
	count = property_drop_doubles(items, count);
	return realm_schema_copy_set(draft->kept,
	    &(struct string_set){items, count}, &idp->sensitive_values);
}

static bool
property_version(struct realm_draft *draft, struct realm_idp *idp)
{
	struct buf bytes;
	bool fine;

	if (draft->sources->vault == NULL)
		return true;
	buf_init(&bytes, 2 * PROPERTIES_JSON_BYTES + REALM_IDP_ID_BYTES +
			     REALM_CA_BYTES + 3);
	buf_append_str(&bytes, idp->identifier);
	buf_append_char(&bytes, '\0');
	buf_append_str(&bytes, idp->properties_json);
	buf_append_char(&bytes, '\0');
	buf_append_str(&bytes, idp->keys_json);
	/* It is handed out, and kept, together with the keys. */
	if (idp->http_ca_pem != NULL) {
		buf_append_char(&bytes, '\0');
		buf_append_str(&bytes, idp->http_ca_pem);
	}
	fine = !bytes.failed;
	if (fine)
		vault_mac(draft->sources->vault, VAULT_PROPERTIES,
		    buf_span(&bytes), idp->properties_version);
	buf_wipe(&bytes);
	return fine;
}

/* One of the two texts; NULL in `json_r` after a mistake. False: no memory. */
static bool
property_give_json(struct realm_draft *draft, const struct realm_idp *idp,
    bool only_keys, const char **json_r)
{
	struct buf json;
	bool fine = true;

	*json_r = NULL;
	buf_init(&json, PROPERTIES_JSON_BYTES);
	property_write(draft, idp, only_keys, &json);
	if (json.failed && !json.no_memory) {
		realm_problem_add(&draft->problems,
		    (struct realm_place){"properties.yaml", 0, NULL},
		    "those of identity provider '%s' are over %zu bytes",
		    idp->identifier, PROPERTIES_JSON_BYTES);
	} else {
		*json_r = arena_copy_str(draft->kept, buf_span(&json));
		fine = !json.failed && *json_r != NULL;
	}
	buf_wipe(&json);
	return fine;
}

bool
realm_property_give(struct realm_draft *draft, struct realm_idp *idp)
{
	if (!property_give_json(draft, idp, false, &idp->properties_json) ||
	    !property_give_json(draft, idp, true, &idp->keys_json))
		return false;
	if (idp->properties_json != NULL && idp->keys_json != NULL &&
	    !property_version(draft, idp))
		return false;
	return property_collect_sensitive(draft, idp);
}
