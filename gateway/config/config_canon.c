/*
 * Files of a realm into their canonical form; see config_canon.h. What is
 * right is the loader's matter. Runs on the thread that loads or changes.
 */
#include "gateway/config/config_canon.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "gateway/config/config_text.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_draft.h"

/* ---- names of files ------------------------------------------------------ */

static bool
canon_starts(const char *path, const char *with)
{
	return strncmp(path, with, strlen(with)) == 0;
}

static bool
canon_ends(const char *path, const char *with)
{
	size_t len = strlen(path);
	size_t tail = strlen(with);

	return len > tail && strcmp(path + len - tail, with) == 0;
}

struct span
config_canon_idp(const char *path)
{
	const char *id = path + strlen("idps/");
	const char *slash;

	if (!canon_starts(path, "idps/"))
		return span_str(NULL);
	slash = strchr(id, '/');
	return slash == NULL ? span_str(NULL)
			     : span_of(id, (size_t)(slash - id));
}

enum config_kind
config_canon_kind(const char *path)
{
	struct span idp = config_canon_idp(path);

	if (strcmp(path, "realm.yaml") == 0)
		return CONFIG_REALM;
	if (strcmp(path, "scopes.yaml") == 0)
		return CONFIG_SCOPE;
	if (strcmp(path, "properties.yaml") == 0)
		return CONFIG_PROPERTY;
	if (canon_starts(path, "clients/") && canon_ends(path, ".yaml"))
		return CONFIG_CLIENT;
	if (canon_starts(path, "api-clients/") && canon_ends(path, ".yaml"))
		return CONFIG_API_CLIENT;
	if (span_present(idp) &&
	    strcmp((const char *)idp.data + idp.len, "/idp.yaml") == 0)
		return CONFIG_IDP;
	return CONFIG_KINDS;
}

/* A name that begins with a dot would not be read in a directory; % is in no
 * client id. */
static const char *
canon_client_path(struct arena *arena, const char *folder, const char *id)
{
	if (id[0] == '.')
		return arena_printf(arena, "%s/%%2E%s.yaml", folder, id + 1);
	return arena_printf(arena, "%s/%s.yaml", folder, id);
}

const char *
config_canon_path(struct arena *arena, enum config_kind kind, const char *id)
{
	switch (kind) {
	case CONFIG_SCOPE:
		return "scopes.yaml";
	case CONFIG_PROPERTY:
		return "properties.yaml";
	case CONFIG_CLIENT:
		return canon_client_path(arena, "clients", id);
	case CONFIG_API_CLIENT:
		return canon_client_path(arena, "api-clients", id);
	case CONFIG_IDP:
		return arena_printf(arena, "idps/%s/idp.yaml", id);
	case CONFIG_REALM:
	case CONFIG_KINDS:
	default:
		return "realm.yaml";
	}
}

/* ---- trees --------------------------------------------------------------- */

/* To be sorted. */
struct canon_item {
	struct yaml_node *node;
};

static int
canon_compare_keys(const void *a, const void *b)
{
	const struct canon_item *left = a;
	const struct canon_item *right = b;

	return strcmp(left->node->key, right->node->key);
}

static int
canon_compare_texts(const void *a, const void *b)
{
	const struct canon_item *left = a;
	const struct canon_item *right = b;

	return strcmp(left->node->text, right->node->text);
}

/* "" for what has no id, which no right file has. */
static const char *
canon_id(const struct yaml_node *node)
{
	const char *id = config_tree_text(node, "id");

	return id == NULL ? "" : id;
}

static int
canon_compare_ids(const void *a, const void *b)
{
	const struct canon_item *left = a;
	const struct canon_item *right = b;

	return strcmp(canon_id(left->node), canon_id(right->node));
}

static bool
canon_sort(struct arena *arena, struct yaml_node *parent,
    int (*compare)(const void *a, const void *b))
{
	size_t count = parent->count;
	struct canon_item *items;
	size_t i = 0;

	if (count < 2)
		return true;
	items = arena_alloc(arena, count * sizeof *items);
	if (items == NULL)
		return false;
	for (struct yaml_node *node = parent->first; node != NULL;
	     node = node->next)
		items[i++].node = node;
	qsort(items, count, sizeof *items, compare);
	parent->first = parent->last = NULL;
	parent->count = 0;
	for (i = 0; i < count; i++)
		config_tree_append(parent, items[i].node->key, items[i].node);
	return true;
}

