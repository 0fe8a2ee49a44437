/*
 * The realm in the store: what goes in comes out without its secrets, a change
 * happens whole or not at all, and the next start has what was in force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"

#include "config_fixture.h"

#define PHC       \
	"$2b$12$" \
	"abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"

/* ---- the start ----------------------------------------------------------- */

static void
test_empty_store(void **state)
{
	struct fixture *f = *state;
	const struct config_view *view = config_view_acquire(f->config);
	const struct realm *realm = realm_acquire(f->realms);
	size_t count;

	(void)config_view_files(view, &count);
	assert_int_equal(count, 0);
	assert_int_equal(
	    strlen(config_view_revision(view)), CONFIG_REVISION_CHARS);
	assert_int_equal(realm->client_count, 0);
	assert_json(f, CONFIG_REALM, "", "{}");
	assert_false(config_is_read_only(f->config));
	config_view_release(view);
	realm_release(realm);
}

static void
test_first_client(void **state)
{
	struct fixture *f = *state;
	const struct realm_api_client *first = config_first_client(f->config);
	uint8_t digest[DIGEST_BYTES];
	struct secret *file;
	struct span text;
	char path[700];

	(void)snprintf(path, sizeof path, "%s/admin.credential", f->dir);
	assert_int_equal(secret_read_file(path, 1000, &file, NULL), OK);
	text = secret_bytes(file);
	assert_true(text.len > 40 && memcmp(text.data, "admin:", 6) == 0);
	assert_string_equal(first->client_id, "admin");
	assert_int_equal(first->scopes, API_CONFIG | API_ADMIN);
	assert_true(first->enabled);
	realm_secret_digest(f->vault, "api_client", span_str("admin"),
	    span_of(text.data + 6, text.len - 7), digest);
	assert_memory_equal(digest, first->secret.digest, DIGEST_BYTES);
	/* It is kept, and no other client takes its place. */
	restart(f);
	assert_memory_equal(digest,
	    config_first_client(f->config)->secret.digest, DIGEST_BYTES);
	{
		struct config_outcome outcome;

		assert_int_equal(create(f, CONFIG_API_CLIENT,
				     "{\"client_id\":\"admin\"}", &outcome),
		    ERR_EXISTS);
		config_outcome_fini(&outcome);
	}
	secret_free(file);
}

static void
test_credential_that_is_none(void **state)
{
	static const char *const texts[] = {"", "admin", "admin:short",
	    ":0123456789abcdef", "a b:0123456789abcdef"};
	struct fixture *f = *state;
	struct err_detail detail = {0};
	char path[700];

	(void)snprintf(path, sizeof path, "%s/credential", f->dir);
	f->options.admin_credential = path;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		close_config(f);
		fixture_write(f->dir, "credential", texts[i], strlen(texts[i]));
		f->realms = realm_holder_new();
		f->options.realms = f->realms;
		assert_int_equal(
		    config_open(&f->options, &f->config, &detail), ERR_INVALID);
	}
	fixture_write(f->dir, "credential", "me:0123456789abcdef\n", 20);
	restart(f);
	assert_string_equal(config_first_client(f->config)->client_id, "me");
}

/* ---- a whole realm ------------------------------------------------------- */

static void
test_apply_export_apply(void **state)
{
	struct fixture *f = *state;
	const struct config_view *view;
	const struct config_file *files;
	struct config_outcome outcome;
	char revision[CONFIG_REVISION_CHARS + 1];
	size_t count;

	apply_good(f);
	revision_of(f, revision);
	view = config_view_acquire(f->config);
	files = config_view_files(view, &count);
	assert_int_equal(count, GOOD_FILES);
	for (size_t i = 0; i < count; i++) {
		char *text = strndup(
		    (const char *)files[i].text.data, files[i].text.len);

		assert_null(strstr(text, "s3cret"));
		assert_null(strstr(text, "only-in-demos"));
		assert_null(strstr(text, "$2b$"));
		free(text);
	}
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.change_count, 0);
	assert_string_equal(outcome.revision, revision);
	config_outcome_fini(&outcome);
	restart(f);
	assert_revision(f, revision);
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.change_count, 0);
	config_outcome_fini(&outcome);
	config_view_release(view);
}

