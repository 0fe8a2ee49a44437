/*
 * The realm's files and resources as others see them: immutable, counted. Not
 * how files become canonical: config_canon.c. Any thread.
 */
#include "gateway/config/config_view.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/check.h"
#include "common/encoding.h"
#include "gateway/config/config_canon.h"
#include "gateway/config/config_text.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_draft.h"

/* Files as text, and their resources as JSON. */
#define VIEW_BYTES (2 * REALM_BYTES_MAX)

struct document_list {
	struct config_document *items;
	size_t count;
	size_t room;
};

struct config_view {
	struct arena *arena; /* holds the view too */
	atomic_uint references;
	struct config_file *files;
	size_t file_count;
	struct document_list documents[CONFIG_KINDS];
	char revision[CONFIG_REVISION_CHARS + 1];
};

/* ---- hashes -------------------------------------------------------------- */

static void
view_append_part(struct buf *out, struct span part)
{
	buf_printf(out, "%zu:", part.len);
	buf_append_span(out, part);
}

/* The first `chars` hex digits of the SHA-256 of bytes that are whole. */
static bool
view_hash(const struct buf *bytes, char *text_r, size_t chars)
{
	uint8_t hash[DIGEST_BYTES];
	struct buf hex;

	if (bytes->failed)
		return false;
	digest_sha256(buf_span(bytes), hash);
	buf_init(&hex, (size_t)2 * DIGEST_BYTES);
	hex_append_lower(&hex, span_of(hash, sizeof hash));
	if (!hex.failed) {
		memcpy(text_r, hex.data, chars);
		text_r[chars] = '\0';
	}
	buf_fini(&hex);
	return text_r[0] != '\0';
}

static bool
view_revise(struct config_view *view)
{
	struct buf bytes;
	bool fine;

	buf_init(&bytes, VIEW_BYTES);
	for (size_t i = 0; i < view->file_count; i++) {
		view_append_part(&bytes, span_str(view->files[i].path));
		view_append_part(&bytes, view->files[i].text);
	}
	fine = view_hash(&bytes, view->revision, CONFIG_REVISION_CHARS);
	buf_fini(&bytes);
	return fine;
}

/* Of an IdP's folder, in which all files belong to it; else of the JSON. */
static bool
view_tag(const struct config_view *view, enum config_kind kind,
    struct config_document *document)
{
	struct buf bytes;
	bool fine;

	buf_init(&bytes, VIEW_BYTES);
	view_append_part(&bytes, document->json);
	for (size_t i = 0; kind == CONFIG_IDP && i < view->file_count; i++) {
		const struct config_file *file = &view->files[i];
		struct span idp = config_canon_idp(file->path);

		if (!span_is(idp, document->id))
			continue;
		view_append_part(&bytes, span_str(file->path));
		view_append_part(&bytes, file->text);
	}
	fine = view_hash(&bytes, document->etag, CONFIG_ETAG_CHARS);
	buf_fini(&bytes);
	return fine;
}

/* ---- documents ----------------------------------------------------------- */

static bool
view_nomem(struct err_detail *detail)
{
	(void)err_set(detail, ERR_NOMEM, "the realm does not fit into memory");
	return false;
}

static struct config_document *
view_add(struct config_view *view, enum config_kind kind)
{
	struct document_list *list = &view->documents[kind];

	if (list->count == list->room) {
		size_t room = list->room * 2 + 16;
		struct config_document *more = arena_alloc(
		    view->arena, room * sizeof(struct config_document));

		if (more == NULL)
			return NULL;
		if (list->count > 0)
			memcpy(more, list->items, list->count * sizeof *more);
		list->items = more;
		list->room = room;
	}
	return &list->items[list->count++];
}

static bool
view_write_json(struct config_view *view, const struct yaml_node *root,
    struct config_document *document)
{
	struct buf json;

	buf_init(&json, 2 * REALM_FILE_BYTES);
	config_text_json(root, &json);
	document->json = json.failed ? span_str(NULL)
				     : arena_copy(view->arena, buf_span(&json));
	buf_fini(&json);
	return span_present(document->json);
}

