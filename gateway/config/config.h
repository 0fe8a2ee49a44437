/*
 * The realm as documents: what is in force, shown without its secrets, and
 * the one way to change it.
 *
 * The truth is either a directory (then everything here only reads) or the
 * store. Either way the realm is shown as one set of files, each canonical:
 * keys in the order of realm_schema.def, no defaults added, no comments, lists
 * of resources sorted by id, and a secret never in it: it says {keep: ID}. So
 * what is stored, what is exported and what an ETag is of are the same bytes.
 *
 * A change takes the set in force, edits it, validates the whole realm with
 * the loader that reads directories (scripts are compiled), and writes
 * documents, secrets, releases and the audit event in one store operation;
 * only then the new realm is in force. A process killed at any point starts
 * with the old realm or with the new one. One change is made at a time.
 *
 * Threads: any, unless a function says otherwise; changes block (compiler,
 * disk). Not here: HTTP, authentication, who may call what beyond `admin`.
 */
#ifndef POSTERN_CONFIG_H
#define POSTERN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"
#include "gateway/realm/realm.h"
#include "gateway/store/store.h"
#include "gateway/store/store_event.h"

/* Of all files of a realm that comes over the API, together; a request body
 * of 32 MiB holds no more. */
#define CONFIG_SET_BYTES ((size_t)32 << 20)

/* 64 hex digits; 32. */
#define CONFIG_REVISION_CHARS 64
#define CONFIG_ETAG_CHARS     32

struct config; /* process lifetime */

/* All borrowed for the life of the config. */
struct config_options {
	struct vault *vault;
	struct store *store;
	struct realm_holder *realms; /* gets each realm that comes into force */
	const char *realm_dir;       /* NULL: the store rules */
	const char *runner_path;     /* postern-runner, which compiles */
	const char *data_dir;
	const char *secrets_dir; /* generated secrets, directory mode */
	const char *values_dir;  /* value_files_dir; NULL: none */
	const char
	    *admin_credential; /* file; NULL: data_dir/admin.credential */
};

/* ---- mistakes ------------------------------------------------------------ */

/* One mistake or warning. Strings are never NULL; "" and 0: does not apply. */
struct config_problem {
	bool warning;
	const char *file; /* as the caller named it */
	int line;         /* 0 too where the change came as JSON */
	const char *key;  /* "access_token.lifetime_secs" */
	const char *message;
};

struct config_problems {
	const struct config_problem *items;
	size_t count;
	size_t mistakes; /* those that are no warnings */
};

/* ---- opening and reloading ----------------------------------------------- */

/*
 * Reads the admin credential (made at first start where none is set) and the
 * realm, and publishes it. Main thread, before any other function here.
 * After ERR_INVALID, and after OK with warnings, config_load_problems() says
 * more.
 */
enum err config_open(const struct config_options *options,
    struct config **config_r, struct err_detail *detail) MUST_USE;

/* Directory mode: reads it anew; on failure the old realm stays in force.
 * Store mode: ERR_STATE, nothing is done: what is stored is in force. */
enum err
config_reload(struct config *config, struct err_detail *detail) MUST_USE;

/* Of the last config_open() or config_reload(); also where config_open()
 * failed (*config_r is set then too). Main thread; until the next reload. */
const struct config_problems *config_load_problems(const struct config *config);

/* Nobody may use it any more. NULL is fine. */
void config_close(struct config *config);

/* True: a directory rules and every change is ERR_STATE. */
bool config_is_read_only(const struct config *config);

/*
 * The first API client, of the admin_credential: scopes config and admin,
 * valid in both modes, on the admin listener only. It is no document: never
 * listed, exported or deleted. An api-client of its id is refused in store
 * mode; where a directory has one, this one wins on the admin listener.
 */
const struct realm_api_client *config_first_client(const struct config *config);

/* ---- reading ------------------------------------------------------------- */

enum config_kind {
	CONFIG_REALM, /* one document, id "" */
	CONFIG_SCOPE,
	CONFIG_PROPERTY,
	CONFIG_CLIENT,
	CONFIG_API_CLIENT,
	CONFIG_IDP,
	CONFIG_KINDS
};

