/*
 * Writes a change into the store: documents, secrets, releases, the event, all
 * or nothing. What it consists of: config_change.c. Seals on the thread of the
 * change; writes on the writer's.
 */
#include "gateway/config/config_commit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_document.h"

/* Ciphertext is as long as its text, and a little. */
#define SEALED_BYTES (CONFIG_SET_BYTES + 64)

/* An event's detail: what changed, and the caller's reason. */
#define DETAIL_BYTES ((size_t)600)
#define WHY_BYTES    300
#define PATHS_NAMED  3

/* ---- sealing ------------------------------------------------------------- */

/* A document moved to another path does not open. */
static void
commit_context(struct buf *context, const char *path)
{
	buf_init(context, 1024);
	buf_append_str(context, "document");
	buf_append_char(context, '\0');
	buf_append_str(context, path);
}

enum err
config_commit_seal(const struct config *config, const char *path,
    struct span text, struct buf *out)
{
	struct buf context;
	enum err err;

	commit_context(&context, path);
	err = buf_status(&context);
	if (err == OK)
		err = vault_seal(config->options.vault, VAULT_CONFIGURATION,
		    buf_span(&context), text, out);
	buf_fini(&context);
	return err;
}

enum err
config_commit_unseal(const struct config *config, const char *path,
    struct span sealed, struct buf *out)
{
	struct buf context;
	enum err err;

	commit_context(&context, path);
	err = buf_status(&context);
	if (err == OK)
		err = vault_unseal(config->options.vault, VAULT_CONFIGURATION,
		    buf_span(&context), sealed, out);
	buf_fini(&context);
	return err;
}

/* ---- the operation ------------------------------------------------------- */

/* Ready before the writer's thread sees it. */
struct commit {
	const struct config_writing *writing;
	struct span *sealed; /* of each change; absent: it goes */
	struct store_event event;
	char detail[DETAIL_BYTES];
	int64_t at;
};

static enum err
commit_documents(struct store_writer *writer, const struct commit *commit)
{
	const struct config_writing *writing = commit->writing;
	enum err err = OK;

	for (size_t i = 0; i < writing->change_count && err == OK; i++) {
		const char *path = writing->changes[i].path;

		if (span_present(commit->sealed[i]))
			err =
			    store_document_put(writer, path, commit->sealed[i]);
		else
			err = store_document_delete(writer, path);
	}
	return err;
}

static enum err
commit_secret(struct store_writer *writer, const struct config_secret *secret)
{
	const char *kind = config_secrets_kind(secret->kind);
	struct span digest = span_str(NULL);

	if (secret->kind == CONFIG_PROPERTY && secret->set)
		return store_property_value_put(
		    writer, secret->id, secret->sealed);
	if (secret->kind == CONFIG_PROPERTY && secret->drop)
		return store_property_value_delete(writer, secret->id);
	if (secret->has_digest)
		digest = span_of(secret->digest, DIGEST_BYTES);
	if (secret->kind != CONFIG_PROPERTY && secret->set)
		return store_client_secret_set(
		    writer, kind, secret->id, digest, secret->sealed);
	if (secret->kind != CONFIG_PROPERTY && secret->drop)
		return store_client_secret_delete(writer, kind, secret->id);
	return OK;
}

/* A client or property that comes back later starts without the old one. */
static enum err
commit_forget(struct store_writer *writer, const struct config_writing *writing,
    enum config_kind kind)
{
	size_t count;
	const struct config_document *gone =
	    config_view_documents(writing->before, kind, &count);
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++) {
		const struct config_document *still = config_view_document(
		    writing->after, kind, span_str(gone[i].id));

		if (kind == CONFIG_PROPERTY) {
			if (gone[i].admin && (still == NULL || !still->admin))
				err = store_property_value_delete(
				    writer, gone[i].id);
		} else if (still == NULL) {
			err = store_client_secret_delete(
			    writer, config_secrets_kind(kind), gone[i].id);
		}
	}
	return err;
}

static enum err
commit_secrets(
    struct store_writer *writer, const struct config_writing *writing)
{
	const struct config_secrets *secrets = writing->secrets;
	enum err err = commit_forget(writer, writing, CONFIG_CLIENT);

	if (err == OK)
		err = commit_forget(writer, writing, CONFIG_API_CLIENT);
	if (err == OK)
		err = commit_forget(writer, writing, CONFIG_PROPERTY);
	for (size_t i = 0; i < secrets->count && err == OK; i++)
		err = commit_secret(writer, &secrets->items[i]);
	return err;
}

