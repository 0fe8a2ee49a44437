/*
 * One change: edit the set, validate the whole, make it canonical, compare,
 * write, put in force. How it is written: config_commit.c; which edit:
 * config_resource.c, releases. Any thread; one at a time, by the lock.
 *
 * The realm is loaded twice: as the caller gave it, so that mistakes have the
 * caller's lines, and as it will be stored, so that what comes into force is
 * what the next start will load.
 */

#include <stdlib.h>
#include <string.h>

#include "gateway/config/config_canon.h"
#include "gateway/config/config_commit.h"
#include "gateway/config/config_edit.h"
#include "gateway/config/config_load.h"
#include "gateway/config/config_secrets.h"
#include "gateway/config/config_view.h"
#include "gateway/realm/realm_draft.h"

/* The files as they came, as they are read, and their canonical form. */
#define WORK_BYTES (4 * CONFIG_SET_BYTES + REALM_BYTES_MAX)

/* Changes and problems; texts are the views'. */
#define OUTCOME_BYTES ((size_t)16 << 20)

/* All of one change. */
struct change {
	struct config *config;
	const struct config_request *request;
	const struct config_step *step;
	struct config_outcome *outcome;
	struct err_detail *detail;
	struct arena *work; /* secrets in the clear; wiped at the end */
	struct config_edit edit;
	struct config_canon canon;
	struct config_secrets secrets;
	struct config_file *secret_files; /* only their paths; sorted */
	size_t secret_file_count;
	struct config_release *releases;
	const struct realm *realm_before; /* a reference each */
	const struct realm *realm_after;
};

/* ---- loading ------------------------------------------------------------- */

/* Lines of a file that JSON changed are of a text nobody has. */
static void
change_clear_lines(struct change *change, struct config_load *load)
{
	for (size_t i = 0; i < load->problem_count; i++) {
		struct config_problem *problem = &load->problems[i];

		if (change->edit.json_path != NULL &&
		    strcmp(problem->file, change->edit.json_path) == 0)
			problem->line = 0;
	}
}

static enum err
change_refuse(struct change *change, enum err err)
{
	if (err == ERR_INVALID)
		return err_set(change->detail, err,
		    "the realm would have %zu mistake%s",
		    change->outcome->problems.mistakes,
		    change->outcome->problems.mistakes == 1 ? "" : "s");
	return err_set(change->detail, err, "the realm cannot be loaded: %s",
	    err_sentence(err));
}

/* Most files are as they were, and that was canonical. */
static bool
change_make_canonical(struct change *change, const struct config_file *file)
{
	const struct config_file *old =
	    config_view_file(change->outcome->before, span_str(file->path));

	if (old != NULL && span_equal(old->text, file->text))
		return config_canon_add_same(
		    &change->canon, old, change->detail);
	return config_canon_add(
	    &change->canon, file->path, file->text, change->detail);
}

/* The set as it was given, as a directory would be checked. */
static enum err
change_check(struct change *change)
{
	struct config_load load = {.config = change->config,
	    .arena = change->work,
	    .telling = change->outcome->arena,
	    .check_only = true,
	    .confined = true};
	const struct realm *realm = NULL;
	enum err err = config_load_files(
	    &load, change->edit.files, change->edit.count, &realm);

	realm_release(realm);
	change_clear_lines(change, &load);
	change->outcome->problems = config_load_told(&load);
	if (err != OK)
		return change_refuse(change, err);
	change->canon.arena = change->work;
	for (size_t i = 0; i < load.count; i++) {
		if (!change_make_canonical(change, &load.files[i]))
			return ERR_LIMIT;
	}
	config_canon_finish(&change->canon);
	return OK;
}

/* As it will be stored; gives the realm that comes into force. */
static enum err
change_load(struct change *change)
{
	struct config_load load = {.config = change->config,
	    .arena = change->work,
	    .telling = change->outcome->arena,
	    .secrets = &change->secrets,
	    .confined = true};
	enum err err = config_load_files(&load, change->canon.files,
	    change->canon.count, &change->realm_after);

	change->releases = load.releases;
	if (err == OK)
		return OK;
	change->outcome->problems = config_load_told(&load);
	return change_refuse(change, err);
}

/* ---- comparing ----------------------------------------------------------- */

static bool
change_is_below(const char *path, const char *folder)
{
	return strncmp(path, folder, strlen(folder)) == 0;
}

static int
change_compare_paths(const void *a, const void *b)
{
	const struct config_file *left = a;
	const struct config_file *right = b;

	return strcmp(left->path, right->path);
}

/* The files whose secrets change, sorted. */
static enum err
change_find_secrets(struct change *change)
{
	struct config_file *files = arena_alloc(
	    change->work, (change->secrets.count + 1) * sizeof *files);
	size_t count = 0;

	if (files == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < change->secrets.count; i++) {
		if (change->secrets.items[i].set)
			files[count++].path = change->secrets.items[i].path;
	}
	if (count > 1)
		qsort(files, count, sizeof *files, change_compare_paths);
	change->secret_files = files;
	change->secret_file_count = count;
	return OK;
}

