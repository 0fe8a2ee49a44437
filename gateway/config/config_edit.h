/*
 * The set of files while it is changed. Private to config/; what others may do
 * with it: config.h. Threads: that of the change.
 */
#ifndef POSTERN_CONFIG_EDIT_H
#define POSTERN_CONFIG_EDIT_H

#include "gateway/config/config_canon.h"

struct config_edit {
	struct arena *arena; /* may come to hold secrets */
	const struct config_view *view;
	struct config_file *files; /* sorted by path */
	size_t count;
	size_t room;
	/* The file that JSON changed: its lines are not the caller's. NULL:
	 * none. */
	const char *json_path;
	/* The file whose client gets a new secret where it gives none. */
	const char *fresh;
	/* The one resource that changes; id NULL: no such. */
	enum config_kind kind;
	const char *id;
};

/* The files of the view. */
enum err config_edit_begin(struct config_edit *edit, struct arena *arena,
    const struct config_view *view) MUST_USE;

/* Parses JSON, an object, as a document. ERR_SYNTAX. */
enum err config_edit_json(struct config_edit *edit, struct span json,
    struct yaml_node **root_r, struct err_detail *detail) MUST_USE;

/* Writes a document over the file of `path`, which JSON changed. */
enum err config_edit_write(struct config_edit *edit, const char *path,
    const struct yaml_node *root) MUST_USE;

/* The document in a file; a new one of this kind where there is no file. */
enum err config_edit_read(struct config_edit *edit, const char *path,
    enum yaml_kind kind, struct yaml_node **root_r,
    struct err_detail *detail) MUST_USE;

#endif