/* "realm", "scope", ... as in "there is no scope 'x'". */
const char *config_kind_name(enum config_kind kind);

/* A file of the realm: canonical YAML, a script, a file of authorities. */
struct config_file {
	const char *path; /* "clients/demo-app.yaml" */
	struct span text;
};

/* A resource. */
struct config_document {
	const char *id;   /* first: they are searched by it */
	const char *path; /* of the file it is in */
	/* Canonical JSON, an object; for an IdP with "id" as first member, and
	 * without its scripts. No secret in it. */
	struct span json;
	/* Changes with whatever belongs to it: for an IdP also its scripts. */
	char etag[CONFIG_ETAG_CHARS + 1];
	/* Of an api-client, a sensitive property or one of kind key: writing
	 * it needs admin. */
	bool admin;
};

/* What is in force, immutable, counted. */
struct config_view;

const struct config_view *config_view_acquire(struct config *config);
void config_view_release(const struct config_view *view); /* NULL is fine */

/* Hex, of all its files. */
const char *config_view_revision(const struct config_view *view);

/* Sorted by path. These are the export. */
const struct config_file *
config_view_files(const struct config_view *view, size_t *count_r);

/* NULL: none. */
const struct config_file *
config_view_file(const struct config_view *view, struct span path);

/* Sorted by id. */
const struct config_document *config_view_documents(
    const struct config_view *view, enum config_kind kind, size_t *count_r);

/* NULL: none. `id` need not be terminated; for CONFIG_REALM "". */
const struct config_document *config_view_document(
    const struct config_view *view, enum config_kind kind, struct span id);

/* ---- what a change leaves ------------------------------------------------ */

enum config_action { CONFIG_ADD, CONFIG_CHANGE, CONFIG_REMOVE };

/* "add", "change", "remove" */
const char *config_action_name(enum config_action action);

struct config_change {
	const char *path;
	enum config_action action;
	/* Canonical, masked. Absent: it was or will not be there. Equal where
	 * only a secret changes. */
	struct span before;
	struct span after;
	bool secret; /* a secret or sensitive value in it changes too */
	bool admin;  /* needs admin */
};

/* A client secret that Postern made: to be shown now or never. */
struct config_made_secret {
	const char *kind; /* "client" or "api_client" */
	const char *client_id;
	const char *secret;
};

/* Zero before the call; everything lives until config_outcome_fini(), which
 * is also due after a failure. */
struct config_outcome {
	char revision[CONFIG_REVISION_CHARS + 1]; /* after it; dry_run: would
						     be */
	const struct config_change *changes;      /* sorted by path */
	size_t change_count;
	const struct config_made_secret *made; /* none in a dry run */
	size_t made_count;
	struct config_problems problems;
	char etag[CONFIG_ETAG_CHARS + 1]; /* of the one resource; else "" */
	const char *made_id; /* config_create(): of the new one; else NULL */
	/* What the above points into; ours. */
	struct arena *arena;
	const struct config_view *before;
	const struct config_view *after;
};

/* Wipes and frees. */
void config_outcome_fini(struct config_outcome *outcome);

/* ---- changing ------------------------------------------------------------ */

/* What every change brings along. */
struct config_request {
	const char *revision; /* expected; NULL: any */
	const char *etag;     /* If-Match of the one resource; NULL: any */
	bool admin;   /* may touch what needs admin; else that is ERR_DENIED */
	bool dry_run; /* validate and compare only */
	/* The audit event, written in the change's own operation; NULL: none.
	 * Its detail is made here: what changed, then `why`. */
	const struct store_event *event;
	const char *why; /* NULL: not said */
};

/*
 * Errors of every change, with a sentence in `detail`:
 *   ERR_STATE      a directory rules
 *   ERR_STALE      the revision or etag is another
 *   ERR_NOT_FOUND  there is no such resource; ERR_EXISTS: there is one already
 *   ERR_SYNTAX     the body is not what it should be (problems may say where)
 *   ERR_INVALID    mistakes, listed in the outcome's problems
 *   ERR_DENIED     needs admin
 *   ERR_LIMIT      the whole is too large
 *   ERR_IO, ERR_FULL, ERR_NOMEM
 * Nothing was changed then. OK with change_count 0: nothing to change, nothing
 * written, no event.
 */

