/*
 * Making, patching and removing one resource of the set. The change itself:
 * config_change.c. Any thread.
 */
#include <string.h>

#include "common/arena.h"
#include "common/script_code.h"
#include "gateway/config/config_edit.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_syntax.h"

struct resource {
	const struct config_request *request;
	enum config_kind kind;
	struct span id;
	struct span json;
	const char *made_id; /* in the edit's arena */
};

/* Where it is said what a resource is. */
static const char *
resource_id_key(enum config_kind kind)
{
	return kind == CONFIG_CLIENT || kind == CONFIG_API_CLIENT ? "client_id"
								  : "id";
}

static bool
resource_is_list(enum config_kind kind)
{
	return kind == CONFIG_SCOPE || kind == CONFIG_PROPERTY;
}

static bool
resource_is_client(enum config_kind kind)
{
	return kind == CONFIG_CLIENT || kind == CONFIG_API_CLIENT;
}

/* What the loader would say only of a file that has a name. */
static bool
resource_is_id(enum config_kind kind, const char *id)
{
	struct span text = span_str(id);

	if (kind == CONFIG_IDP)
		return realm_syntax_is_idp_id(text);
	if (resource_is_client(kind))
		return realm_syntax_is_client_id(text);
	return kind == CONFIG_SCOPE ? realm_syntax_is_scope(text)
				    : realm_syntax_is_property_id(text);
}

/* ---- scripts of an identity provider ------------------------------------- */

static const char *
resource_script_path(
    struct arena *arena, const char *idp, enum script_kind kind)
{
	return arena_printf(
	    arena, "idps/%s/%s.js", idp, script_kind_name(kind));
}

static enum err
resource_put_script(struct config_edit *edit, const char *idp,
    enum script_kind kind, const struct yaml_node *script,
    struct err_detail *detail)
{
	const char *path = resource_script_path(edit->arena, idp, kind);

	if (path == NULL)
		return ERR_NOMEM;
	if (config_tree_is_null(script)) {
		config_edit_remove(edit, path);
		return OK;
	}
	if (script->kind != YAML_SCALAR || script->plain)
		return err_set(detail, ERR_SYNTAX,
		    "scripts.%s: expects text or null", script_kind_name(kind));
	return config_edit_put(edit, path, span_str(script->text));
}

/* Takes "scripts" out of the document and into files. */
static enum err
resource_put_scripts(struct config_edit *edit, const char *idp,
    struct yaml_node *document, struct err_detail *detail)
{
	struct yaml_node *scripts = config_tree_member(document, "scripts");
	size_t known = 0;
	enum err err = OK;

	if (scripts == NULL)
		return OK;
	config_tree_remove(document, scripts);
	if (scripts->kind != YAML_MAP)
		return err_set(detail, ERR_SYNTAX,
		    "scripts: expects an object of init, complete, "
		    "backchannel");
	for (size_t i = 0; i < SCRIPT_KINDS && err == OK; i++) {
		const struct yaml_node *script = config_tree_member(
		    scripts, script_kind_name((enum script_kind)i));

		known += script != NULL;
		if (script != NULL)
			err = resource_put_script(
			    edit, idp, (enum script_kind)i, script, detail);
	}
	if (err == OK && known != scripts->count)
		return err_set(detail, ERR_SYNTAX,
		    "scripts: knows init, complete and backchannel");
	return err;
}

/* ---- lists --------------------------------------------------------------- */

static struct yaml_node *
resource_find_item(const struct yaml_node *list, const char *id)
{
	for (struct yaml_node *item = list->first; item != NULL;
	     item = item->next) {
		const char *other = config_tree_text(item, "id");

		if (other != NULL && strcmp(other, id) == 0)
			return item;
	}
	return NULL;
}

static enum err
resource_add_item(struct config_edit *edit, const char *path,
    struct yaml_node *item, struct err_detail *detail)
{
	struct yaml_node *list;
	enum err err = config_edit_read(edit, path, YAML_LIST, &list, detail);

	if (err != OK)
		return err;
	config_tree_append(list, NULL, item);
	return config_edit_write(edit, path, list);
}

/* ---- making -------------------------------------------------------------- */