static void
test_secrets_are_in_force(void **state)
{
	struct fixture *f = *state;

	apply_good(f);
	for (int again = 0; again < 2; again++) {
		const struct realm *realm = realm_acquire(f->realms);
		const struct realm_api_client *api =
		    realm_api_client(realm, span_str("demo-app"));
		const struct realm_idp *idp =
		    realm_idp(realm, span_str("TwoStep"));

		assert_true(is_secret(f, "demo-app", "only-in-demos"));
		assert_int_equal(api->secret.kind, SECRET_PHC);
		assert_string_equal(api->secret.phc, PHC);
		assert_non_null(strstr(idp->properties_json, "s3cret"));
		assert_non_null(strstr(idp->keys_json, "\"pem\""));
		assert_non_null(idp->http_ca_pem);
		realm_release(realm);
		restart(f);
	}
}

/* What a client without client_secret gets is told once, and only then. */
static void
test_made_secret_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct config_file files[GOOD_FILES];
	size_t count = good_files(files);
	struct config_request plan = {.admin = true, .dry_run = true};
	struct config_outcome outcome;

	assert_int_equal(apply(f, files, count, &plan, &outcome), OK);
	assert_int_equal(outcome.change_count, GOOD_FILES);
	assert_int_equal(outcome.made_count, 0);
	config_outcome_fini(&outcome);
	assert_absent(f, CONFIG_CLIENT, "demo-app");
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.made_count, 1);
	assert_string_equal(outcome.made[0].client_id, "true");
	assert_true(is_secret(f, "true", outcome.made[0].secret));
	config_outcome_fini(&outcome);
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.change_count, 0);
	assert_int_equal(outcome.made_count, 0);
	config_outcome_fini(&outcome);
}

static void
test_changed_secret_is_a_change(void **state)
{
	struct fixture *f = *state;
	struct config_file files[GOOD_FILES];
	size_t count = good_files(files);
	struct config_request config_only = {.admin = false};
	struct config_outcome outcome;

	apply_good(f);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i].path, "properties.yaml") == 0)
			files[i].text = span_str(
			    "- {id: backend_url, value: "
			    "\"https://api.example.com\"}\n"
			    "- {id: backend_key, value: other, sensitive: "
			    "true, "
			    "idps: [TwoStep]}\n"
			    "- {id: signing_key, value: pem, kind: key}\n");
	}
	assert_int_equal(
	    apply(f, files, count, &config_only, &outcome), ERR_DENIED);
	config_outcome_fini(&outcome);
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.change_count, 1);
	assert_string_equal(outcome.changes[0].path, "properties.yaml");
	assert_int_equal(outcome.changes[0].action, CONFIG_CHANGE);
	assert_true(outcome.changes[0].secret);
	assert_true(outcome.changes[0].admin);
	assert_true(
	    span_equal(outcome.changes[0].before, outcome.changes[0].after));
	config_outcome_fini(&outcome);
	{
		const struct realm *realm = realm_acquire(f->realms);

		assert_non_null(strstr(
		    realm_idp(realm, span_str("TwoStep"))->properties_json,
		    "other"));
		realm_release(realm);
	}
}

static void
test_nothing_to_keep(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *path;
		const char *text;
		int line;
		const char *key;
	} cases[] = {
	    {"clients/a.yaml", "client_id: a\nclient_secret: {keep: a}\n", 2,
		"client_secret"},
	    {"api-clients/a.yaml", "client_id: a\nclient_secret:\n  keep: a\n",
		2, "client_secret"},
	    {"properties.yaml", "- id: a\n  keep: a\n  sensitive: true\n", 2,
		"keep"},
	    {"properties.yaml", "- id: a\n  keep: b\n  sensitive: true\n", 2,
		"keep"},
	    {"properties.yaml", "- {id: a, keep: a}\n", 1, "keep"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config_file file = {
		    cases[i].path, span_str(cases[i].text)};
		struct config_outcome outcome;

		assert_int_equal(
		    apply(f, &file, 1, &any, &outcome), ERR_INVALID);
		assert_int_equal(outcome.problems.mistakes, 1);
		assert_problem(
		    &outcome, cases[i].path, cases[i].line, cases[i].key, "");
		config_outcome_fini(&outcome);
	}
}