/* Every scalar of a free map is text: its reader takes it so. */
static struct yaml_node *
canon_copy_one(struct arena *arena, const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR
		   ? config_tree_scalar(arena, node->text, false)
		   : config_tree_new(arena, node->kind);
}

static bool
canon_sort_maps(struct arena *arena, struct yaml_node *root)
{
	size_t depth = 0;

	for (struct yaml_node *node = root; node != NULL;) {
		if (node->kind == YAML_MAP &&
		    !canon_sort(arena, node, canon_compare_keys))
			return false;
		/* The walk only reads; these nodes are ours. */
		node = (struct yaml_node *)(uintptr_t)config_tree_next(
		    root, node, &depth);
	}
	return true;
}

static struct yaml_node *
canon_free(struct arena *arena, const struct yaml_node *root)
{
	struct yaml_node *copy = canon_copy_one(arena, root);
	struct yaml_node *at = copy;
	size_t at_depth = 0;
	size_t depth = 0;
	const struct yaml_node *node = root;

	while (at != NULL &&
	       (node = config_tree_next(root, node, &depth)) != NULL) {
		struct yaml_node *child = canon_copy_one(arena, node);

		if (child == NULL)
			return NULL;
		for (; at_depth >= depth; at_depth--)
			at = at->parent;
		config_tree_append(at, node->key, child);
		at = child;
		at_depth = depth;
	}
	return copy != NULL && canon_sort_maps(arena, copy) ? copy : NULL;
}

static struct yaml_node *
canon_set(struct arena *arena, const struct yaml_node *list)
{
	struct yaml_node *set = config_tree_new(arena, YAML_LIST);

	if (set == NULL)
		return NULL;
	for (const struct yaml_node *item = list->first; item != NULL;
	     item = item->next) {
		struct yaml_node *copy;

		if (item->kind != YAML_SCALAR)
			continue;
		copy = config_tree_scalar(arena, item->text, false);
		if (copy == NULL)
			return NULL;
		config_tree_append(set, NULL, copy);
	}
	return canon_sort(arena, set, canon_compare_texts) ? set : NULL;
}

/* Nests as deep as the schema does, whatever the file. */
static struct yaml_node *canon_map(struct arena *arena,
    enum realm_schema_id schema, const struct yaml_node *map);

static struct yaml_node *
canon_value(struct arena *arena, const struct schema_key *key,
    const struct yaml_node *node)
{
	if (key->form == FORM_SET && node->kind == YAML_LIST)
		return canon_set(arena, node);
	if (key->form == FORM_BLOCK && node->kind == YAML_MAP)
		return canon_map(arena, key->block, node);
	if (key->form == FORM_LITERAL && node->kind == YAML_SCALAR)
		return config_tree_scalar(arena, node->text, true);
	return canon_free(arena, node);
}

static struct yaml_node *
canon_map(struct arena *arena, enum realm_schema_id schema,
    const struct yaml_node *map)
{
	struct yaml_node *canon = config_tree_new(arena, YAML_MAP);
	struct schema_key key;

	for (size_t place = 0;
	     canon != NULL && realm_schema_key(schema, place, &key); place++) {
		const struct yaml_node *member =
		    config_tree_member(map, key.key);
		struct yaml_node *value;

		if (member == NULL)
			continue;
		value = canon_value(arena, &key, member);
		if (value == NULL)
			return NULL;
		if (key.form != FORM_BLOCK || value->kind != YAML_MAP ||
		    value->count > 0)
			config_tree_append(canon, key.key, value);
	}
	return canon;
}

/* ---- secrets ------------------------------------------------------------- */

static struct config_given *
canon_note(struct config_canon *canon, enum config_kind kind, const char *id,
    const char *path)
{
	struct config_given *given;

	if (canon->given_count == canon->given_room) {
		size_t room = canon->given_room * 2 + 16;
		struct config_given *more = arena_alloc(
		    canon->arena, room * sizeof(struct config_given));

		if (more == NULL)
			return NULL;
		if (canon->given_count > 0)
			memcpy(more, canon->given,
			    canon->given_count * sizeof *more);
		canon->given = more;
		canon->given_room = room;
	}
	given = &canon->given[canon->given_count++];
	*given = (struct config_given){.kind = kind, .id = id, .path = path};
	return given;
}

/* Instead of the member `key` of `map`, if there is one. */
static bool
canon_put(struct yaml_node *map, const char *key, struct yaml_node *value)
{
	struct yaml_node *old = config_tree_member(map, key);

	if (value == NULL)
		return false;
	if (old != NULL)
		config_tree_replace(old, value);
	else
		config_tree_append(map, key, value);
	return true;
}