static enum err
resource_take_id(struct resource *resource, struct config_edit *edit,
    const struct yaml_node *document, struct err_detail *detail)
{
	const char *key = resource_id_key(resource->kind);
	const char *id = config_tree_text(document, key);

	if (id == NULL || !resource_is_id(resource->kind, id))
		return err_set(detail, ERR_SYNTAX,
		    "%s: expects the %s's identifier", key,
		    config_kind_name(resource->kind));
	if (config_view_document(edit->view, resource->kind, span_str(id)) !=
	    NULL)
		return err_set(detail, ERR_EXISTS,
		    "there is a %s '%.255s' already",
		    config_kind_name(resource->kind), id);
	resource->made_id = id;
	edit->kind = resource->kind;
	edit->id = id;
	return OK;
}

static enum err
resource_place(struct config_edit *edit, enum config_kind kind, const char *id,
    struct yaml_node *document, struct err_detail *detail)
{
	const char *path = config_canon_path(edit->arena, kind, id);
	enum err err = OK;

	if (path == NULL)
		return ERR_NOMEM;
	if (resource_is_list(kind))
		return resource_add_item(edit, path, document, detail);
	if (kind == CONFIG_IDP) {
		config_tree_remove(
		    document, config_tree_member(document, "id"));
		err = resource_put_scripts(edit, id, document, detail);
	} else {
		edit->fresh = path;
	}
	return err == OK ? config_edit_write(edit, path, document) : err;
}

static enum err
resource_create(struct config_edit *edit, void *user, struct err_detail *detail)
{
	struct resource *resource = user;
	struct yaml_node *document;
	enum err err =
	    config_edit_json(edit, resource->json, &document, detail);

	if (err != OK)
		return err;
	config_tree_drop_nulls(document);
	err = resource_take_id(resource, edit, document, detail);
	if (err != OK)
		return err;
	return resource_place(
	    edit, resource->kind, resource->made_id, document, detail);
}

enum err
config_create(struct config *config, const struct config_request *request,
    enum config_kind kind, struct span json, const char **id_r,
    struct config_outcome *outcome, struct err_detail *detail)
{
	struct resource resource = {
	    .request = request, .kind = kind, .json = json};
	const struct config_step step = {
	    .edit = resource_create, .user = &resource};
	enum err err;

	if (kind == CONFIG_REALM)
		return err_set(
		    detail, ERR_EXISTS, "there is one realm already");
	err = config_change(config, request, &step, outcome, detail);
	if (err == OK && id_r != NULL)
		*id_r = outcome->made_id;
	return err;
}

/* ---- patching ------------------------------------------------------------ */

/* The resource as it is; its etag must be the one that was asked for. */
static enum err
resource_find(const struct resource *resource, struct config_edit *edit,
    const struct config_document **document_r, struct err_detail *detail)
{
	const struct config_document *document =
	    config_view_document(edit->view, resource->kind, resource->id);
	const char *etag = resource->request->etag;

	if (document == NULL)
		return err_set(detail, ERR_NOT_FOUND, "there is no such %s",
		    config_kind_name(resource->kind));
	if (etag != NULL && strcmp(etag, document->etag) != 0)
		return err_set(detail, ERR_STALE,
		    "the %s was changed: its etag is %s",
		    config_kind_name(resource->kind), document->etag);
	edit->kind = resource->kind;
	edit->id = document->id;
	*document_r = document;
	return OK;
}

/* In a patch it may stand, but only as it is. */
static enum err
resource_check_id(const struct yaml_node *patch, enum config_kind kind,
    const char *id, struct err_detail *detail)
{
	const char *key = resource_id_key(kind);
	const struct yaml_node *member = config_tree_member(patch, key);

	if (kind == CONFIG_REALM || member == NULL)
		return OK;
	if (member->kind == YAML_SCALAR && strcmp(member->text, id) == 0)
		return OK;
	return err_set(detail, ERR_SYNTAX,
	    "%s: the identifier of a %s cannot be changed", key,
	    config_kind_name(kind));
}

static void
resource_drop_member(struct yaml_node *map, const char *key)
{
	struct yaml_node *member = config_tree_member(map, key);

	if (member != NULL)
		config_tree_remove(map, member);
}

/* A secret that is given anew takes the place of the one that is kept; null
 * asks for a new one of ours. */
static void
resource_renew_secret(struct config_edit *edit, const char *path,
    struct yaml_node *target, const struct yaml_node *patch)
{
	const struct yaml_node *secret =
	    config_tree_member(patch, "client_secret");

	if (secret == NULL)
		return;
	resource_drop_member(target, "client_secret");
	if (config_tree_is_null(secret))
		edit->fresh = path;
}

