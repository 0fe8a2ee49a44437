/*
 * The realm's loader, fed and overheard: where its secrets come from, which
 * files it read, what was wrong. Private to config/. Threads: the caller's,
 * which may block.
 */
#ifndef POSTERN_CONFIG_LOAD_H
#define POSTERN_CONFIG_LOAD_H

#include "gateway/config/config_canon.h"
#include "gateway/config/config_state.h"
#include "gateway/realm/realm_load.h"

struct config_secrets; /* config_secrets.h */

/* A release to be stored; in the arena. */
struct config_release {
	struct config_release *next;
	uint8_t hash[DIGEST_BYTES];
	const char *idp;
	struct span content;
};

struct config_load {
	/* filled by the caller */
	const struct config *config;
	struct arena *arena;   /* of what it gives; may come to hold secrets */
	struct arena *telling; /* of the problems */
	const struct config_secrets *secrets; /* before the stored ones; or
						 NULL */
	bool check_only; /* nothing is made, no release is given */
	bool confined;   /* the realm came over the API */
	bool keep;       /* releases go into the store at once */
	/* given by the load */
	struct config_file *files; /* those that are part of the realm */
	size_t count;
	size_t room;
	struct config_release *releases;
	struct config_problem *problems;
	size_t problem_count;
	size_t problem_room;
	size_t mistakes;
	bool full; /* an arena was */
};

/* ERR_INVALID: see the problems. ERR_NOMEM, ERR_IO. */
enum err config_load_run(struct config_load *load, const struct realm_dir *dir,
    const struct realm **realm_r) MUST_USE;

/* The same of files that are sorted by path. */
enum err
config_load_files(struct config_load *load, const struct config_file *files,
    size_t count, const struct realm **realm_r) MUST_USE;

struct config_problems config_load_told(const struct config_load *load);

#endif