static bool
view_needs_admin(enum config_kind kind, const struct yaml_node *root)
{
	const char *type = config_tree_text(root, "kind");
	const char *sensitive = config_tree_text(root, "sensitive");

	return kind == CONFIG_API_CLIENT ||
	       (kind == CONFIG_PROPERTY &&
		   ((type != NULL && strcmp(type, "key") == 0) ||
		       (sensitive != NULL && strcmp(sensitive, "true") == 0)));
}

static bool
view_take(struct config_view *view, enum config_kind kind, const char *path,
    const char *id, const struct yaml_node *root)
{
	struct config_document *document = view_add(view, kind);

	if (document == NULL)
		return false;
	*document = (struct config_document){
	    .id = arena_strdup(view->arena, id == NULL ? "" : id),
	    .path = path,
	    .admin = view_needs_admin(kind, root),
	};
	return document->id != NULL && view_write_json(view, root, document) &&
	       view_tag(view, kind, document);
}

/* idp.yaml leaves the identifier to the folder; JSON has it first. */
static struct yaml_node *
view_name_idp(
    struct arena *scratch, const char *id, const struct yaml_node *root)
{
	struct yaml_node *named = config_tree_new(scratch, YAML_MAP);
	struct yaml_node *name = config_tree_scalar(scratch, id, false);
	struct yaml_node *next;

	if (named == NULL || name == NULL)
		return NULL;
	config_tree_append(named, "id", name);
	for (struct yaml_node *node = root->first; node != NULL; node = next) {
		next = node->next;
		config_tree_append(named, node->key, node);
	}
	return named;
}

static bool
view_take_idp(struct config_view *view, struct arena *scratch, const char *path,
    const struct yaml_node *root)
{
	const char *id = arena_copy_str(scratch, config_canon_idp(path));
	const struct yaml_node *named =
	    id == NULL ? NULL : view_name_idp(scratch, id, root);

	return named != NULL && view_take(view, CONFIG_IDP, path, id, named);
}

static bool
view_take_list(struct config_view *view, enum config_kind kind,
    const char *path, const struct yaml_node *root)
{
	for (const struct yaml_node *item = root->first; item != NULL;
	     item = item->next) {
		if (!view_take(
			view, kind, path, config_tree_text(item, "id"), item))
			return false;
	}
	return true;
}

static bool
view_take_file(struct config_view *view, struct arena *scratch,
    const struct config_file *file, struct err_detail *detail)
{
	enum config_kind kind = config_canon_kind(file->path);
	struct yaml_node *root;
	bool fine;

	if (kind == CONFIG_KINDS)
		return true;
	if (!config_canon_parse(scratch, file->path, file->text, &root, detail))
		return false;
	if (root == NULL)
		return true;
	if (kind == CONFIG_IDP)
		fine = view_take_idp(view, scratch, file->path, root);
	else if (kind == CONFIG_SCOPE || kind == CONFIG_PROPERTY)
		fine = view_take_list(view, kind, file->path, root);
	else
		fine = view_take(view, kind, file->path,
		    config_tree_text(root, "client_id"), root);
	return fine || view_nomem(detail);
}

/* The settings of a realm without realm.yaml. */
static bool
view_take_no_realm(struct config_view *view, struct err_detail *detail)
{
	static const struct yaml_node none = {.kind = YAML_MAP};

	if (view->documents[CONFIG_REALM].count > 0)
		return true;
	return view_take(view, CONFIG_REALM, "realm.yaml", "", &none) ||
	       view_nomem(detail);
}

static int
view_compare(const void *a, const void *b)
{
	const struct config_document *left = a;
	const struct config_document *right = b;

	return strcmp(left->id, right->id);
}

