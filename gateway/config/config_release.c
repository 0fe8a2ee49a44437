/*
 * Changes of releases and the history they leave; see config_release.h. Not
 * here: how a change of the realm is made (config.c), the table
 * (store_release.c). Any thread; commit_history() and publish_run() on the
 * store's writer.
 */
#include "gateway/config/config_release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "gateway/config/release_settings.h"
#include "gateway/realm/realm_load.h"
#include "gateway/realm/release.h"
#include "gateway/store/store_config.h"

/* "idps/", an identifier of up to 64, "/backchannel.js". */
#define PATH_BYTES 128

/* Names and reasons of a row or two. */
#define ROWS_BYTES ((size_t)64 * 1024)

/* A hash's digits in an ETag: as many as other documents' have. */
#define ETAG_HASH_BYTES (CONFIG_ETAG_CHARS / 2)

/* ---- the history --------------------------------------------------------- */

/* The history says what is in force, whoever changed it. */
static enum err
commit_history(
    struct store_writer *writer, void *user, const struct config_commit *commit)
{
	const struct config_request *request = commit->request;
	const struct realm *realm = commit->after;
	struct store_release_change *live =
	    calloc(realm->idp_count + 1, sizeof *live);
	enum err err;

	(void)user;
	if (live == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < realm->idp_count; i++) {
		live[i].idp = realm->idps[i].identifier;
		live[i].hash = realm->idps[i].release->hash;
		live[i].at = commit->at;
		if (request != NULL && request->event != NULL)
			live[i].by = request->event->client_id;
		if (request != NULL)
			live[i].why = request->why;
	}
	err = store_release_sync(writer, live, realm->idp_count, commit->at);
	free(live);
	return err;
}

enum err
config_release_open(struct config *config)
{
	return config_on_commit(config, commit_history, NULL);
}

/* ---- reading ------------------------------------------------------------- */

enum err
config_release_find(struct store *store, const char *idp, struct span name,
    struct arena *arena, struct store_release_row *row_r)
{
	char digits[2 * DIGEST_BYTES + 1];
	uint8_t prefix[DIGEST_BYTES];

	if (span_is(name, "live"))
		return store_release_live(store, idp, arena, row_r);
	if (name.len < CONFIG_RELEASE_DIGITS_MIN || name.len > 2 * DIGEST_BYTES)
		return ERR_NOT_FOUND;
	memset(digits, '0', sizeof digits);
	memcpy(digits, name.data, name.len);
	if (hex_decode(
		span_of(digits, 2 * DIGEST_BYTES), prefix, sizeof prefix) != OK)
		return ERR_NOT_FOUND;
	return store_release_find(
	    store, idp, prefix, (unsigned)name.len, arena, row_r);
}

enum err
config_release_load(struct store *store, const uint8_t hash[DIGEST_BYTES],
    struct release **release_r)
{
	uint8_t *content;
	size_t len;
	enum err err = store_release_get(store, hash, &content, &len);

	if (err != OK)
		return err;
	err = release_decode(hash, span_of(content, len), release_r);
	free(content);
	return err;
}

void
config_release_etag(const struct store_release_row *row,
    char etag_r[CONFIG_RELEASE_ETAG_CHARS + 1])
{
	struct buf hex;

	buf_init(&hex, CONFIG_RELEASE_ETAG_CHARS);
	hex_append_lower(&hex, span_of(row->hash, ETAG_HASH_BYTES));
	(void)snprintf(etag_r, CONFIG_RELEASE_ETAG_CHARS + 1, "%.*s-%llu-%d",
	    SPAN_ARG(buf_span(&hex)), (unsigned long long)row->number,
	    (int)row->state);
	buf_fini(&hex);
}

/* ---- for both changes ---------------------------------------------------- */

static bool
is_stale(
    const struct config_request *request, const struct store_release_row *row)
{
	char etag[CONFIG_RELEASE_ETAG_CHARS + 1];

	if (request->etag == NULL)
		return false;
	config_release_etag(row, etag);
	return strcmp(request->etag, etag) != 0;
}