static enum err
commit_releases(struct store_writer *writer, const struct commit *commit)
{
	const struct config_release *release = commit->writing->releases;
	enum err err = OK;

	for (; release != NULL && err == OK; release = release->next)
		err = store_release_keep(writer, release->hash, release->idp,
		    release->content, commit->at);
	return err;
}

static enum err
commit_run(struct store_writer *writer, void *user)
{
	const struct commit *commit = user;
	const struct config_writing *writing = commit->writing;
	const struct config *config = writing->config;
	const struct config_commit told = {writing->realm_before,
	    writing->realm_after, writing->request, commit->at};
	enum err err = commit_documents(writer, commit);

	if (err == OK)
		err = commit_secrets(writer, writing);
	if (err == OK)
		err = commit_releases(writer, commit);
	if (err == OK && writing->step->run != NULL)
		err = writing->step->run(writer, writing->step->user);
	if (err == OK && config->commit != NULL)
		err = config->commit(writer, config->commit_user, &told);
	if (err == OK && commit->event.type != NULL)
		err = store_event_put(writer, &commit->event);
	return err;
}

/* ---- making it ready ----------------------------------------------------- */

static enum err
commit_seal_changes(struct commit *commit)
{
	const struct config_writing *writing = commit->writing;
	struct buf sealed;
	enum err err = OK;

	commit->sealed = arena_alloc(writing->arena,
	    (writing->change_count + 1) * sizeof *commit->sealed);
	if (commit->sealed == NULL)
		return ERR_NOMEM;
	buf_init(&sealed, SEALED_BYTES);
	for (size_t i = 0; i < writing->change_count && err == OK; i++) {
		const struct config_change *change = &writing->changes[i];

		if (!span_present(change->after))
			continue;
		buf_reset(&sealed);
		err = config_commit_seal(
		    writing->config, change->path, change->after, &sealed);
		if (err == OK)
			commit->sealed[i] =
			    arena_copy(writing->arena, buf_span(&sealed));
		if (err == OK && !span_present(commit->sealed[i]))
			err = ERR_NOMEM;
	}
	buf_fini(&sealed);
	return err;
}

/* "clients/a.yaml added, 2 more; why: ...", as much as fits. */
static void
commit_describe(struct commit *commit)
{
	static const char *const did[] = {"added", "changed", "removed"};
	const struct config_writing *writing = commit->writing;
	const char *why = writing->request->why;
	size_t count = writing->change_count;
	struct buf text;

	buf_init(&text, DETAIL_BYTES - 1);
	for (size_t i = 0; i < count && i < PATHS_NAMED; i++)
		buf_printf(&text, "%s%.90s %s", i == 0 ? "" : ", ",
		    writing->changes[i].path, did[writing->changes[i].action]);
	if (count > PATHS_NAMED)
		buf_printf(&text, ", %zu more", count - PATHS_NAMED);
	/* Longer reasons are left out, not cut in a character. */
	if (why != NULL && why[0] != '\0' && strlen(why) <= WHY_BYTES &&
	    realm_syntax_is_text(span_str(why)))
		buf_printf(&text, "; why: %s", why);
	(void)snprintf(commit->detail, sizeof commit->detail, "%.*s",
	    SPAN_ARG(buf_span(&text)));
	buf_fini(&text);
}

enum err
config_commit_write(
    const struct config_writing *writing, struct err_detail *detail)
{
	struct commit commit = {.writing = writing, .at = clock_wall_secs()};
	enum err err = commit_seal_changes(&commit);

	if (err == OK)
		err = config_secrets_seal(
		    writing->config, writing->arena, writing->secrets);
	if (err != OK)
		return err_set(detail, err, "the change cannot be sealed");
	if (writing->request->event != NULL) {
		commit_describe(&commit);
		commit.event = *writing->request->event;
		commit.event.at = commit.at;
		commit.event.detail = commit.detail;
	}
	err =
	    store_perform(writing->config->options.store, commit_run, &commit);
	if (err != OK)
		return err_set(detail, err,
		    "the store does not take the change: %s",
		    err_sentence(err));
	return OK;
}

/* ---- the realm in force -------------------------------------------------- */

struct telling {
	const struct config *config;
	struct config_commit commit;
};

static enum err
tell_run(struct store_writer *writer, void *user)
{
	const struct telling *telling = user;

	return telling->config->commit(
	    writer, telling->config->commit_user, &telling->commit);
}

enum err
config_commit_tell(const struct config *config, const struct realm *before,
    const struct realm *after)
{
	struct telling telling = {
	    config, {before, after, NULL, clock_wall_secs()}};

	if (config->commit == NULL)
		return OK;
	return store_perform(config->options.store, tell_run, &telling);
}
