/*
 * A realm while it is loaded: the snapshot to be and, beside it, what its
 * files said, with lines, for the checks between files.
 *
 * Two arenas: `kept` becomes the snapshot's and outlives the load; `scratch`
 * (YAML trees, settings) is freed at its end. Nothing in `kept` may point into
 * `scratch`. Functions that return bool are false when an arena is full or
 * memory ran out, and the load then fails as a whole; mistakes are problems,
 * and reading goes on to find the next one.
 *
 * Threads: the loader's.
 */
#ifndef POSTERN_REALM_DRAFT_H
#define POSTERN_REALM_DRAFT_H

#include "gateway/realm/realm_dir.h"
#include "gateway/realm/realm_load.h"
#include "gateway/realm/realm_schema.h"

/* Of all of a realm's strings and scripts together. */
#define REALM_BYTES_MAX ((size_t)256 << 20)

/* Of one YAML file; a list of ten thousand scopes is half of it. */
#define REALM_FILE_BYTES ((size_t)1 << 20)

/* How a client's secret is found once the whole realm proved valid. */
enum secret_source { SECRET_READY, SECRET_STORED, SECRET_MADE };

struct draft_scope {
	struct draft_scope *next;
	const char *id;
	int line;
};

struct draft_property {
	struct draft_property *next;
	struct property_item item;
	const char *value; /* scratch; NULL after a mistake */
};

struct draft_client {
	struct draft_client *next;
	const char *file;
	struct client_file settings;
	struct realm_client client;
	enum secret_source secret_source;
};

struct draft_api_client {
	struct draft_api_client *next;
	const char *file;
	struct api_client_file settings;
	struct realm_api_client client;
	enum secret_source secret_source;
};

struct draft_idp {
	struct draft_idp *next;
	const char *file;
	struct idp_file settings;
	struct script_block script;
	struct http_block http;
	struct realm_idp idp;
	struct release release;
	struct realm_script scripts[SCRIPT_KINDS];
};

struct realm_draft {
	struct arena *kept;
	struct arena *scratch;
	struct realm_problems problems;
	const struct realm_dir *dir; /* NULL where a test feeds bytes */
	const struct realm_sources *sources;
	struct realm *realm; /* in kept */
	bool unread;         /* a file that is referred to is no YAML:
				nothing can be said of references */

	struct script_limits limits; /* realm.yaml's */
	struct string_set http_allow;
	const char *http_ca_file; /* scratch; NULL: none */
	const char *http_ca_pem;  /* kept; NULL: none */
	struct draft_scope *scopes;
	size_t scope_count;
	struct draft_property *properties;
	size_t property_count;
	struct draft_client *clients;
	size_t client_count;
	struct draft_api_client *api_clients;
	size_t api_client_count;
	struct draft_idp *idps;
	size_t idp_count;
};

/* One parsed file. `root` is NULL when it was empty. */
struct draft_file {
	const char *path; /* scratch; relative */
	const struct yaml_node *root;
	bool exposed; /* others may read it */
};

/* ---- one function a kind of file, in the file of its name --------------- */

bool realm_settings_take_realm(
    struct realm_draft *draft, const struct draft_file *file);
bool realm_settings_take_scopes(
    struct realm_draft *draft, const struct draft_file *file);
bool
realm_property_take(struct realm_draft *draft, const struct draft_file *file);
bool realm_client_file_take(
    struct realm_draft *draft, const struct draft_file *file);
bool realm_client_file_take_api(
    struct realm_draft *draft, const struct draft_file *file);
bool realm_idp_file_take(struct realm_draft *draft,
    const struct draft_file *file, const char *identifier);

/* ---- steps that need all files ------------------------------------------ */

/* References, duplicates, prefixes; leaves every list sorted by id. */
bool realm_check_all(struct realm_draft *draft);

/* Reads and compile-checks the IdP's scripts; fills its release. */
bool realm_script_take(struct realm_draft *draft, struct draft_idp *draft_idp);

/* The JSON of what an IdP may read, and its version. */
bool realm_property_give(struct realm_draft *draft, struct realm_idp *idp);

/* ---- client secrets ------------------------------------------------------ */

/* A client whose secret is to be found: what the next two need of it. */
struct secret_client {
	const char *kind; /* "client" or "api_client" */
	const char *client_id;
	const char *file;
	const struct setting *setting;
	bool exposed;
};

/* From the file, the environment or another file; or says how to go on. */
bool
realm_secret_take(struct realm_draft *draft, const struct secret_client *client,
    struct realm_secret *secret_r, enum secret_source *source_r);

/* A stored or a new secret, only once all is valid. ERR_INVALID with a problem
 * where there is none to keep. */
enum err realm_secret_settle(struct realm_draft *draft,
    const struct secret_client *client, enum secret_source source,
    struct realm_secret *secret) MUST_USE;

/* ---- for all of them ------------------------------------------------------
 */

static inline struct yaml_source
realm_draft_source(struct realm_draft *draft, const char *file)
{
	return (struct yaml_source){file, draft->scratch, &draft->problems};
}

/* Tells who asked that this file is part of the realm. */
static inline void
realm_draft_see(
    const struct realm_draft *draft, const char *path, struct span bytes)
{
	if (draft->sources->seen != NULL)
		draft->sources->seen(draft->sources->user, path, bytes);
}

/* For fuzzing: one document as the `kind`-th of realm.yaml, scopes.yaml,
 * properties.yaml, a client, an API client, an IdP (modulo 6). Reads and
 * writes no file. */
void
realm_load_bytes(unsigned kind, struct span document, struct buf *problems);

#endif
