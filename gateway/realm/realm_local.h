/*
 * What a script that runs on its author's machine takes of its realm's
 * directory: limits, HTTP allow-list, cache settings and the properties whose
 * value stands in the file. Not a load: no secret, environment variable or
 * other file is read, and other parts of the realm may be wrong.
 *
 * Threads: one at a time per arena.
 */
#ifndef POSTERN_REALM_LOCAL_H
#define POSTERN_REALM_LOCAL_H

#include "common/arena.h"
#include "common/err.h"
#include "gateway/realm/realm.h"
#include "gateway/realm/realm_problem.h"

struct realm_local_property {
	const char *id;
	const char *value;
	bool is_key;
	bool is_sensitive;
};

/* All in the arena. */
struct realm_local {
	struct script_limits limits;
	int64_t cache_ttl_secs;
	struct string_set http_allow; /* the realm's and the IdP's */
	const struct realm_local_property *properties;
	size_t property_count;
};

/*
 * Reads realm.yaml, properties.yaml and idps/IDP/idp.yaml of `dir`; a file
 * that is missing is one without settings. ERR_INVALID: `problems` has the
 * lines. ERR_IO, ERR_NOMEM.
 */
enum err realm_local_read(const char *dir, const char *idp, struct arena *arena,
    struct realm_problems *problems, struct realm_local *local_r,
    struct err_detail *detail) MUST_USE;

#endif