static bool
view_take_files(struct config_view *view, struct err_detail *detail)
{
	struct arena *scratch = arena_new(VIEW_BYTES);
	bool fine = scratch != NULL || view_nomem(detail);

	for (size_t i = 0; fine && i < view->file_count; i++) {
		fine = view_take_file(view, scratch, &view->files[i], detail);
		arena_reset(scratch);
	}
	arena_free(scratch);
	fine = fine && view_take_no_realm(view, detail);
	for (size_t kind = 0; fine && kind < CONFIG_KINDS; kind++) {
		struct document_list *list = &view->documents[kind];

		if (list->count > 1)
			qsort(list->items, list->count, sizeof *list->items,
			    view_compare);
	}
	return fine;
}

/* ---- the view ------------------------------------------------------------ */

static bool
view_copy_files(
    struct config_view *view, const struct config_file *files, size_t count)
{
	view->files =
	    arena_alloc(view->arena, (count + 1) * sizeof *view->files);
	if (view->files == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct config_file *file = &view->files[i];

		file->path = arena_strdup(view->arena, files[i].path);
		file->text = files[i].text.len == 0
				 ? span_str("")
				 : arena_copy(view->arena, files[i].text);
		if (file->path == NULL || !span_present(file->text))
			return false;
	}
	view->file_count = count;
	return true;
}

enum err
config_view_new(const struct config_file *files, size_t count,
    const struct config_view **view_r, struct err_detail *detail)
{
	struct arena *arena = arena_new(VIEW_BYTES);
	struct config_view *view =
	    arena == NULL ? NULL : arena_alloc(arena, sizeof *view);
	struct err_detail why = {0};

	if (view == NULL) {
		arena_free(arena);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	view->arena = arena;
	atomic_init(&view->references, 1);
	if (!view_copy_files(view, files, count) || !view_revise(view))
		(void)view_nomem(&why);
	else if (view_take_files(view, &why)) {
		*view_r = view;
		return OK;
	}
	arena_free(arena);
	return err_set(detail, ERR_CORRUPT, "%s", why.text);
}

/* Only the count behind the view changes, never the view. */
static struct config_view *
view_of(const struct config_view *view)
{
	return (struct config_view *)(uintptr_t)view;
}

void
config_view_hold(const struct config_view *view)
{
	(void)atomic_fetch_add_explicit(
	    &view_of(view)->references, 1, memory_order_relaxed);
}

void
config_view_release(const struct config_view *view)
{
	unsigned before;

	if (view == NULL)
		return;
	before = atomic_fetch_sub_explicit(
	    &view_of(view)->references, 1, memory_order_acq_rel);
	CHECK(before > 0);
	if (before == 1)
		arena_free(view->arena);
}

/* ---- look-ups ------------------------------------------------------------ */

const char *
config_view_revision(const struct config_view *view)
{
	return view->revision;
}

const struct config_file *
config_view_files(const struct config_view *view, size_t *count_r)
{
	*count_r = view->file_count;
	return view->files;
}

static int
view_compare_name(struct span name, const char *other)
{
	size_t len = strlen(other);
	int order = memcmp(name.data, other, name.len < len ? name.len : len);

	return order != 0 ? order : (name.len > len) - (name.len < len);
}

/* Each element of these arrays starts with its name. */
static const void *
view_search(struct span name, const void *base, size_t count, size_t bytes)
{
	const uint8_t *items = base;
	size_t low = 0;
	size_t high = count;

	while (span_present(name) && low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other;
		int order;

		memcpy(&other, items + middle * bytes, sizeof other);
		order = view_compare_name(name, other);
		if (order == 0)
			return items + middle * bytes;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

_Static_assert(offsetof(struct config_file, path) == 0, "view_search");
_Static_assert(offsetof(struct config_document, id) == 0, "view_search");

const struct config_file *
config_view_file(const struct config_view *view, struct span path)
{
	return view_search(
	    path, view->files, view->file_count, sizeof *view->files);
}

const struct config_document *
config_view_documents(
    const struct config_view *view, enum config_kind kind, size_t *count_r)
{
	*count_r = view->documents[kind].count;
	return view->documents[kind].items;
}

const struct config_document *
config_view_document(
    const struct config_view *view, enum config_kind kind, struct span id)
{
	return view_search(id, view->documents[kind].items,
	    view->documents[kind].count, sizeof *view->documents[kind].items);
}
