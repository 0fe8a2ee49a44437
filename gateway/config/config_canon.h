/*
 * The canonical form of a realm's files, and the secrets that it leaves out.
 * Private to config/.
 *
 * Keys stand in the order of realm_schema.def, lists whose order means nothing
 * are sorted, so are resources (by id) and the members of free maps; files have
 * the names that an export gives them; no comments, no defaults, no empty
 * blocks. A client's secret and the value of a sensitive property or a key
 * become {keep: ID}. The canonical form of a canonical form is itself.
 *
 * Meant for files that the loader has found right; of others the form is some
 * text all the same.
 *
 * Threads: one at a time.
 */
#ifndef POSTERN_CONFIG_CANON_H
#define POSTERN_CONFIG_CANON_H

#include "gateway/config/config.h"
#include "gateway/realm/realm_yaml.h"

/* How a document gives its secret. */
enum config_given_how {
	GIVEN_NOT,      /* not at all: one is to be made, or is kept */
	GIVEN_PLAIN,    /* `text` is the secret or value itself */
	GIVEN_HASH,     /* `text` is an imported hash */
	GIVEN_KEPT,     /* keep */
	GIVEN_ELSEWHERE /* the environment or a file: the document names it */
};

/* One for each client, API client and property that is sensitive or a key. */
struct config_given {
	enum config_kind kind;
	const char *id;
	const char *path; /* canonical, of its file */
	enum config_given_how how;
	const char *text;
	bool is_key; /* a property of kind key */
};

struct config_canon {
	struct arena *arena;       /* everything here is in it; secrets too */
	struct config_file *files; /* sorted once finished */
	size_t count;
	size_t room;
	struct config_given *given;
	size_t given_count;
	size_t given_room;
};

/*
 * Adds a file as the loader named and read it. False: the arena is full, the
 * file is no YAML, or its form is over a file's limit; `detail` says which.
 */
bool config_canon_add(struct config_canon *canon, const char *path,
    struct span bytes, struct err_detail *detail);

/* Adds a file that is canonical already and gives no secret. */
bool config_canon_add_same(struct config_canon *canon,
    const struct config_file *file, struct err_detail *detail);

/* Sorts the files. */
void config_canon_finish(struct config_canon *canon);

/* The path of a resource's file, in `arena`; NULL: it is full. */
const char *
config_canon_path(struct arena *arena, enum config_kind kind, const char *id);

/* The kind of the resources in a file; CONFIG_KINDS: it is no document. */
enum config_kind config_canon_kind(const char *path);

/* Parses a file; NULL in `root_r` for an empty one. False: as above. */
bool config_canon_parse(struct arena *arena, const char *path,
    struct span bytes, struct yaml_node **root_r, struct err_detail *detail);

/* The text of an IdP's identifier in "idps/ID/..."; absent: no such path. */
struct span config_canon_idp(const char *path);

#endif