static void
test_names_of_files(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"", "/etc/passwd", "../a", "a/../b",
	    "a//b", "./a", "a/", "a\nb", "a/.", "\xff"};
	struct config_file file = {NULL, span_str("x")};
	struct config_file twice[] = {
	    {"README.md", span_str("a")}, {"README.md", span_str("b")}};
	struct config_outcome outcome;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		file.path = bad[i];
		assert_int_equal(
		    apply(f, &file, 1, &any, &outcome), ERR_SYNTAX);
		config_outcome_fini(&outcome);
	}
	assert_int_equal(apply(f, twice, 2, &any, &outcome), ERR_SYNTAX);
	config_outcome_fini(&outcome);
	/* A file where a folder belongs. */
	file.path = "clients";
	assert_int_equal(apply(f, &file, 1, &any, &outcome), ERR_INVALID);
	assert_problem(&outcome, "clients", 0, "", "folder");
	config_outcome_fini(&outcome);
	/* One that is not of a realm is left out, with a warning. */
	file.path = "notes.txt";
	assert_int_equal(apply(f, &file, 1, &any, &outcome), OK);
	assert_int_equal(outcome.change_count, 0);
	assert_int_equal(outcome.problems.count, 1);
	assert_true(outcome.problems.items[0].warning);
	config_outcome_fini(&outcome);
}

static void
test_expected_revision(void **state)
{
	struct fixture *f = *state;
	char revision[CONFIG_REVISION_CHARS + 1];
	struct config_request request = {.admin = true, .revision = revision};
	struct config_outcome outcome;

	revision_of(f, revision);
	apply_good(f);
	assert_int_equal(apply(f, NULL, 0, &request, &outcome), ERR_STALE);
	config_outcome_fini(&outcome);
	revision_of(f, revision);
	assert_int_equal(apply(f, NULL, 0, &request, &outcome), OK);
	assert_int_equal(outcome.change_count, GOOD_FILES);
	config_outcome_fini(&outcome);
	assert_absent(f, CONFIG_CLIENT, "demo-app");
}

/* ---- the host's files and variables ---------------------------------------
 */

static void
test_confinement(void **state)
{
	static const struct {
		const char *text;
		const char *part; /* NULL: accepted */
	} cases[] = {
	    {"- {id: a, env: HOME}\n", "POSTERN_VALUE_"},
	    {"- {id: a, env: POSTERN_VALUE_A, sensitive: true}\n", NULL},
	    {"- {id: a, file: /etc/hostname}\n", "value_files_dir"},
	    {"- {id: a, file: ../master.key, sensitive: true}\n",
		"value_files_dir"},
	    {"- {id: a, file: /etc/hostname, kind: key}\n", "value_files_dir"},
	    {"- {id: a, file: a.txt}\n", NULL},
	    {"- {id: a, file: a.txt, kind: key}\n", NULL},
	    {"- {id: a, file: none.txt}\n", "cannot be read"},
	};
	struct fixture *f = *state;

	fixture_write(f->dir, "values/a.txt", "in the file\n", 12);
	assert_int_equal(setenv("POSTERN_VALUE_A", "in the variable", 1), 0);
	f->options.values_dir = f->values;
	restart(f);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config_file file = {
		    "properties.yaml", span_str(cases[i].text)};
		struct config_outcome outcome;
		enum err err = apply(f, &file, 1, &any, &outcome);

		assert_int_equal(err, cases[i].part == NULL ? OK : ERR_INVALID);
		if (cases[i].part != NULL)
			assert_non_null(strstr(
			    outcome.problems.items[0].message, cases[i].part));
		config_outcome_fini(&outcome);
	}
	f->options.values_dir = NULL;
}

/* ---- all or nothing ------------------------------------------------------ */

