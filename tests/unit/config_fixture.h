/*
 * A store, a vault and a configuration over them, for the tests of
 * gateway/config. Header only; included by one test program each, after
 * cmocka. One thread.
 */
#ifndef POSTERN_CONFIG_FIXTURE_H
#define POSTERN_CONFIG_FIXTURE_H

#include "gateway/config/config.h"

#include "realm_fixture.h"
#include "store_fixture.h"

struct fixture {
	char *dir; /* data_dir */
	char secrets[200];
	char values[200];
	char realm_dir[200];
	struct vault *vault;
	struct realm_holder *realms;
	struct config *config;
	struct config_options options;
};

static inline void
open_config(struct fixture *f)
{
	struct err_detail detail = {0};

	f->realms = realm_holder_new();
	assert_non_null(f->realms);
	f->options.vault = f->vault;
	f->options.store = store;
	f->options.realms = f->realms;
	if (config_open(&f->options, &f->config, &detail) != OK) {
		const struct config_problems *problems =
		    config_load_problems(f->config);

		for (size_t i = 0; i < problems->count; i++)
			print_error("%s:%d: %s: %s\n", problems->items[i].file,
			    problems->items[i].line, problems->items[i].key,
			    problems->items[i].message);
		fail_msg("%s", detail.text);
	}
}

static inline void
close_config(struct fixture *f)
{
	config_close(f->config);
	realm_holder_free(f->realms);
	f->config = NULL;
	f->realms = NULL;
}

/* As a process that ends and one that starts. */
static inline void
restart(struct fixture *f)
{
	close_config(f);
	store_again();
	open_config(f);
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char key[700];

	assert_non_null(f);
	assert_int_equal(store_set_up(state), 0);
	f->dir = fixture_temporary();
	(void)snprintf(key, sizeof key, "%s/master.key", f->dir);
	(void)snprintf(f->secrets, sizeof f->secrets, "%s/secrets", f->dir);
	(void)snprintf(f->values, sizeof f->values, "%s/values", f->dir);
	(void)snprintf(f->realm_dir, sizeof f->realm_dir, "%s/realm", f->dir);
	assert_int_equal(mkdir(f->realm_dir, 0700), 0);
	assert_int_equal(vault_open(key, true, &f->vault, NULL), OK);
	f->options.data_dir = f->dir;
	f->options.secrets_dir = f->secrets;
	open_config(f);
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	close_config(f);
	vault_close(f->vault);
	fixture_remove(f->dir);
	free(f);
	return store_tear_down(state);
}

/* ---- short forms --------------------------------------------------------- */

static const struct config_request any = {.admin = true};

static inline enum err
apply(struct fixture *f, const struct config_file *files, size_t count,
    const struct config_request *request, struct config_outcome *outcome)
{
	struct err_detail detail = {0};

	*outcome = (struct config_outcome){.arena = NULL};
	return config_apply(f->config, request, files, count, outcome, &detail);
}

static inline size_t
good_files(struct config_file files[GOOD_FILES])
{
	for (size_t i = 0; i < GOOD_FILES; i++)
		files[i] = (struct config_file){
		    good_realm[i].path, span_str(good_realm[i].text)};
	return GOOD_FILES;
}

static inline void
apply_good(struct fixture *f)
{
	struct config_file files[GOOD_FILES];
	struct config_outcome outcome;
	enum err err = apply(f, files, good_files(files), &any, &outcome);

	for (size_t i = 0; i < outcome.problems.mistakes; i++)
		print_error("%s:%d: %s\n", outcome.problems.items[i].file,
		    outcome.problems.items[i].line,
		    outcome.problems.items[i].message);
	assert_int_equal(err, OK);
	config_outcome_fini(&outcome);
}

static inline enum err
create(struct fixture *f, enum config_kind kind, const char *json,
    struct config_outcome *outcome)
{
	struct err_detail detail = {0};
	const char *id = NULL;

	*outcome = (struct config_outcome){.arena = NULL};
	return config_create(
	    f->config, &any, kind, span_str(json), &id, outcome, &detail);
}

static inline enum err
patch_with(struct fixture *f, const struct config_request *request,
    enum config_kind kind, const char *id, const char *json)
{
	struct config_outcome outcome = {.arena = NULL};
	struct err_detail detail = {0};
	enum err err = config_patch(f->config, request, kind, span_str(id),
	    span_str(json), &outcome, &detail);

	config_outcome_fini(&outcome);
	return err;
}

static inline enum err
patch(
    struct fixture *f, enum config_kind kind, const char *id, const char *json)
{
	return patch_with(f, &any, kind, id, json);
}

static inline enum err delete (struct fixture *f, enum config_kind kind,
    const char *id, struct config_outcome *outcome) {
	struct err_detail detail = {0};

	*outcome = (struct config_outcome){.arena = NULL};
	return config_delete(
	    f->config, &any, kind, span_str(id), outcome, &detail);
}

static inline void
assert_json(
    struct fixture *f, enum config_kind kind, const char *id, const char *json)
{
	const struct config_view *view = config_view_acquire(f->config);
	const struct config_document *document =
	    config_view_document(view, kind, span_str(id));
	char text[4096];

	assert_non_null(document);
	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(document->json));
	assert_string_equal(text, json);
	config_view_release(view);
}

static inline void
assert_absent(struct fixture *f, enum config_kind kind, const char *id)
{
	const struct config_view *view = config_view_acquire(f->config);

	assert_null(config_view_document(view, kind, span_str(id)));
	config_view_release(view);
}

/* Whether this is the secret of the client in force. */
static inline bool
is_secret(struct fixture *f, const char *client_id, const char *secret)
{
	const struct realm *realm = realm_acquire(f->realms);
	const struct realm_client *client =
	    realm_client(realm, span_str(client_id));
	uint8_t digest[DIGEST_BYTES];
	bool is;

	assert_non_null(client);
	realm_secret_digest(
	    f->vault, "client", span_str(client_id), span_str(secret), digest);
	is = client->secret.kind == SECRET_DIGEST &&
	     memcmp(digest, client->secret.digest, DIGEST_BYTES) == 0;
	realm_release(realm);
	return is;
}

static inline void
revision_of(struct fixture *f, char revision_r[CONFIG_REVISION_CHARS + 1])
{
	const struct config_view *view = config_view_acquire(f->config);

	memcpy(
	    revision_r, config_view_revision(view), CONFIG_REVISION_CHARS + 1);
	config_view_release(view);
}

static inline void
assert_revision(struct fixture *f, const char *revision)
{
	char now[CONFIG_REVISION_CHARS + 1];

	revision_of(f, now);
	assert_string_equal(now, revision);
}

/* The problem that names this place. */
static inline void
assert_problem(const struct config_outcome *outcome, const char *file, int line,
    const char *key, const char *part)
{
	for (size_t i = 0; i < outcome->problems.count; i++) {
		const struct config_problem *problem =
		    &outcome->problems.items[i];

		if (!problem->warning && strcmp(problem->file, file) == 0 &&
		    problem->line == line && strcmp(problem->key, key) == 0 &&
		    strstr(problem->message, part) != NULL)
			return;
		print_error("%s:%d: %s: %s\n", problem->file, problem->line,
		    problem->key, problem->message);
	}
	fail_msg("no problem at %s:%d: %s", file, line, key);
}

#endif
