/*
 * Reading a realm directory; see ctl_tree.h. Knows no YAML: the gateway judges
 * what the files say. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/check.h"
#include "common/encoding.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_path.h"

/* Names and paths, of as many entries as a folder may have. */
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct tree {
	int root;
	struct arena *arena;
	json_t *files;
	size_t bytes;
};

/* What becomes of an entry of a folder. */
typedef enum ctl_exit
entry_fn(struct tree *tree, const char *path, const char *name);

/* ---- files --------------------------------------------------------------- */

static enum ctl_exit
make_string(const char *shown, struct span text, json_t **text_r)
{
	if (!utf8_is_valid(text) || memchr(text.data, 0, text.len) != NULL)
		return ctl_out_error(
		    CTL_INVALID, "%s: is not UTF-8 text", shown);
	*text_r = json_stringn((const char *)text.data, text.len);
	CHECK(*text_r != NULL);
	return CTL_OK;
}

enum ctl_exit
ctl_tree_read_file(
    int folder, const char *shown, const char *name, json_t **text_r)
{
	struct err_detail detail = {0};
	enum ctl_exit exit;
	struct buf text;
	enum err err;

	buf_init(&text, CTL_TREE_FILE_MAX);
	err = ctl_file_read(folder, name, &text, &detail);
	if (err == ERR_NOT_FOUND)
		exit = CTL_NOT_FOUND;
	else if (err != OK)
		exit = ctl_out_error(
		    CTL_FAILED, "%s: %s", shown, err_text(&detail, err));
	else
		exit = make_string(shown,
		    text.len == 0 ? span_str("") : buf_span(&text), text_r);
	buf_wipe(&text);
	return exit;
}

static enum ctl_exit
take_file(struct tree *tree, const char *path, const char *name)
{
	json_t *text = NULL;
	enum ctl_exit exit = ctl_tree_read_file(tree->root, path, path, &text);

	(void)name;
	if (exit == CTL_NOT_FOUND)
		return ctl_out_error(
		    CTL_FAILED, "%s: went away while it was read", path);
	if (exit != CTL_OK)
		return exit;
	tree->bytes += json_string_length(text);
	(void)json_object_set_new(tree->files, path, text);
	if (tree->bytes > CTL_TREE_BYTES_MAX)
		return ctl_out_error(CTL_INVALID,
		    "the realm has more than %zu MiB of files",
		    CTL_TREE_BYTES_MAX >> 20);
	return CTL_OK;
}

/* A file of certificates belongs to the realm if something names it, which
 * the gateway finds out; with a private key in it, it stays here. */
static enum ctl_exit
take_authorities(struct tree *tree, const char *path)
{
	const char *text;
	enum ctl_exit exit = take_file(tree, path, path);

	if (exit != CTL_OK)
		return exit;
	text = json_string_value(json_object_get(tree->files, path));
	if (strstr(text, "PRIVATE KEY") == NULL &&
	    strstr(text, "-----BEGIN CERTIFICATE-----") != NULL)
		return CTL_OK;
	(void)json_object_del(tree->files, path);
	ctl_out_note("%s is left out: it is no file of certificates", path);
	return CTL_OK;
}

static enum ctl_exit
take_foreign(struct tree *tree, const char *path, const char *name)
{
	if (ctl_path_is_authorities(path))
		return take_authorities(tree, path);
	if (ctl_path_has_ending(name, ".yml"))
		return ctl_out_error(
		    CTL_INVALID, "%s: expects a name that ends in .yaml", path);
	if (strcmp(name, "README.md") != 0 &&
	    !ctl_path_has_ending(name, ".test.yaml"))
		ctl_out_note("%s is left out: it is no file of a realm", path);
	return CTL_OK;
}

/* ---- folders ------------------------------------------------------------- */

static bool
is_folder(const struct tree *tree, const char *path)
{
	int fd = openat(tree->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static enum ctl_exit
each_entry(struct tree *tree, const char *folder, entry_fn *take)
{
	struct err_detail detail = {0};
	const char *const *names = NULL;
	size_t count = 0;
	enum ctl_exit exit = CTL_OK;
	enum err err;
	int fd = openat(tree->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return ctl_out_error(
		    CTL_FAILED, "%s: cannot be opened", folder);
	err = ctl_file_names(fd, tree->arena, &names, &count, &detail);
	(void)close(fd);
	if (err != OK)
		return ctl_out_error(
		    CTL_FAILED, "%s: %s", folder, err_text(&detail, err));
	for (size_t i = 0; i < count && exit == CTL_OK; i++) {
		const char *path =
		    strcmp(folder, ".") == 0
			? names[i]
			: arena_printf(tree->arena, "%s/%s", folder, names[i]);

		CHECK(path != NULL);
		exit = take(tree, path, names[i]);
	}
	return exit;
}

static enum ctl_exit
take_document(struct tree *tree, const char *path, const char *name)
{
	if (ctl_path_has_ending(name, ".yaml"))
		return take_file(tree, path, name);
	return take_foreign(tree, path, name);
}

static enum ctl_exit
take_idp_entry(struct tree *tree, const char *path, const char *name)
{
	if (ctl_path_is_realm_file(path))
		return take_file(tree, path, name);
	return take_foreign(tree, path, name);
}

static enum ctl_exit
take_idp(struct tree *tree, const char *path, const char *name)
{
	if (is_folder(tree, path))
		return each_entry(tree, path, take_idp_entry);
	return take_foreign(tree, path, name);
}

static enum ctl_exit
take_top(struct tree *tree, const char *path, const char *name)
{
	if (ctl_path_is_realm_file(path))
		return take_file(tree, path, name);
	if (!is_folder(tree, path))
		return take_foreign(tree, path, name);
	if (strcmp(name, "idps") == 0)
		return each_entry(tree, path, take_idp);
	if (ctl_path_is_realm_folder(name))
		return each_entry(tree, path, take_document);
	return each_entry(tree, path, take_foreign);
}

enum ctl_exit
ctl_tree_read(const char *directory, json_t **files_r)
{
	struct tree tree = {
	    .arena = arena_new(ARENA_BYTES), .files = json_object()};
	enum ctl_exit exit;

	CHECK(tree.arena != NULL && tree.files != NULL);
	tree.root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree.root < 0)
		exit = ctl_out_error(CTL_USAGE,
		    "%s is not a directory that can be read", directory);
	else
		exit = each_entry(&tree, ".", take_top);
	/* Applied, it would delete everything. */
	if (exit == CTL_OK && json_object_size(tree.files) == 0)
		exit = ctl_out_error(
		    CTL_USAGE, "%s has no file of a realm in it", directory);
	if (tree.root >= 0)
		(void)close(tree.root);
	arena_free(tree.arena);
	if (exit == CTL_OK)
		*files_r = tree.files;
	else
		json_decref(tree.files);
	return exit;
}