static void
resource_renew_value(struct yaml_node *target, const struct yaml_node *patch)
{
	static const char *const ways[] = {"value", "env", "file", "keep"};
	bool given = false;

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		const struct yaml_node *way =
		    config_tree_member(patch, ways[i]);

		given = given || (way != NULL && !config_tree_is_null(way));
	}
	for (size_t i = 0; given && i < sizeof ways / sizeof ways[0]; i++)
		resource_drop_member(target, ways[i]);
}

static enum err
resource_merge(struct config_edit *edit, const struct config_document *old,
    struct yaml_node *patch, struct err_detail *detail)
{
	enum config_kind kind = edit->kind;
	struct yaml_node *root, *target;
	enum err err = config_edit_read(edit, old->path,
	    resource_is_list(kind) ? YAML_LIST : YAML_MAP, &root, detail);

	if (err != OK)
		return err;
	target =
	    resource_is_list(kind) ? resource_find_item(root, old->id) : root;
	if (target == NULL)
		return err_set(
		    detail, ERR_CORRUPT, "%s has another shape", old->path);
	if (resource_is_client(kind))
		resource_renew_secret(edit, old->path, target, patch);
	if (kind == CONFIG_PROPERTY)
		resource_renew_value(target, patch);
	if (kind == CONFIG_IDP) {
		resource_drop_member(patch, "id");
		err = resource_put_scripts(edit, old->id, patch, detail);
	}
	if (err == OK && !config_tree_merge(edit->arena, target, patch))
		err = ERR_NOMEM;
	return err == OK ? config_edit_write(edit, old->path, root) : err;
}

static enum err
resource_patch(struct config_edit *edit, void *user, struct err_detail *detail)
{
	const struct resource *resource = user;
	const struct config_document *old = NULL;
	struct yaml_node *patch = NULL;
	enum err err = resource_find(resource, edit, &old, detail);

	if (old == NULL)
		return err;
	err = config_edit_json(edit, resource->json, &patch, detail);
	if (err == OK)
		err = resource_check_id(patch, resource->kind, old->id, detail);
	if (err == OK)
		err = resource_merge(edit, old, patch, detail);
	return err;
}

enum err
config_patch(struct config *config, const struct config_request *request,
    enum config_kind kind, struct span id, struct span json,
    struct config_outcome *outcome, struct err_detail *detail)
{
	struct resource resource = {
	    .request = request, .kind = kind, .id = id, .json = json};
	const struct config_step step = {
	    .edit = resource_patch, .user = &resource};

	return config_change(config, request, &step, outcome, detail);
}

/* ---- removing ------------------------------------------------------------ */

static enum err
resource_remove_item(struct config_edit *edit,
    const struct config_document *old, struct err_detail *detail)
{
	struct yaml_node *list, *item;
	enum err err =
	    config_edit_read(edit, old->path, YAML_LIST, &list, detail);

	if (err != OK)
		return err;
	item = resource_find_item(list, old->id);
	if (item != NULL)
		config_tree_remove(list, item);
	return config_edit_write(edit, old->path, list);
}

static enum err
resource_delete(struct config_edit *edit, void *user, struct err_detail *detail)
{
	const struct resource *resource = user;
	const struct config_document *old = NULL;
	enum err err = resource_find(resource, edit, &old, detail);

	if (old == NULL)
		return err;
	edit->id = NULL; /* it has no etag any more */
	if (resource_is_list(resource->kind))
		return resource_remove_item(edit, old, detail);
	config_edit_remove(edit, old->path);
	for (size_t i = 0; resource->kind == CONFIG_IDP && i < SCRIPT_KINDS;
	     i++) {
		const char *path = resource_script_path(
		    edit->arena, old->id, (enum script_kind)i);

		if (path == NULL)
			return ERR_NOMEM;
		config_edit_remove(edit, path);
	}
	return OK;
}

enum err
config_delete(struct config *config, const struct config_request *request,
    enum config_kind kind, struct span id, struct config_outcome *outcome,
    struct err_detail *detail)
{
	struct resource resource = {.request = request, .kind = kind, .id = id};
	const struct config_step step = {
	    .edit = resource_delete, .user = &resource};

	if (kind == CONFIG_REALM)
		return err_set(
		    detail, ERR_DENIED, "the realm itself cannot be deleted");
	return config_change(config, request, &step, outcome, detail);
}
