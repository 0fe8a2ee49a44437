/*
 * Three files of a realm for a local run; see realm_local.h. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/realm/realm_local.h"

#include "gateway/realm/realm_dir.h"
#include "gateway/realm/realm_schema.h"

/* As for a load (realm_draft.h). */
#define LOCAL_FILE_BYTES ((size_t)1 << 20)

/* What reading needs. */
struct reading {
	const struct realm_dir *dir;
	struct arena *arena;
	struct realm_problems *problems;
	const char *idp;
	struct realm_local *local;
	struct err_detail *detail;
};

/* *root_r is NULL for a file that is empty or missing. */
static enum err
parse(
    const struct reading *in, const char *path, const struct yaml_node **root_r)
{
	const struct yaml_source source = {path, in->arena, in->problems};
	size_t mistakes = in->problems->mistakes;
	struct buf text;
	enum err err;

	*root_r = NULL;
	buf_init(&text, LOCAL_FILE_BYTES);
	err = realm_dir_read(in->dir, path, &text, NULL, in->detail);
	if (err == OK && !realm_yaml_parse(&source, buf_span(&text), root_r))
		err =
		    in->problems->mistakes > mistakes ? ERR_INVALID : ERR_NOMEM;
	buf_wipe(&text);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK && err != ERR_INVALID)
		(void)err_prefix(in->detail, err, "%s", path);
	return err;
}

/* ---- limits --------------------------------------------------------------
 */

/* A key that is not given leaves what there is, but in the realm's block. */
static void
take_limits(
    const struct script_block *block, bool all, struct script_limits *limits)
{
#define TAKE(field)                    \
	if (all || block->field.given) \
	limits->field = block->field.number
	TAKE(wall_ms);
	TAKE(cpu_ms);
	TAKE(heap_mib);
	TAKE(executions_per_process);
	TAKE(host_calls);
	TAKE(source_kib);
	TAKE(data_kib);
	TAKE(result_kib);
	TAKE(log_kib);
	TAKE(http_body_kib);
	TAKE(cache_value_kib);
	TAKE(cache_entries);
#undef TAKE
}

/* Appends a list to what is allowed; doubles do no harm here. */
static enum err
add_allow(const struct reading *in, const struct string_set *list)
{
	struct string_set *allow = &in->local->http_allow;
	size_t count = allow->count + list->count;
	const char **items =
	    arena_alloc(in->arena, (count + 1) * sizeof *items);

	if (items == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < allow->count; i++)
		items[i] = allow->items[i];
	for (size_t i = 0; i < list->count; i++)
		items[allow->count + i] = list->items[i];
	*allow = (struct string_set){items, count};
	return OK;
}

static enum err
read_realm(const struct reading *in)
{
	const struct yaml_source source = {
	    "realm.yaml", in->arena, in->problems};
	const struct yaml_node *root;
	struct script_block script;
	struct realm_file settings;
	struct cache_block cache;
	struct http_block http;
	enum err err = parse(in, "realm.yaml", &root);

	if (err != OK && err != ERR_INVALID)
		return err;
	if (!realm_schema_read(&source, SCHEMA_realm_file,
		(struct schema_input){root, 1, ""}, &settings) ||
	    !realm_schema_read_block(&source, SCHEMA_script_block,
		&settings.script, "script", &script) ||
	    !realm_schema_read_block(
		&source, SCHEMA_http_block, &settings.http, "http", &http) ||
	    !realm_schema_read_block(
		&source, SCHEMA_cache_block, &settings.cache, "cache", &cache))
		return ERR_NOMEM;
	take_limits(&script, true, &in->local->limits);
	in->local->cache_ttl_secs = cache.ttl_secs.number;
	return add_allow(in, &http.allow.list);
}

static enum err
read_idp(const struct reading *in)
{
	char *path = arena_printf(in->arena, "idps/%s/idp.yaml", in->idp);
	const struct yaml_node *root;
	struct yaml_source source;
	struct script_block script;
	struct idp_file settings;
	struct http_block http;
	enum err err;

	if (path == NULL)
		return ERR_NOMEM;
	err = parse(in, path, &root);
	if (err != OK || root == NULL)
		return err == ERR_INVALID ? OK : err;
	source = (struct yaml_source){path, in->arena, in->problems};
	if (!realm_schema_read(&source, SCHEMA_idp_file,
		(struct schema_input){root, 1, ""}, &settings) ||
	    !realm_schema_read_block(&source, SCHEMA_script_block,
		&settings.script, "script", &script) ||
	    !realm_schema_read_block(
		&source, SCHEMA_http_block, &settings.http, "http", &http))
		return ERR_NOMEM;
	take_limits(&script, false, &in->local->limits);
	return add_allow(in, &http.allow.list);
}

/* ---- properties ----------------------------------------------------------
 */

static enum err
read_item(const struct reading *in, const struct yaml_node *node,
    struct realm_local_property *property_r, bool *taken_r)
{
	const struct yaml_source source = {
	    "properties.yaml", in->arena, in->problems};
	struct property_item item;

	*taken_r = false;
	if (!realm_schema_read(&source, SCHEMA_property_item,
		(struct schema_input){node, node->line, ""}, &item))
		return ERR_NOMEM;
	if (item.id.text == NULL || !item.value.given ||
	    (item.idps.given &&
		!string_set_has(&item.idps.list, span_str(in->idp))))
		return OK;
	*property_r = (struct realm_local_property){.id = item.id.text,
	    .value = item.value.text,
	    .is_key = item.kind.number != 0,
	    .is_sensitive = item.sensitive.number != 0};
	*taken_r = true;
	return OK;
}

static enum err
read_properties(const struct reading *in)
{
	struct realm_local_property *properties;
	const struct yaml_node *root;
	size_t count = 0;
	bool taken;
	enum err err = parse(in, "properties.yaml", &root);

	if (err != OK || root == NULL)
		return err == ERR_INVALID ? OK : err;
	if (root->kind != YAML_LIST) {
		realm_problem_add(in->problems,
		    (struct realm_place){"properties.yaml", root->line, NULL},
		    "expects a list of properties");
		return OK;
	}
	properties =
	    arena_alloc(in->arena, (root->count + 1) * sizeof *properties);
	if (properties == NULL)
		return ERR_NOMEM;
	for (const struct yaml_node *node = root->first; node != NULL;
	     node = node->next) {
		err = read_item(in, node, &properties[count], &taken);
		if (err != OK)
			return err;
		count += taken;
	}
	in->local->properties = properties;
	in->local->property_count = count;
	return OK;
}

enum err
realm_local_read(const char *dir, const char *idp, struct arena *arena,
    struct realm_problems *problems, struct realm_local *local_r,
    struct err_detail *detail)
{
	struct realm_local local = {.cache_ttl_secs = 0};
	struct reading in = {.arena = arena,
	    .problems = problems,
	    .idp = idp,
	    .local = &local,
	    .detail = detail};
	struct realm_dir *opened;
	enum err err = realm_dir_open(dir, &opened, detail);

	if (err != OK)
		return err;
	in.dir = opened;
	err = read_realm(&in);
	if (err == OK)
		err = read_idp(&in);
	if (err == OK)
		err = read_properties(&in);
	realm_dir_close(opened);
	if (err == OK && problems->mistakes > 0)
		err = err_set(detail, ERR_INVALID, "the realm has mistakes");
	if (err == OK)
		*local_r = local;
	return err;
}