static enum err
no_idp(const char *idp, struct err_detail *detail)
{
	return err_set(
	    detail, ERR_NOT_FOUND, "there is no identity provider '%s'", idp);
}

static void
script_path(char path_r[PATH_BYTES], const char *idp, size_t kind)
{
	(void)snprintf(path_r, PATH_BYTES, "idps/%s/%s.js", idp,
	    script_kind_name((enum script_kind)kind));
}

/* Absent: there shall be none. */
static enum err
edit_script(
    struct config_edit *edit, const char *idp, size_t kind, struct span source)
{
	char path[PATH_BYTES];

	script_path(path, idp, kind);
	if (span_present(source))
		return config_edit_put(edit, path, source);
	config_edit_remove(edit, path);
	return OK;
}

static enum err
edit_settings(struct config_edit *edit, const char *idp, struct span patch,
    struct err_detail *detail)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof path, "idps/%s/idp.yaml", idp);
	return config_edit_merge(edit, path, patch, detail);
}

static const char *
who_asks(const struct config_request *request)
{
	return request->event == NULL ? NULL : request->event->client_id;
}

/* ---- drafts -------------------------------------------------------------- */

struct draft_step {
	const struct config_release_draft *draft;
	bool is_made; /* the realm that the draft would make is valid */
	uint8_t hash[DIGEST_BYTES];
	uint8_t live[DIGEST_BYTES];
	struct buf content;
};

static enum err
draft_settings(struct config_edit *edit,
    const struct config_release_draft *draft, struct err_detail *detail)
{
	struct buf patch;
	enum err err;

	/* The block as a whole, not key by key. */
	err = edit_settings(
	    edit, draft->idp, span_str("{\"script\":null}"), detail);
	if (err != OK)
		return err;
	buf_init(&patch, draft->settings.len + 16);
	buf_append_str(&patch, "{\"script\":");
	buf_append_span(&patch, draft->settings);
	buf_append_char(&patch, '}');
	err = buf_status(&patch);
	if (err == OK)
		err = edit_settings(edit, draft->idp, buf_span(&patch), detail);
	buf_fini(&patch);
	return err;
}

static enum err
draft_edit(struct config_edit *edit, void *user, struct err_detail *detail)
{
	const struct draft_step *step = user;
	const struct config_release_draft *draft = step->draft;
	enum err err = OK;

	if (config_view_document(config_edit_view(edit), CONFIG_IDP,
		span_str(draft->idp)) == NULL)
		return no_idp(draft->idp, detail);
	for (size_t kind = 0; kind < SCRIPT_KINDS && err == OK; kind++)
		if (draft->scripts[kind].given)
			err = edit_script(edit, draft->idp, kind,
			    draft->scripts[kind].source);
	if (err == OK && span_present(draft->settings))
		err = draft_settings(edit, draft, detail);
	return err;
}

/* Takes the release out of the realm that would be, which then is given up. */
static enum err
draft_check(const struct realm *before, const struct realm *after, void *user,
    struct err_detail *detail)
{
	struct draft_step *step = user;
	struct span id = span_str(step->draft->idp);
	const struct realm_idp *now = realm_idp(before, id);
	const struct realm_idp *then = realm_idp(after, id);

	if (now == NULL || then == NULL)
		return no_idp(step->draft->idp, detail);
	release_encode(then->release, &step->content);
	if (buf_status(&step->content) != OK)
		return ERR_NOMEM;
	memcpy(step->hash, then->release->hash, DIGEST_BYTES);
	memcpy(step->live, now->release->hash, DIGEST_BYTES);
	step->is_made = true;
	return ERR_STATE;
}

static enum err
draft_keep(const struct config_releases *releases,
    const struct config_request *request, const struct draft_step *step,
    struct err_detail *detail)
{
	struct store_event event = {0};
	struct store_release_change change = {
	    .idp = step->draft->idp,
	    .hash = step->hash,
	    .content = buf_span(&step->content),
	    .at = clock_wall_secs(),
	    .by = who_asks(request),
	    .why = request->why,
	};
	enum err err;

