/*
 * The order of a load: read every file, check the whole, compile, then (only
 * if nothing is wrong) settle secrets, keep releases, hand the snapshot over.
 * What a file says is the other realm_*.c files' matter. Runs on a thread that
 * may block, one load at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/realm/realm_ca.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/realm/realm_load.h"
#include "gateway/realm/realm_snapshot.h"
#include "gateway/realm/realm_syntax.h"
#include "gateway/realm/release.h"

static void
load_problem(struct realm_draft *draft, const char *path, const char *sentence)
{
	realm_problem_add(&draft->problems, (struct realm_place){path, 0, NULL},
	    "%s", sentence);
}

/* ---- reading ------------------------------------------------------------ */

/* *found_r false: not there, or a mistake was added. */
static bool
load_parse(struct realm_draft *draft, const char *path, bool required,
    struct draft_file *file_r, bool *found_r)
{
	const struct yaml_source source = realm_draft_source(draft, path);
	size_t mistakes = draft->problems.mistakes;
	struct err_detail detail = {0};
	struct buf text;
	enum err err;

	*file_r = (struct draft_file){.path = path};
	*found_r = false;
	buf_init(&text, REALM_FILE_BYTES);
	err =
	    realm_dir_read(draft->dir, path, &text, &file_r->exposed, &detail);
	if (err == OK)
		realm_draft_see(draft, path, buf_span(&text));
	if (err == OK)
		*found_r =
		    realm_yaml_parse(&source, buf_span(&text), &file_r->root);
	/* It may hold plain secrets. */
	buf_wipe(&text);
	if (err == OK)
		return *found_r || draft->problems.mistakes > mistakes;
	if (err == ERR_NOT_FOUND && !required)
		return true;
	load_problem(draft, path,
	    err == ERR_NOT_FOUND ? "is required" : err_text(&detail, err));
	return true;
}

/* A file that may be missing: then, and after a mistake, all is default. */
static bool
load_take_file(struct realm_draft *draft, const char *path,
    bool (*take)(struct realm_draft *draft, const struct draft_file *file))
{
	struct draft_file file;
	bool found;
	size_t mistakes = draft->problems.mistakes;

	if (!load_parse(draft, path, false, &file, &found))
		return false;
	if (draft->problems.mistakes > mistakes)
		draft->unread = true;
	return take(draft, &file);
}

static bool
load_ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name);
	size_t tail = strlen(ending);

	return len > tail && strcmp(name + len - tail, ending) == 0;
}

static void
load_note_foreign(struct realm_draft *draft, const char *path)
{
	if (load_ends_with(path, ".yml"))
		load_problem(draft, path, "expects a name that ends in .yaml");
	else if (!draft->unread) /* which could name it */
		realm_problem_warn(&draft->problems,
		    (struct realm_place){path, 0, NULL},
		    "is no file of a realm and is not read");
}

/* False also when the folder cannot be read: then a problem says so. */
static bool
load_list(struct realm_draft *draft, const char *folder,
    const char *const **names_r, size_t *count_r)
{
	struct err_detail detail = {0};
	enum err err = realm_dir_list(
	    draft->dir, folder, draft->scratch, names_r, count_r, &detail);

	if (err == OK)
		return true;
	*count_r = 0;
	load_problem(draft, folder, err_text(&detail, err));
	return err != ERR_NOMEM;
}