static bool
change_has_secret(const struct change *change, const char *path)
{
	const struct config_file key = {.path = path};

	return change->secret_file_count > 0 &&
	       bsearch(&key, change->secret_files, change->secret_file_count,
		   sizeof key, change_compare_paths) != NULL;
}

/* Whether a property that needs admin is added, changed or removed. */
static bool
change_touches_secret_property(
    const struct config_view *from, const struct config_view *to)
{
	size_t count;
	const struct config_document *properties =
	    config_view_documents(from, CONFIG_PROPERTY, &count);

	for (size_t i = 0; i < count; i++) {
		const struct config_document *other = config_view_document(
		    to, CONFIG_PROPERTY, span_str(properties[i].id));

		if (properties[i].admin &&
		    (other == NULL ||
			strcmp(other->etag, properties[i].etag) != 0))
			return true;
	}
	return false;
}

static bool
change_needs_admin(const struct change *change, const char *path, bool secret)
{
	const struct config_outcome *outcome = change->outcome;

	if (change_is_below(path, "api-clients/"))
		return true;
	if (strcmp(path, "properties.yaml") != 0)
		return false;
	return secret ||
	       change_touches_secret_property(
		   outcome->before, outcome->after) ||
	       change_touches_secret_property(outcome->after, outcome->before);
}

static void
change_note(struct change *change, struct config_change *changes,
    const char *path, struct span before, struct span after)
{
	bool same = span_present(before) && span_present(after) &&
		    span_equal(before, after);
	bool secret = change_has_secret(change, path);
	enum config_action action = CONFIG_CHANGE;

	if (same && !secret)
		return;
	if (!span_present(before))
		action = CONFIG_ADD;
	else if (!span_present(after))
		action = CONFIG_REMOVE;
	changes[change->outcome->change_count++] =
	    (struct config_change){path, action, before, after, secret,
		change_needs_admin(change, path, secret)};
}

/* Both sets are sorted by path. */
static enum err
change_compare(struct change *change)
{
	struct config_outcome *outcome = change->outcome;
	size_t olds, news, i = 0, j = 0;
	const struct config_file *old =
	    config_view_files(outcome->before, &olds);
	const struct config_file *new =
	    config_view_files(outcome->after, &news);
	struct config_change *changes =
	    arena_alloc(outcome->arena, (olds + news + 1) * sizeof *changes);

	if (changes == NULL)
		return ERR_NOMEM;
	while (i < olds || j < news) {
		int order = i == olds   ? 1
			    : j == news ? -1
					: strcmp(old[i].path, new[j].path);

		change_note(change, changes,
		    order <= 0 ? old[i].path : new[j].path,
		    order <= 0 ? old[i].text : span_str(NULL),
		    order >= 0 ? new[j].text : span_str(NULL));
		i += order <= 0;
		j += order >= 0;
	}
	outcome->changes = changes;
	return OK;
}

static enum err
change_check_admin(struct change *change)
{
	const struct config_outcome *outcome = change->outcome;

	for (size_t i = 0; i < outcome->change_count; i++) {
		if (outcome->changes[i].admin && !change->request->admin)
			return err_set(change->detail, ERR_DENIED,
			    "%s: api-clients, sensitive properties and keys "
			    "need admin",
			    outcome->changes[i].path);
	}
	return OK;
}

/* Its credential would be two clients' on the admin listener. */
static enum err
change_check_first_client(struct change *change)
{
	const char *id = change->config->first_client.client_id;

	if (config_view_document(change->outcome->after, CONFIG_API_CLIENT,
		span_str(id)) == NULL)
		return OK;
	return err_set(change->detail, ERR_EXISTS,
	    "an api-client '%s' there is already: it is that of the setting "
	    "admin_credential",
	    id);
}

static enum err
change_view(struct change *change)
{
	struct config_outcome *outcome = change->outcome;
	const struct config_edit *edit = &change->edit;
	const struct config_document *document;
	enum err err = config_view_new(change->canon.files, change->canon.count,
	    &outcome->after, change->detail);

	if (err != OK)
		return err;
	memcpy(outcome->revision, config_view_revision(outcome->after),
	    sizeof outcome->revision);
	document = edit->id == NULL ? NULL
				    : config_view_document(outcome->after,
					  edit->kind, span_str(edit->id));
	if (document == NULL)
		return OK;
	memcpy(outcome->etag, document->etag, sizeof outcome->etag);
	outcome->made_id = document->id; /* the view lives on in the outcome */
	return OK;
}

/* ---- the made secrets ---------------------------------------------------- */