	if (request->event != NULL) {
		event = *request->event;
		event.idp = step->draft->idp;
		event.release = span_of(step->hash, DIGEST_BYTES);
		event.detail = request->why;
		change.event = &event;
	}
	err = store_release_draft(releases->store, &change);
	if (err == ERR_LIMIT)
		return err_set(detail, err,
		    "there are %d drafts already: delete one first",
		    STORE_RELEASE_DRAFTS);
	return err;
}

static enum err
draft_is_live(struct err_detail *detail)
{
	return err_set(
	    detail, ERR_EXISTS, "these scripts and settings are live already");
}

enum err
config_release_draft(const struct config_releases *releases,
    const struct config_request *request,
    const struct config_release_draft *draft, struct config_release_done *done,
    struct err_detail *detail)
{
	struct draft_step step = {.draft = draft};
	const struct config_step change = {
	    .edit = draft_edit, .check = draft_check, .user = &step};
	/* Nothing comes of the change itself, so nothing is told of it. */
	const struct config_request silent = {.admin = true};
	enum err err;

	buf_init(&step.content, RELEASE_CONTENT_BYTES);
	err = config_change(
	    releases->config, &silent, &change, done->outcome, detail);
	if (err == OK) {
		err = draft_is_live(detail);
	} else if (step.is_made) {
		memcpy(done->hash, step.hash, DIGEST_BYTES);
		memcpy(done->previous, step.live, DIGEST_BYTES);
		err = memcmp(step.hash, step.live, DIGEST_BYTES) == 0
			  ? draft_is_live(detail)
			  : draft_keep(releases, request, &step, detail);
	}
	buf_fini(&step.content);
	return err;
}

enum err
config_release_drop(const struct config_releases *releases,
    const struct config_request *request, const char *idp,
    const struct store_release_row *row, struct err_detail *detail)
{
	struct store_event event = {0};
	struct store_release_change change = {.idp = idp,
	    .hash = row->hash,
	    .at = clock_wall_secs(),
	    .by = who_asks(request)};
	enum err err;

	if (config_is_read_only(releases->config))
		return ERR_STATE;
	if (is_stale(request, row))
		return ERR_STALE;
	if (row->state != STORE_RELEASE_DRAFT)
		return err_set(detail, ERR_EXISTS,
		    "this release is no draft: what was published stays in the "
		    "history");
	if (request->event != NULL) {
		event = *request->event;
		event.idp = idp;
		event.release = span_of(row->hash, DIGEST_BYTES);
		change.event = &event;
	}
	err = store_release_draft_drop(releases->store, &change);
	return err;
}

/* ---- publishing ---------------------------------------------------------- */

struct publish_step {
	const struct config_releases *releases;
	const struct config_request *request;
	const char *idp;
	const uint8_t *hash; /* NULL: roll back */
	struct config_release_done *done;

	/* Known once the realm is being changed, and nobody else changes it. */
	struct arena *arena;
	struct release *release;
	struct store_release_change change;
	struct store_event event;
};

/* What shall run. */
static enum err
publish_target(struct publish_step *step, struct err_detail *detail)
{
	struct store *store = step->releases->store;
	struct store_release_row row;
	enum err err;

	if (step->hash != NULL)
		err = store_release_find(store, step->idp, step->hash,
		    2 * DIGEST_BYTES, step->arena, &row);
	else
		err = store_release_before(store, step->idp, step->arena, &row);
	if (err == ERR_NOT_FOUND && step->hash == NULL)
		return err_set(
		    detail, ERR_EXISTS, "nothing ran before the live release");
	if (err == OK)
		err = config_release_load(store, row.hash, &step->release);
	if (err == OK && step->hash == NULL)
		step->change.origin = row.origin;
	return err;
}