static bool
load_take_folder(struct realm_draft *draft, const char *folder,
    bool (*take)(struct realm_draft *draft, const struct draft_file *file))
{
	const char *const *names;
	size_t count;

	if (!load_list(draft, folder, &names, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *path =
		    arena_printf(draft->scratch, "%s/%s", folder, names[i]);
		struct draft_file file;
		bool found;

		if (path == NULL)
			return false;
		if (!load_ends_with(names[i], ".yaml")) {
			load_note_foreign(draft, path);
			continue;
		}
		if (!load_parse(draft, path, true, &file, &found))
			return false;
		if (found && !take(draft, &file))
			return false;
	}
	return true;
}

static bool
load_note_foreign_in(
    struct realm_draft *draft, const char *folder, const char *const known[])
{
	const char *const *names;
	size_t count;

	if (!load_list(draft, folder, &names, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *path = strcmp(folder, ".") == 0
				       ? names[i]
				       : arena_printf(draft->scratch, "%s/%s",
					     folder, names[i]);
		size_t k = 0;

		if (path == NULL)
			return false;
		while (known[k] != NULL && strcmp(known[k], names[i]) != 0)
			k++;
		if (known[k] == NULL && !realm_ca_is_named(draft, path) &&
		    !load_ends_with(names[i], ".test.yaml"))
			load_note_foreign(draft, path);
	}
	return true;
}

static bool
load_take_idp(struct realm_draft *draft, const char *identifier)
{
	static const char *const known[] = {
	    "idp.yaml", "init.js", "complete.js", "backchannel.js", NULL};
	const char *folder =
	    arena_printf(draft->scratch, "idps/%s", identifier);
	const char *path =
	    arena_printf(draft->scratch, "idps/%s/idp.yaml", identifier);
	struct draft_file file;
	bool found;

	if (folder == NULL || path == NULL)
		return false;
	if (!realm_syntax_is_idp_id(span_str(identifier))) {
		load_problem(draft, folder,
		    "expects a folder named by an identity provider's id: "
		    "[A-Za-z0-9_-], 1 to 64 characters");
		return true;
	}
	if (!load_parse(draft, path, true, &file, &found))
		return false;
	if (!found)
		draft->unread = true;
	else if (!realm_idp_file_take(draft, &file, identifier))
		return false;
	return load_note_foreign_in(draft, folder, known);
}

static bool
load_take_idps(struct realm_draft *draft)
{
	const char *const *names;
	size_t count;

	if (!load_list(draft, "idps", &names, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!load_take_idp(draft, names[i]))
			return false;
	}
	return true;
}

static bool
load_read(struct realm_draft *draft)
{
	static const char *const known[] = {"realm.yaml", "scopes.yaml",
	    "properties.yaml", "clients", "api-clients", "idps", "README.md",
	    NULL};

	return load_take_file(draft, "realm.yaml", realm_settings_take_realm) &&
	       load_take_file(
		   draft, "scopes.yaml", realm_settings_take_scopes) &&
	       load_take_file(draft, "properties.yaml", realm_property_take) &&
	       load_take_folder(draft, "clients", realm_client_file_take) &&
	       load_take_folder(
		   draft, "api-clients", realm_client_file_take_api) &&
	       load_take_idps(draft) && load_note_foreign_in(draft, ".", known);
}

/* ---- the snapshot's arrays ---------------------------------------------- */

static bool
load_build_idps(struct realm_draft *draft)
{
	struct realm_idp *idps =
	    arena_alloc(draft->kept, (draft->idp_count + 1) * sizeof *idps);
	size_t count = 0;

	if (idps == NULL)
		return false;
	for (struct draft_idp *idp = draft->idps; idp != NULL;
	     idp = idp->next) {
		if (!realm_script_take(draft, idp) ||
		    !realm_property_give(draft, &idp->idp))
			return false;
		idps[count++] = idp->idp;
	}
	draft->realm->idps = idps;
	draft->realm->idp_count = count;
	return true;
}

static bool
load_build_clients(struct realm_draft *draft)
{
	struct realm_client *clients = arena_alloc(
	    draft->kept, (draft->client_count + 1) * sizeof *clients);
	struct realm_api_client *api_clients = arena_alloc(
	    draft->kept, (draft->api_client_count + 1) * sizeof *api_clients);
	size_t count = 0;
	size_t api_count = 0;

	if (clients == NULL || api_clients == NULL)
		return false;
	for (const struct draft_client *client = draft->clients; client != NULL;
	     client = client->next)
		clients[count++] = client->client;
	for (const struct draft_api_client *api = draft->api_clients;
	     api != NULL; api = api->next)
		api_clients[api_count++] = api->client;
	draft->realm->clients = clients;
	draft->realm->client_count = count;
	draft->realm->api_clients = api_clients;
	draft->realm->api_client_count = api_count;
	return true;
}

/* ---- what a valid realm leaves behind ----------------------------------- */

/* All whose secret comes from `source`. Goes on after ERR_INVALID, to find
 * every mistake. */
static enum err
load_settle(struct realm_draft *draft, enum secret_source source)
{
	enum err err = OK;

	for (struct draft_client *client = draft->clients;
	     client != NULL && (err == OK || err == ERR_INVALID);
	     client = client->next) {
		struct secret_client secret_client = {"client",
		    client->client.client_id, client->file,
		    &client->settings.client_secret, false};
		enum err one = client->secret_source != source
				   ? OK
				   : realm_secret_settle(draft, &secret_client,
					 source, &client->client.secret);

		err = one == OK ? err : one;
	}
	for (struct draft_api_client *api = draft->api_clients;
	     api != NULL && (err == OK || err == ERR_INVALID);
	     api = api->next) {
		struct secret_client secret_client = {"api_client",
		    api->client.client_id, api->file,
		    &api->settings.client_secret, false};
		enum err one = api->secret_source != source
				   ? OK
				   : realm_secret_settle(draft, &secret_client,
					 source, &api->client.secret);

		err = one == OK ? err : one;
	}
	return err;
}

static enum err
load_keep_release(struct realm_draft *draft, const struct realm_idp *idp)
{
	const struct realm_sources *sources = draft->sources;
	struct buf content;
	enum err err;

	buf_init(&content, RELEASE_CONTENT_BYTES);
	release_encode(idp->release, &content);
	err = buf_status(&content);
	if (err == OK)
		err = sources->release_put(sources->user, idp->release->hash,
		    idp->identifier, buf_span(&content));
	buf_fini(&content);
	if (err == OK)
		return OK;
	load_problem(
	    draft, idp->identifier, "the store does not take its release");
	return err == ERR_NOMEM ? ERR_NOMEM : ERR_IO;
}

static enum err
load_commit(struct realm_draft *draft)
{
	enum err err = load_settle(draft, SECRET_MADE);

	if (draft->sources->check_only)
		return err;
	for (size_t i = 0; err == OK && i < draft->realm->idp_count; i++)
		err = load_keep_release(draft, &draft->realm->idps[i]);
	return err;
}

/* ---- one load ----------------------------------------------------------- */

static enum err
load_nomem(struct realm_draft *draft)
{
	load_problem(
	    draft, "realm", "does not fit into memory (256 MiB at most)");
	return ERR_NOMEM;
}

static enum err
load_all(struct realm_draft *draft)
{
	enum err err;

	if (!load_read(draft) || !realm_check_all(draft) ||
	    !load_build_idps(draft))
		return load_nomem(draft);
	err = load_settle(draft, SECRET_STORED);
	if (err != OK && err != ERR_INVALID)
		return err;
	if (draft->problems.mistakes > 0)
		return ERR_INVALID;
	err = load_commit(draft);
	if (err != OK)
		return err;
	return load_build_clients(draft) ? OK : load_nomem(draft);
}

static enum err
load_open(struct realm_draft *draft)
{
	draft->scratch = arena_new(REALM_BYTES_MAX);
	draft->kept = arena_new(REALM_BYTES_MAX);
	if (draft->scratch == NULL || draft->kept == NULL)
		return ERR_NOMEM;
	draft->realm = realm_snapshot_new(draft->kept);
	return draft->realm == NULL ? ERR_NOMEM : OK;
}

enum err
realm_load_from(const struct realm_dir *dir,
    const struct realm_sources *sources, const struct realm **realm_r,
    struct realm_problems *problems)
{
	struct realm_draft draft = {
	    .problems = *problems, .dir = dir, .sources = sources};
	enum err err = load_open(&draft);

	if (err == OK)
		err = load_all(&draft);
	realm_problem_close(&draft.problems);
	*problems = draft.problems;
	if (draft.scratch != NULL)
		arena_wipe(draft.scratch); /* secrets in the clear */
	arena_free(draft.scratch);
	if (err != OK) {
		arena_free(draft.kept);
		return err;
	}
	*realm_r = draft.realm;
	return OK;
}

enum err
realm_load(const char *dir, const struct realm_sources *sources,
    const struct realm **realm_r, struct buf *problems)
{
	struct realm_problems lines = {.out = problems};
	struct err_detail detail = {0};
	struct realm_dir *opened;
	enum err err = realm_dir_open(dir, &opened, &detail);

	if (err != OK) {
		realm_problem_add(&lines, (struct realm_place){dir, 0, NULL},
		    "%s", err_text(&detail, err));
		return err;
	}
	err = realm_load_from(opened, sources, realm_r, &lines);
	realm_dir_close(opened);
	return err;
}

/* ---- documents from memory ---------------------------------------------- */

static bool
load_take_bytes_idp(struct realm_draft *draft, const struct draft_file *file)
{
	return realm_idp_file_take(draft, file, "fuzz");
}

void
realm_load_bytes(unsigned kind, struct span document, struct buf *problems)
{
	static bool (*const takes[])(struct realm_draft * draft,
	    const struct draft_file *file) = {realm_settings_take_realm,
	    realm_settings_take_scopes, realm_property_take,
	    realm_client_file_take, realm_client_file_take_api,
	    load_take_bytes_idp};
	static const struct realm_sources sources = {.check_only = true};
	struct realm_draft draft = {
	    .problems = {.out = problems}, .sources = &sources};
	struct draft_file file = {.path = "bytes.yaml"};
	struct yaml_source source;

	if (load_open(&draft) == OK) {
		source = realm_draft_source(&draft, file.path);
		if (realm_yaml_parse(&source, document, &file.root) &&
		    takes[kind % (sizeof takes / sizeof takes[0])](
			&draft, &file))
			(void)realm_check_all(&draft);
	}
	arena_free(draft.scratch);
	arena_free(draft.kept);
}