static enum err
change_show_made(struct change *change)
{
	struct config_outcome *outcome = change->outcome;
	struct config_made_secret *made = arena_alloc(
	    outcome->arena, (change->secrets.count + 1) * sizeof *made);
	size_t count = 0;

	if (made == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < change->secrets.count; i++) {
		const struct config_secret *secret = &change->secrets.items[i];
		struct config_made_secret *one = &made[count];

		if (secret->made == NULL)
			continue;
		one->kind = config_secrets_kind(secret->kind);
		one->client_id = arena_strdup(outcome->arena, secret->id);
		one->secret = arena_strdup(outcome->arena, secret->made);
		if (one->client_id == NULL || one->secret == NULL)
			return ERR_NOMEM;
		count++;
	}
	outcome->made = made;
	outcome->made_count = count;
	return OK;
}

/* ---- the change ---------------------------------------------------------- */

static enum err
change_write(struct change *change)
{
	struct config_outcome *outcome = change->outcome;
	const struct config_writing writing = {
	    .config = change->config,
	    .arena = change->work,
	    .changes = outcome->changes,
	    .change_count = outcome->change_count,
	    .secrets = &change->secrets,
	    .before = outcome->before,
	    .after = outcome->after,
	    .releases = change->releases,
	    .step = change->step,
	    .request = change->request,
	    .realm_before = change->realm_before,
	    .realm_after = change->realm_after,
	};
	enum err err = OK;

	if (change->step->check != NULL)
		err = change->step->check(change->realm_before,
		    change->realm_after, change->step->user, change->detail);
	/* Before the commit: afterwards nothing may fail. */
	if (err == OK)
		err = change_show_made(change);
	if (err == OK)
		err = config_commit_write(&writing, change->detail);
	if (err != OK)
		return err;
	config_view_hold(outcome->after);
	config_publish(change->config, change->realm_after, outcome->after);
	change->realm_after = NULL; /* the holder's now */
	return OK;
}

static enum err
change_prepare(struct change *change)
{
	const struct config_request *request = change->request;
	enum err err = config_edit_begin(
	    &change->edit, change->work, change->outcome->before);

	if (err == OK)
		err = change->step->edit(
		    &change->edit, change->step->user, change->detail);
	if (err == OK)
		err = change_check(change);
	if (err == OK)
		err = config_secrets_take(change->config, change->work,
		    &change->canon, change->edit.fresh, request->dry_run,
		    &change->secrets);
	if (err == OK)
		err = change_find_secrets(change);
	if (err == OK)
		err = change_view(change);
	if (err == OK)
		err = change_compare(change);
	if (err == OK)
		err = change_check_first_client(change);
	if (err == OK)
		err = change_check_admin(change);
	return err;
}

static enum err
change_run(struct change *change)
{
	const struct config_request *request = change->request;
	const char *revision = config_view_revision(change->outcome->before);
	enum err err;

	if (config_is_read_only(change->config))
		return err_set(change->detail, ERR_STATE,
		    "a realm directory rules (setting realm): the realm is "
		    "changed there");
	if (request->revision != NULL &&
	    strcmp(request->revision, revision) != 0)
		return err_set(change->detail, ERR_STALE,
		    "the realm was changed: its revision is %s", revision);
	err = change_prepare(change);
	if (err != OK || request->dry_run || change->outcome->change_count == 0)
		return err;
	err = change_load(change);
	return err == OK ? change_write(change) : err;
}

static enum err
change_open(struct change *change)
{
	struct config_outcome *outcome = change->outcome;

	change->work = arena_new(WORK_BYTES);
	outcome->arena = arena_new(OUTCOME_BYTES);
	outcome->before = config_view_acquire(change->config);
	change->realm_before = realm_acquire(change->config->options.realms);
	return change->work == NULL || outcome->arena == NULL ? ERR_NOMEM : OK;
}

enum err
config_change(struct config *config, const struct config_request *request,
    const struct config_step *step, struct config_outcome *outcome,
    struct err_detail *detail)
{
	struct change change = {.config = config,
	    .request = request,
	    .step = step,
	    .outcome = outcome,
	    .detail = detail};
	enum err err;

	(void)pthread_mutex_lock(&config->changing);
	err = change_open(&change);
	if (err == OK)
		err = change_run(&change);
	(void)pthread_mutex_unlock(&config->changing);
	realm_release(change.realm_before);
	realm_release(change.realm_after);
	if (change.work != NULL)
		arena_wipe(change.work);
	arena_free(change.work);
	/* What was made for a change that failed is no secret of anybody. */
	if (err != OK)
		outcome->change_count = outcome->made_count = 0;
	return err;
}

void
config_outcome_fini(struct config_outcome *outcome)
{
	if (outcome->arena != NULL)
		arena_wipe(outcome->arena);
	arena_free(outcome->arena);
	config_view_release(outcome->before);
	config_view_release(outcome->after);
	*outcome = (struct config_outcome){.arena = NULL};
}