/* And what it takes the place of. */
static enum err
publish_choose(struct publish_step *step, struct err_detail *detail)
{
	struct store_release_row live;
	enum err err = store_release_live(
	    step->releases->store, step->idp, step->arena, &live);

	if (err == OK && is_stale(step->request, &live))
		return ERR_STALE;
	if (err == OK)
		err = publish_target(step, detail);
	if (err != OK)
		return err;
	memcpy(step->done->hash, step->release->hash, DIGEST_BYTES);
	memcpy(step->done->previous, live.hash, DIGEST_BYTES);
	step->change.hash = step->release->hash;
	step->event.release = span_of(step->release->hash, DIGEST_BYTES);
	return OK;
}

static enum err
publish_settings(struct config_edit *edit, const struct publish_step *step,
    const struct config_document *idp, struct err_detail *detail)
{
	const struct config_document *realm = config_view_document(
	    config_edit_view(edit), CONFIG_REALM, span_str(""));
	struct span realm_json = realm == NULL ? span_str("{}") : realm->json;
	struct buf patch;
	enum err err;

	buf_init(&patch, 4096);
	err = release_settings_patch(
	    &step->release->limits, realm_json, idp->json, &patch);
	if (err == OK && !span_is(buf_span(&patch), "{}"))
		err = edit_settings(edit, step->idp, buf_span(&patch), detail);
	buf_fini(&patch);
	return err;
}

static enum err
publish_edit(struct config_edit *edit, void *user, struct err_detail *detail)
{
	struct publish_step *step = user;
	const struct config_document *idp = config_view_document(
	    config_edit_view(edit), CONFIG_IDP, span_str(step->idp));
	enum err err;

	if (idp == NULL)
		return no_idp(step->idp, detail);
	err = publish_choose(step, detail);
	for (size_t kind = 0; kind < SCRIPT_KINDS && err == OK; kind++) {
		const struct realm_script *script =
		    step->release->scripts[kind];

		err = edit_script(edit, step->idp, kind,
		    script == NULL ? span_of(NULL, 0) : script->source);
	}
	if (err == OK)
		err = publish_settings(edit, step, idp, detail);
	return err;
}

static enum err
publish_check(const struct realm *before, const struct realm *after, void *user,
    struct err_detail *detail)
{
	const struct publish_step *step = user;
	const struct realm_idp *idp = realm_idp(after, span_str(step->idp));

	(void)before;
	if (idp != NULL &&
	    memcmp(idp->release->hash, step->release->hash, DIGEST_BYTES) == 0)
		return OK;
	return err_set(detail, ERR_INVALID,
	    "this release cannot be made again from the files it came of");
}

static enum err
publish_run(struct store_writer *writer, void *user)
{
	const struct publish_step *step = user;

	return store_release_publish(writer, &step->change);
}

static enum err
publish_change(struct publish_step *step, struct err_detail *detail)
{
	const struct config_step change = {.edit = publish_edit,
	    .check = publish_check,
	    .run = publish_run,
	    .user = step};
	struct config_request own = *step->request;

	own.etag = NULL; /* of the release, which is looked at here */
	own.dry_run = false;
	if (own.event != NULL) {
		step->event = *own.event;
		step->event.idp = step->idp;
		own.event = &step->event;
	}
	step->change.idp = step->idp;
	step->change.at = clock_wall_secs();
	step->change.by = who_asks(step->request);
	step->change.why = step->request->why;
	return config_change(
	    step->releases->config, &own, &change, step->done->outcome, detail);
}

enum err
config_release_publish(const struct config_releases *releases,
    const struct config_request *request, const char *idp, const uint8_t *hash,
    struct config_release_done *done, struct err_detail *detail)
{
	struct publish_step step = {.releases = releases,
	    .request = request,
	    .idp = idp,
	    .hash = hash,
	    .done = done,
	    .arena = arena_new(ROWS_BYTES)};
	enum err err =
	    step.arena == NULL ? ERR_NOMEM : publish_change(&step, detail);

	free(step.release);
	arena_free(step.arena);
	return err;
}