static void
canon_take_given(const struct yaml_node *block, struct config_given *given)
{
	static const struct {
		const char *key;
		enum config_given_how how;
	} ways[] = {
	    {"plain", GIVEN_PLAIN},
	    {"hash", GIVEN_HASH},
	    {"keep", GIVEN_KEPT},
	    {"env", GIVEN_ELSEWHERE},
	    {"file", GIVEN_ELSEWHERE},
	};

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		given->text = config_tree_text(block, ways[i].key);
		given->how = ways[i].how;
		if (given->text != NULL)
			return;
	}
	given->how = GIVEN_NOT;
}

/* Whatever the file says but for a secret elsewhere: it is kept from now on. */
static bool
canon_take_client(struct config_canon *canon, enum config_kind kind,
    const char *path, struct yaml_node *map)
{
	const char *id = config_tree_text(map, "client_id");
	struct config_given *given;
	struct yaml_node *keep;

	if (id == NULL)
		return true;
	given = canon_note(canon, kind, id, path);
	if (given == NULL)
		return false;
	canon_take_given(config_tree_member(map, "client_secret"), given);
	if (given->how == GIVEN_ELSEWHERE)
		return true;
	keep = config_tree_new(canon->arena, YAML_MAP);
	return keep != NULL &&
	       canon_put(
		   keep, "keep", config_tree_scalar(canon->arena, id, false)) &&
	       canon_put(map, "client_secret", keep);
}

static bool
canon_is_secret(const struct yaml_node *property, bool *is_key_r)
{
	const char *kind = config_tree_text(property, "kind");
	const char *sensitive = config_tree_text(property, "sensitive");

	*is_key_r = kind != NULL && strcmp(kind, "key") == 0;
	return *is_key_r ||
	       (sensitive != NULL && strcmp(sensitive, "true") == 0);
}

static bool
canon_take_property(
    struct config_canon *canon, const char *path, struct yaml_node *map)
{
	struct yaml_node *value = config_tree_member(map, "value");
	const char *id = canon_id(map);
	struct config_given *given;
	bool is_key;

	if (!canon_is_secret(map, &is_key))
		return true;
	given = canon_note(canon, CONFIG_PROPERTY, id, path);
	if (given == NULL)
		return false;
	given->is_key = is_key;
	given->how = config_tree_member(map, "keep") != NULL ? GIVEN_KEPT
							     : GIVEN_ELSEWHERE;
	if (value == NULL || value->kind != YAML_SCALAR)
		return true;
	given->how = GIVEN_PLAIN;
	given->text = value->text;
	config_tree_remove(map, value);
	return canon_put(
	    map, "keep", config_tree_scalar(canon->arena, id, false));
}

/* ---- files --------------------------------------------------------------- */

static bool
canon_nomem(struct err_detail *detail)
{
	(void)err_set(detail, ERR_NOMEM, "the realm does not fit into memory");
	return false;
}

bool
config_canon_parse(struct arena *arena, const char *path, struct span bytes,
    struct yaml_node **root_r, struct err_detail *detail)
{
	struct buf text;
	struct realm_problems problems = {.out = &text};
	const struct yaml_source source = {path, arena, &problems};
	const struct yaml_node *root = NULL;
	bool fine;

	buf_init(&text, ERR_DETAIL_BYTES);
	fine = realm_yaml_parse(&source, bytes, &root);
	if (!fine && problems.mistakes > 0)
		(void)err_set(detail, ERR_SYNTAX, "%.*s",
		    (int)(text.len > 0 ? text.len - 1 : 0),
		    text.data == NULL ? "" : (const char *)text.data);
	else if (!fine)
		(void)canon_nomem(detail);
	buf_fini(&text);
	/* The parser's result is const for the loader; it lies in our arena. */
	if (fine)
		*root_r = (struct yaml_node *)(uintptr_t)root;
	return fine;
}

static bool
canon_keep(struct config_canon *canon, const char *path, struct span bytes,
    struct err_detail *detail)
{
	struct config_file *file;

