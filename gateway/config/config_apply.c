/*
 * A whole realm in place of the one in force. The change itself:
 * config_change.c. Any thread.
 */
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "gateway/config/config_edit.h"
#include "gateway/realm/realm_dir.h"

struct apply {
	const struct config_file *files;
	size_t count;
};

static int
apply_compare(const void *a, const void *b)
{
	const struct config_file *left = a;
	const struct config_file *right = b;

	return strcmp(left->path, right->path);
}

static enum err
apply_check(const struct apply *apply, struct err_detail *detail)
{
	size_t bytes = 0;

	if (apply->count > REALM_DIR_ENTRIES_MAX)
		return err_set(detail, ERR_LIMIT,
		    "a realm has at most %d files", REALM_DIR_ENTRIES_MAX);
	for (size_t i = 0; i < apply->count; i++) {
		if (!realm_dir_path_is_good(span_str(apply->files[i].path)))
			return err_set(detail, ERR_SYNTAX,
			    "a file's name must be a relative path without "
			    "'..', up to 255 bytes");
		bytes += apply->files[i].text.len;
	}
	if (bytes > CONFIG_SET_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "the files are larger than %zu bytes together",
		    CONFIG_SET_BYTES);
	return OK;
}

static enum err
apply_edit(struct config_edit *edit, void *user, struct err_detail *detail)
{
	const struct apply *apply = user;
	struct config_file *files =
	    arena_alloc(edit->arena, (apply->count + 1) * sizeof *files);
	enum err err = apply_check(apply, detail);

	if (err != OK)
		return err;
	if (files == NULL)
		return ERR_NOMEM;
	if (apply->count > 0) {
		memcpy(files, apply->files, apply->count * sizeof *files);
		qsort(files, apply->count, sizeof *files, apply_compare);
	}
	for (size_t i = 1; i < apply->count; i++) {
		if (strcmp(files[i - 1].path, files[i].path) == 0)
			return err_set(
			    detail, ERR_SYNTAX, "a file is there twice");
	}
	edit->files = files;
	edit->count = apply->count;
	edit->room = apply->count + 1;
	return OK;
}

enum err
config_apply(struct config *config, const struct config_request *request,
    const struct config_file *files, size_t count,
    struct config_outcome *outcome, struct err_detail *detail)
{
	struct apply apply = {files, count};
	const struct config_step step = {.edit = apply_edit, .user = &apply};

	return config_change(config, request, &step, outcome, detail);
}
