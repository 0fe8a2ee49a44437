/*
 * Adding, replacing and removing files of the set that a change makes. Not
 * which: config_resource.c, config_change.c, releases. Runs on the thread of
 * the change.
 */
#include "gateway/config/config_edit.h"

#include <string.h>

#include "common/arena.h"
#include "gateway/config/config_text.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_draft.h"

enum err
config_edit_begin(struct config_edit *edit, struct arena *arena,
    const struct config_view *view)
{
	size_t count;
	const struct config_file *files = config_view_files(view, &count);

	*edit = (struct config_edit){
	    .arena = arena, .view = view, .room = count + 16};
	edit->files = arena_alloc(arena, edit->room * sizeof *edit->files);
	if (edit->files == NULL)
		return ERR_NOMEM;
	if (count > 0)
		memcpy(edit->files, files, count * sizeof *files);
	edit->count = count;
	return OK;
}

const struct config_view *
config_edit_view(const struct config_edit *edit)
{
	return edit->view;
}

/* The place of the first file that is not below `path`. */
static size_t
edit_search(const struct config_edit *edit, const char *path)
{
	size_t low = 0;
	size_t high = edit->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(edit->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
edit_has(const struct config_edit *edit, size_t at, const char *path)
{
	return at < edit->count && strcmp(edit->files[at].path, path) == 0;
}

struct span
config_edit_get(const struct config_edit *edit, const char *path)
{
	size_t at = edit_search(edit, path);

	return edit_has(edit, at, path) ? edit->files[at].text : span_str(NULL);
}

static bool
edit_make_room(struct config_edit *edit, size_t at)
{
	if (edit->count == edit->room) {
		size_t room = edit->room * 2;
		struct config_file *more =
		    arena_alloc(edit->arena, room * sizeof(struct config_file));

		if (more == NULL)
			return false;
		memcpy(more, edit->files, edit->count * sizeof *more);
		edit->files = more;
		edit->room = room;
	}
	memmove(&edit->files[at + 1], &edit->files[at],
	    (edit->count - at) * sizeof *edit->files);
	edit->count++;
	return true;
}

enum err
config_edit_put(struct config_edit *edit, const char *path, struct span text)
{
	size_t at = edit_search(edit, path);
	struct config_file file = {
	    .path = arena_strdup(edit->arena, path),
	    .text =
		text.len == 0 ? span_str("") : arena_copy(edit->arena, text),
	};

	if (file.path == NULL || !span_present(file.text))
		return ERR_NOMEM;
	if (!edit_has(edit, at, path) && !edit_make_room(edit, at))
		return ERR_NOMEM;
	edit->files[at] = file;
	return OK;
}

void
config_edit_remove(struct config_edit *edit, const char *path)
{
	size_t at = edit_search(edit, path);

	if (!edit_has(edit, at, path))
		return;
	edit->count--;
	memmove(&edit->files[at], &edit->files[at + 1],
	    (edit->count - at) * sizeof *edit->files);
}

/* ---- documents ----------------------------------------------------------- */

static bool
edit_is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* JSON is YAML, but not the other way round: an object, and no words but
 * JSON's. */
static bool
edit_is_json(const struct yaml_node *root, struct span json)
{
	const struct yaml_node *node = root;
	size_t depth = 0;
	size_t at = 0;

	while (at < json.len && edit_is_white(json.data[at]))
		at++;
	if (root == NULL || root->kind != YAML_MAP || json.data[at] != '{')
		return false;
	while ((node = config_tree_next(root, node, &depth)) != NULL) {
		if (node->kind != YAML_SCALAR || !node->plain ||
		    strcmp(node->text, "true") == 0 ||
		    strcmp(node->text, "false") == 0 ||
		    strcmp(node->text, "null") == 0)
			continue;
		if (node->text[0] == '\0' ||
		    node->text[strspn(node->text, "0123456789+-.eE")] != '\0')
			return false;
	}
	return true;
}

enum err
config_edit_json(struct config_edit *edit, struct span json,
    struct yaml_node **root_r, struct err_detail *detail)
{
	struct yaml_node *root;

	if (json.len > REALM_FILE_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "the document is larger than %zu bytes", REALM_FILE_BYTES);
	if (!config_canon_parse(edit->arena, "body", json, &root, detail))
		return ERR_SYNTAX;
	if (!edit_is_json(root, json))
		return err_set(detail, ERR_SYNTAX, "expects an object in JSON");
	*root_r = root;
	return OK;
}

enum err
config_edit_write(
    struct config_edit *edit, const char *path, const struct yaml_node *root)
{
	struct buf text;
	enum err err;

	buf_init(&text, REALM_FILE_BYTES);
	if (root->count > 0)
		config_text_yaml(root, &text);
	err = buf_status(&text);
	if (err == OK && root->count == 0)
		config_edit_remove(edit, path);
	else if (err == OK)
		err = config_edit_put(edit, path, buf_span(&text));
	edit->json_path = path;
	/* It may hold a secret. */
	buf_wipe(&text);
	return err;
}

enum err
config_edit_read(struct config_edit *edit, const char *path,
    enum yaml_kind kind, struct yaml_node **root_r, struct err_detail *detail)
{
	struct span text = config_edit_get(edit, path);
	struct yaml_node *root = NULL;

	if (span_present(text) &&
	    !config_canon_parse(edit->arena, path, text, &root, detail))
		return ERR_CORRUPT;
	if (root == NULL)
		root = config_tree_new(edit->arena, kind);
	if (root == NULL)
		return ERR_NOMEM;
	if (root->kind != kind)
		return err_set(
		    detail, ERR_CORRUPT, "%s has another shape", path);
	*root_r = root;
	return OK;
}

enum err
config_edit_merge(struct config_edit *edit, const char *path, struct span json,
    struct err_detail *detail)
{
	struct yaml_node *patch = NULL;
	struct yaml_node *document = NULL;
	enum err err;

	if (!span_present(config_edit_get(edit, path)))
		return err_set(detail, ERR_NOT_FOUND, "there is no %s", path);
	err = config_edit_json(edit, json, &patch, detail);
	if (err == OK)
		err = config_edit_read(edit, path, YAML_MAP, &document, detail);
	if (document == NULL)
		return err;
	if (!config_tree_merge(edit->arena, document, patch))
		return ERR_NOMEM;
	return config_edit_write(edit, path, document);
}