	if (canon->count == canon->room) {
		size_t room = canon->room * 2 + 16;
		struct config_file *more = arena_alloc(
		    canon->arena, room * sizeof(struct config_file));

		if (more == NULL)
			return canon_nomem(detail);
		if (canon->count > 0)
			memcpy(more, canon->files, canon->count * sizeof *more);
		canon->files = more;
		canon->room = room;
	}
	file = &canon->files[canon->count];
	file->path = arena_strdup(canon->arena, path);
	file->text =
	    bytes.len == 0 ? span_str("") : arena_copy(canon->arena, bytes);
	if (file->path == NULL || !span_present(file->text))
		return canon_nomem(detail);
	canon->count++;
	return true;
}

static bool
canon_write(struct config_canon *canon, const char *path,
    const struct yaml_node *root, struct err_detail *detail)
{
	struct buf text;
	bool fine = false;

	if (root->kind == YAML_SCALAR || root->count == 0)
		return true; /* says nothing: no file */
	buf_init(&text, REALM_FILE_BYTES);
	config_text_yaml(root, &text);
	if (buf_status(&text) == ERR_LIMIT)
		(void)err_set(detail, ERR_LIMIT,
		    "%s: its canonical form is larger than %zu bytes", path,
		    REALM_FILE_BYTES);
	else if (text.failed)
		(void)canon_nomem(detail);
	else
		fine = canon_keep(canon, path, buf_span(&text), detail);
	buf_fini(&text);
	return fine;
}

static bool
canon_add_list(struct config_canon *canon, enum config_kind kind,
    const char *path, struct yaml_node *root, struct err_detail *detail)
{
	struct yaml_node *list = config_tree_new(canon->arena, YAML_LIST);

	for (struct yaml_node *item = root->first; item != NULL;
	     item = item->next) {
		struct yaml_node *canonical;

		if (kind == CONFIG_PROPERTY && item->kind == YAML_MAP &&
		    !canon_take_property(canon, path, item))
			return canon_nomem(detail);
		canonical = canon_map(canon->arena,
		    kind == CONFIG_SCOPE ? SCHEMA_scope_item
					 : SCHEMA_property_item,
		    item);
		if (list == NULL || canonical == NULL)
			return canon_nomem(detail);
		config_tree_append(list, NULL, canonical);
	}
	if (list == NULL || !canon_sort(canon->arena, list, canon_compare_ids))
		return canon_nomem(detail);
	return canon_write(canon, path, list, detail);
}

static bool
canon_add_map(struct config_canon *canon, enum config_kind kind,
    const char *path, struct yaml_node *root, struct err_detail *detail)
{
	static const enum realm_schema_id schemas[CONFIG_KINDS] = {
	    [CONFIG_REALM] = SCHEMA_realm_file,
	    [CONFIG_CLIENT] = SCHEMA_client_file,
	    [CONFIG_API_CLIENT] = SCHEMA_api_client_file,
	    [CONFIG_IDP] = SCHEMA_idp_file,
	};
	struct yaml_node *canonical;

	if (kind == CONFIG_CLIENT || kind == CONFIG_API_CLIENT) {
		const char *id = config_tree_text(root, "client_id");

		if (id != NULL)
			path = config_canon_path(canon->arena, kind, id);
		if (path == NULL || !canon_take_client(canon, kind, path, root))
			return canon_nomem(detail);
	}
	canonical = canon_map(canon->arena, schemas[kind], root);
	if (canonical == NULL)
		return canon_nomem(detail);
	return canon_write(canon, path, canonical, detail);
}

bool
config_canon_add(struct config_canon *canon, const char *path,
    struct span bytes, struct err_detail *detail)
{
	enum config_kind kind = config_canon_kind(path);
	struct yaml_node *root;

	if (kind == CONFIG_KINDS)
		return canon_keep(canon, path, bytes, detail);
	if (!config_canon_parse(canon->arena, path, bytes, &root, detail))
		return false;
	if (root == NULL)
		return true;
	if (kind == CONFIG_SCOPE || kind == CONFIG_PROPERTY)
		return canon_add_list(canon, kind, path, root, detail);
	return canon_add_map(canon, kind, path, root, detail);
}

bool
config_canon_add_same(struct config_canon *canon,
    const struct config_file *file, struct err_detail *detail)
{
	return canon_keep(canon, file->path, file->text, detail);
}

static int
canon_compare_paths(const void *a, const void *b)
{
	const struct config_file *left = a;
	const struct config_file *right = b;

	return strcmp(left->path, right->path);
}

void
config_canon_finish(struct config_canon *canon)
{
	if (canon->count > 1)
		qsort(canon->files, canon->count, sizeof *canon->files,
		    canon_compare_paths);
}