struct stepping {
	unsigned edits;
	unsigned checks;
	unsigned runs;
	enum err check;
	enum err run;
};

static enum err
step_edit(struct config_edit *edit, void *user, struct err_detail *detail)
{
	struct stepping *stepping = user;

	(void)detail;
	stepping->edits++;
	config_edit_remove(edit, "clients/plain.yaml");
	return config_edit_put(edit, "clients/step.yaml",
	    span_str("client_id: step\nclient_secret: {plain: s3cret}\n"));
}

static enum err
step_check(const struct realm *before, const struct realm *after, void *user,
    struct err_detail *detail)
{
	struct stepping *stepping = user;

	(void)detail;
	stepping->checks++;
	assert_null(realm_client(before, span_str("step")));
	assert_non_null(realm_client(after, span_str("step")));
	return stepping->check;
}

static enum err
step_run(struct store_writer *writer, void *user)
{
	struct stepping *stepping = user;

	assert_non_null(writer);
	stepping->runs++;
	return stepping->run;
}

static enum err
take_step(struct fixture *f, struct stepping *stepping, bool dry_run)
{
	const struct config_step step = {
	    step_edit, step_check, step_run, stepping};
	struct config_request request = {.admin = true, .dry_run = dry_run};
	struct config_outcome outcome = {.arena = NULL};
	struct err_detail detail = {0};
	enum err err =
	    config_change(f->config, &request, &step, &outcome, &detail);

	config_outcome_fini(&outcome);
	return err;
}

static void
test_a_change_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct stepping stepping = {.check = ERR_EXISTS};
	char revision[CONFIG_REVISION_CHARS + 1];

	apply_good(f);
	revision_of(f, revision);
	assert_int_equal(take_step(f, &stepping, true), OK);
	assert_int_equal(stepping.checks, 0);
	assert_revision(f, revision);
	assert_int_equal(take_step(f, &stepping, false), ERR_EXISTS);
	assert_int_equal(stepping.runs, 0);
	assert_revision(f, revision);
	/* The store's operation is undone as a whole. */
	stepping.check = OK;
	stepping.run = ERR_LIMIT;
	assert_int_equal(take_step(f, &stepping, false), ERR_LIMIT);
	assert_true(stepping.runs > 0);
	assert_revision(f, revision);
	assert_absent(f, CONFIG_CLIENT, "step");
	restart(f);
	assert_revision(f, revision);
	assert_true(is_secret(f, "demo-app", "only-in-demos"));
	stepping.run = OK;
	assert_int_equal(take_step(f, &stepping, false), OK);
	assert_true(is_secret(f, "step", "s3cret"));
	restart(f);
	assert_true(is_secret(f, "step", "s3cret"));
}

struct telling {
	unsigned starts;
	unsigned changes;
	bool fails;
};

static enum err
tell(
    struct store_writer *writer, void *user, const struct config_commit *commit)
{
	struct telling *telling = user;

	assert_non_null(writer);
	assert_non_null(commit->after);
	telling->starts += commit->before == NULL;
	telling->changes += commit->request != NULL;
	return telling->fails ? ERR_LIMIT : OK;
}