/*
 * The whole realm from files as a directory has them (any file names that a
 * directory may have; secrets in the clear are taken up). Files that the
 * loader does not know are left out with a warning. With `dry_run` it is the
 * plan.
 */
enum err
config_apply(struct config *config, const struct config_request *request,
    const struct config_file *files, size_t count,
    struct config_outcome *outcome, struct err_detail *detail) MUST_USE;

/*
 * A new resource from JSON of its schema; its id is in it: "client_id" of
 * clients and api-clients, else "id". An idp also takes "scripts":
 * {"init"|"complete"|"backchannel": "text"}. Without client_secret one is made
 * (outcome->made). `id_r` (may be NULL) is in the outcome's arena.
 */
enum err
config_create(struct config *config, const struct config_request *request,
    enum config_kind kind, struct span json, const char **id_r,
    struct config_outcome *outcome, struct err_detail *detail) MUST_USE;

/*
 * RFC 7396 merge patch of a resource; the id cannot change. Beyond the RFC: a
 * new client_secret or value replaces a `keep`; client_secret null has a new
 * secret made; an idp's "scripts" as above, null removes one.
 */
enum err
config_patch(struct config *config, const struct config_request *request,
    enum config_kind kind, struct span id, struct span json,
    struct config_outcome *outcome, struct err_detail *detail) MUST_USE;

/* Refused (ERR_INVALID, the places are in the problems) while others refer to
 * it. Its secrets go with it. Not CONFIG_REALM. */
enum err config_delete(struct config *config,
    const struct config_request *request, enum config_kind kind, struct span id,
    struct config_outcome *outcome, struct err_detail *detail) MUST_USE;

/* ---- changes of other kinds (releases) ----------------------------------- */

/* The set while it is changed; valid inside config_step.edit only. */
struct config_edit;

const struct config_view *config_edit_view(const struct config_edit *edit);

/* Borrowed until the edit ends; absent: there is no such file. */
struct span config_edit_get(const struct config_edit *edit, const char *path);

/* Replaces or adds a file; copies both. YAML as in a directory. */
enum err config_edit_put(
    struct config_edit *edit, const char *path, struct span text) MUST_USE;

/* One that is not there is fine. */
void config_edit_remove(struct config_edit *edit, const char *path);

/*
 * RFC 7396 on the file of a map ("idps/X/idp.yaml"), JSON as in config_patch()
 * without "id" and "scripts". ERR_SYNTAX, ERR_NOT_FOUND.
 */
enum err config_edit_merge(struct config_edit *edit, const char *path,
    struct span json, struct err_detail *detail) MUST_USE;

struct config_step {
	/* Edits the set. An error ends the change with it. */
	enum err (*edit)(
	    struct config_edit *edit, void *user, struct err_detail *detail);
	/* May be NULL. Sees the whole new realm, valid, before it is stored;
	 * an error ends the change with it. Not called when nothing changes,
	 * nor in a dry run. */
	enum err (*check)(const struct realm *before, const struct realm *after,
	    void *user, struct err_detail *detail);
	/* May be NULL. In the change's own store operation (writer thread, may
	 * be run again: depends only on `user`). */
	enum err (*run)(struct store_writer *writer, void *user);
	void *user;
};

enum err config_change(struct config *config,
    const struct config_request *request, const struct config_step *step,
    struct config_outcome *outcome, struct err_detail *detail) MUST_USE;

/*
 * Called inside the store operation of every change, whoever made it, after
 * the step's own run: so a history of releases sees each. Writer thread, may
 * be run again. One only, set before serving. In directory mode each reload
 * calls it, in an operation of its own.
 */
struct config_commit {
	const struct realm *before; /* NULL: the start */
	const struct realm *after;
	const struct config_request *request; /* NULL: a start or a reload */
	int64_t at;                           /* wall-clock seconds */
};

/* Also calls it for the realm in force, in an operation of its own, and says
 * what became of that. */
enum err config_on_commit(struct config *config,
    enum err (*run)(struct store_writer *writer, void *user,
	const struct config_commit *commit),
    void *user) MUST_USE;

#endif