static void
test_commits_are_told(void **state)
{
	struct fixture *f = *state;
	struct telling telling = {.starts = 0};
	struct config_outcome outcome;

	assert_int_equal(config_on_commit(f->config, tell, &telling), OK);
	assert_int_equal(telling.starts, 1);
	assert_int_equal(
	    create(f, CONFIG_SCOPE, "{\"id\":\"a\"}", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_int_equal(telling.changes, 1);
	telling.fails = true;
	assert_int_not_equal(
	    create(f, CONFIG_SCOPE, "{\"id\":\"b\"}", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_absent(f, CONFIG_SCOPE, "b");
}

static void
count_event(void *user, const struct store_event *event)
{
	unsigned *count = user;

	(*count)++;
	assert_string_equal(event->type, "CONFIG_CHANGED");
	assert_string_equal(event->client_id, "me");
	assert_string_equal(event->detail, "scopes.yaml added; why: because");
	assert_true(event->at > 0);
}

static void
test_event_comes_with_the_change(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = {
	    .type = "CONFIG_CHANGED", .client_id = "me"};
	struct config_request request = {
	    .admin = true, .event = &event, .why = "because"};
	const struct config_file file = {
	    "scopes.yaml", span_str("- {id: a}\n")};
	const struct store_event_filter all = {.until = INT64_MAX, .limit = 10};
	struct config_outcome outcome;
	unsigned count = 0;
	uint64_t next;

	assert_int_equal(apply(f, &file, 1, &request, &outcome), OK);
	config_outcome_fini(&outcome);
	/* Nothing to change, nothing to tell. */
	assert_int_equal(apply(f, &file, 1, &request, &outcome), OK);
	config_outcome_fini(&outcome);
	assert_int_equal(
	    store_event_each(store, &all, count_event, &count, &next), OK);
	assert_int_equal(count, 1);
}

/* ---- sealing ------------------------------------------------------------- */

static void
test_another_master_key(void **state)
{
	struct fixture *f = *state;
	struct err_detail detail = {0};
	struct vault *own = f->vault;
	char path[700];

	apply_good(f);
	close_config(f);
	(void)snprintf(path, sizeof path, "%s/other.key", f->dir);
	assert_int_equal(vault_open(path, true, &f->options.vault, NULL), OK);
	f->realms = realm_holder_new();
	f->options.realms = f->realms;
	assert_int_equal(
	    config_open(&f->options, &f->config, &detail), ERR_CORRUPT);
	assert_non_null(strstr(detail.text, "master key"));
	vault_close(f->options.vault);
	f->vault = own;
	restart(f);
	assert_true(is_secret(f, "demo-app", "only-in-demos"));
}

static void
test_store_shows_nothing(void **state)
{
	struct fixture *f = *state;
	FILE *file;
	char *bytes;
	size_t len;

	apply_good(f);
	close_config(f);
	store_close(store);
	store = NULL;
	file = fopen(store_path, "r");
	assert_non_null(file);
	bytes = malloc(1 << 22);
	assert_non_null(bytes);
	len = fread(bytes, 1, 1 << 22, file);
	(void)fclose(file);
	assert_null(memmem(bytes, len, "s3cret", 6));
	assert_null(memmem(bytes, len, "only-in-demos", 13));
	assert_null(memmem(bytes, len, "$2b$12$", 7));
	assert_null(memmem(bytes, len, "lifetime_secs", 13));
	free(bytes);
	store_again();
	open_config(f);
}

/* ---- where a directory rules ----------------------------------------------
 */

static void
test_directory_rules(void **state)
{
	struct fixture *f = *state;
	const struct config_view *view;
	const struct config_file *files;
	struct config_outcome outcome;
	struct err_detail detail = {0};
	size_t count;

	fixture_write_good(f->realm_dir);
	assert_int_equal(config_reload(f->config, &detail), ERR_STATE);
	f->options.realm_dir = f->realm_dir;
	restart(f);
	assert_true(config_is_read_only(f->config));
	assert_int_equal(
	    patch(f, CONFIG_REALM, "", "{\"shared_subjects\":true}"),
	    ERR_STATE);
	assert_json(f, CONFIG_PROPERTY, "backend_key",
	    "{\"id\":\"backend_key\",\"keep\":\"backend_key\","
	    "\"sensitive\":true,\"idps\":[\"TwoStep\"]}");
	view = config_view_acquire(f->config);
	files = config_view_files(view, &count);
	assert_int_equal(count, GOOD_FILES);
	for (size_t i = 0; i < count; i++)
		assert_null(
		    memmem(files[i].text.data, files[i].text.len, "s3cret", 6));
	/* A store that does not have its secrets cannot take it as it is. */
	f->options.realm_dir = NULL;
	restart(f);
	assert_int_equal(apply(f, files, count, &any, &outcome), ERR_INVALID);
	assert_problem(&outcome, "clients/demo-app.yaml", 3, "client_secret",
	    "no secret to keep");
	assert_problem(
	    &outcome, "properties.yaml", 2, "keep", "no value to keep");
	config_outcome_fini(&outcome);
	config_view_release(view);
}

static void
test_directory_is_read_anew(void **state)
{
	struct fixture *f = *state;
	struct err_detail detail = {0};
	char revision[CONFIG_REVISION_CHARS + 1];

	fixture_write_good(f->realm_dir);
	f->options.realm_dir = f->realm_dir;
	restart(f);
	revision_of(f, revision);
	fixture_write(f->realm_dir, "scopes.yaml", "- {id: read\n", 12);
	assert_int_equal(config_reload(f->config, &detail), ERR_INVALID);
	assert_true(config_load_problems(f->config)->mistakes > 0);
	assert_revision(f, revision);
	fixture_write(f->realm_dir, "scopes.yaml",
	    "- {id: read}\n- {id: write}\n- {id: openid}\n", 42);
	assert_int_equal(config_reload(f->config, &detail), OK);
	assert_json(f, CONFIG_SCOPE, "read", "{\"id\":\"read\"}");
	f->options.realm_dir = NULL;
}

/* ---- several at once ------------------------------------------------------
 */

struct crowd {
	struct fixture *f;
	atomic_uint next;
};

static void *
add_scopes(void *user)
{
	struct crowd *crowd = user;

	for (int i = 0; i < 5; i++) {
		const struct config_view *view =
		    config_view_acquire(crowd->f->config);
		struct config_outcome outcome;
		char json[64];
		size_t before, count;

		(void)config_view_documents(view, CONFIG_SCOPE, &before);
		(void)snprintf(json, sizeof json, "{\"id\":\"s%u\"}",
		    atomic_fetch_add(&crowd->next, 1));
		if (create(crowd->f, CONFIG_SCOPE, json, &outcome) != OK)
			abort();
		config_outcome_fini(&outcome);
		/* A view that is held does not change. */
		(void)config_view_documents(view, CONFIG_SCOPE, &count);
		if (count != before)
			abort();
		config_view_release(view);
	}
	return NULL;
}

static void
test_changes_wait_for_each_other(void **state)
{
	struct crowd crowd = {.f = *state};
	const struct config_view *view;
	size_t count;

	in_threads(8, add_scopes, &crowd);
	view = config_view_acquire(crowd.f->config);
	(void)config_view_documents(view, CONFIG_SCOPE, &count);
	assert_int_equal(count, 40);
	config_view_release(view);
	restart(crowd.f);
	view = config_view_acquire(crowd.f->config);
	(void)config_view_documents(view, CONFIG_SCOPE, &count);
	assert_int_equal(count, 40);
	config_view_release(view);
}

/* Tests beside scripts are no part of the realm, and nothing is said. */
static void
test_tests_beside_scripts(void **state)
{
	struct fixture *f = *state;
	struct config_file files[GOOD_FILES + 1];
	size_t count = good_files(files);
	struct config_outcome outcome;

	files[count++] = (struct config_file){
	    "idps/OneStep/complete.test.yaml", span_str("[")};
	assert_int_equal(apply(f, files, count, &any, &outcome), OK);
	assert_int_equal(outcome.problems.count, 0);
	assert_int_equal(outcome.change_count, GOOD_FILES);
	config_outcome_fini(&outcome);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_empty_store),
	    TEST(test_first_client),
	    TEST(test_credential_that_is_none),
	    TEST(test_apply_export_apply),
	    TEST(test_secrets_are_in_force),
	    TEST(test_made_secret_is_told_once),
	    TEST(test_changed_secret_is_a_change),
	    TEST(test_nothing_to_keep),
	    TEST(test_names_of_files),
	    TEST(test_expected_revision),
	    TEST(test_confinement),
	    TEST(test_a_change_that_fails_changes_nothing),
	    TEST(test_commits_are_told),
	    TEST(test_event_comes_with_the_change),
	    TEST(test_another_master_key),
	    TEST(test_store_shows_nothing),
	    TEST(test_directory_rules),
	    TEST(test_directory_is_read_anew),
	    TEST(test_changes_wait_for_each_other),
	    TEST(test_tests_beside_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
