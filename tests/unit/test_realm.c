/*
 * A good realm becomes the snapshot it describes; secrets and releases are
 * kept; the snapshot in force is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>

#include "common/secret.h"
#include "realm_fixture.h"

/* The store of one test, small. */
struct shelf {
	unsigned puts;
	unsigned releases;
	bool fails; /* secret_put fails, as a crash before it */
	bool has;
	char key[200];
	uint8_t digest[DIGEST_BYTES];
	uint8_t content[64 << 10];
	size_t content_len;
	uint8_t hash[DIGEST_BYTES];
};

struct fixture {
	char *dir;
	char data[600];
	struct vault *vault;
	struct shelf shelf;
	struct buf problems;
	struct realm_sources sources;
};

static enum err
shelf_secret_get(void *user, const char *kind, const char *client_id,
    uint8_t digest_r[DIGEST_BYTES])
{
	struct shelf *shelf = user;
	char key[200];

	(void)snprintf(key, sizeof key, "%s/%s", kind, client_id);
	if (!shelf->has || strcmp(key, shelf->key) != 0)
		return ERR_NOT_FOUND;
	memcpy(digest_r, shelf->digest, DIGEST_BYTES);
	return OK;
}

static enum err
shelf_secret_put(void *user, const char *kind, const char *client_id,
    const uint8_t digest[DIGEST_BYTES])
{
	struct shelf *shelf = user;

	if (shelf->fails)
		return ERR_IO;
	shelf->puts++;
	shelf->has = true;
	(void)snprintf(shelf->key, sizeof shelf->key, "%s/%s", kind, client_id);
	memcpy(shelf->digest, digest, DIGEST_BYTES);
	return OK;
}

static enum err
shelf_release_put(void *user, const uint8_t hash[DIGEST_BYTES], const char *idp,
    struct span content)
{
	struct shelf *shelf = user;

	shelf->releases++;
	if (strcmp(idp, "OneStep") != 0)
		return OK;
	assert_true(content.len <= sizeof shelf->content);
	memcpy(shelf->content, content.data, content.len);
	shelf->content_len = content.len;
	memcpy(shelf->hash, hash, DIGEST_BYTES);
	return OK;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char key[700];

	assert_non_null(f);
	f->dir = fixture_temporary();
	(void)snprintf(f->data, sizeof f->data, "%s-data", f->dir);
	(void)mkdir(f->data, 0700);
	(void)snprintf(key, sizeof key, "%s/master.key", f->data);
	assert_int_equal(vault_open(key, true, &f->vault, NULL), OK);
	(void)snprintf(
	    f->data + strlen(f->data), 20, "/secrets"); /* made by the load */
	buf_init(&f->problems, 1 << 20);
	f->sources = (struct realm_sources){.vault = f->vault,
	    .secrets_dir = f->data,
	    .user = &f->shelf,
	    .secret_get = shelf_secret_get,
	    .secret_put = shelf_secret_put,
	    .release_put = shelf_release_put};
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	*strrchr(f->data, '/') = '\0';
	fixture_remove(strdup(f->data));
	fixture_remove(f->dir);
	vault_close(f->vault);
	buf_fini(&f->problems);
	free(f);
	return 0;
}

static const struct realm *
load_good(struct fixture *f)
{
	const struct realm *realm = NULL;
	enum err err = realm_load(f->dir, &f->sources, &realm, &f->problems);

	if (err != OK)
		print_error("%s", buf_cstr(&f->problems));
	assert_int_equal(err, OK);
	return realm;
}

static void
assert_set(
    const struct string_set *set, size_t count, const char *const items[])
{
	assert_int_equal(set->count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(set->items[i], items[i]);
}

#define ASSERT_SET(set, ...)                                             \
	assert_set(set,                                                  \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), \
	    (const char *const[]){__VA_ARGS__})

static void
assert_client(struct fixture *f, const struct realm *realm)
{
	const struct realm_client *app =
	    realm_client(realm, span_str("demo-app"));
	uint8_t digest[DIGEST_BYTES];

	assert_non_null(app);
	assert_string_equal(app->name, "Demo app");
	assert_true(app->enabled);
	ASSERT_SET(&app->idps, "OneStep", "TwoStep");
	ASSERT_SET(&app->default_scopes, "read");
	ASSERT_SET(&app->scopes, "openid", "read", "write");
	assert_true(app->grant_client_credentials && app->grant_stateless);
	assert_false(app->refresh_enabled);
	assert_int_equal(app->refresh_idle_secs, 1000);
	assert_int_equal(app->refresh_lifetime_secs, 2000);
	assert_int_equal(app->access_format, ACCESS_JWT);
	assert_int_equal(app->access_lifetime_secs, 600);
	ASSERT_SET(&app->access_audience, "https://api.example.com");
	assert_int_equal(app->id_token_alg, ALG_ES256);
	assert_int_equal(app->id_token_lifetime_secs, 601);
	assert_int_equal(app->profile, PROFILE_REQUIRED);
	assert_non_null(strstr(app->jwks_json, "\"crv\":\"P-256\""));
	assert_null(app->jwks_uri);
	realm_secret_digest(f->vault, "client", span_str("demo-app"),
	    span_str("only-in-demos"), digest);
	assert_int_equal(app->secret.kind, SECRET_DIGEST);
	assert_memory_equal(app->secret.digest, digest, DIGEST_BYTES);
}

static void
assert_idp(const struct realm *realm)
{
	const struct realm_idp *idp = realm_idp(realm, span_str("TwoStep"));

	assert_non_null(idp);
	assert_string_equal(idp->name, "Two steps");
	assert_true(idp->two_step);
	assert_false(idp->enabled);
	assert_string_equal(idp->subject_prefix, "two:");
	assert_int_equal(idp->mapping_count, 2);
	assert_string_equal(idp->mapping[0].from, "firstName");
	assert_string_equal(idp->mapping[0].to, "given_name");
	assert_true(idp->cache_shared);
	ASSERT_SET(&idp->engine_labels, "blue", "eu");
	assert_int_equal(idp->weight, 3);
	assert_int_equal(idp->record_mode, RECORD_ALL);
	assert_int_equal(idp->record_keep, 7);
	ASSERT_SET(&idp->record_mask, "/a~1b", "/password");
	ASSERT_SET(&idp->http_allow, "*.partner.example", "10.1.2.0/24:8443",
	    "api.example.com", "idp.example");
	assert_int_equal(idp->release->limits.wall_ms, 2000);
	assert_int_equal(idp->release->limits.cpu_ms, 1001);
	assert_int_equal(idp->release->limits.cache_entries, 9999);
	assert_string_equal(idp->properties_json,
	    "{\"backend_key\":\"s3cret\","
	    "\"backend_url\":\"https://api.example.com\","
	    "\"signing_key\":null}");
	assert_non_null(strstr(idp->keys_json, "{\"signing_key\":\"pem\"}"));
	assert_null(strstr(idp->keys_json, "s3cret"));
	assert_string_equal(idp->http_allow_lines,
	    "*.partner.example\n10.1.2.0/24:8443\napi.example.com\n"
	    "idp.example");
	assert_non_null(strstr(idp->http_ca_pem, "\nMAA=\n"));
	ASSERT_SET(&idp->sensitive_values, "s3cret");
	assert_non_null(idp->release->scripts[SCRIPT_INIT]);
	assert_string_equal(idp->release->scripts[SCRIPT_COMPLETE]->file,
	    "TwoStep/complete.js");
	assert_null(idp->release->scripts[SCRIPT_BACKCHANNEL]);
}

static void
test_every_key(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;
	const struct realm_api_client *api;

	fixture_write_good(f->dir);
	realm = load_good(f);
	assert_string_equal(realm->issuer, "https://id.example.com/oauth");
	assert_int_equal(realm->attempts_per_source_4xx, 21);
	assert_int_equal(realm->attempts_window_secs, 301);
	assert_int_equal(realm->transaction_lifetime_secs, 302);
	assert_int_equal(realm->transaction_attempts, 6);
	assert_int_equal(realm->cache_ttl_secs, 303);
	ASSERT_SET(&realm->scopes, "openid", "read", "write");
	assert_client(f, realm);
	assert_idp(realm);
	api = realm_api_client(realm, span_str("demo-app"));
	assert_non_null(api);
	assert_int_equal(api->scopes, API_USER_REGISTRATION | API_ADMIN);
	assert_int_equal(api->secret.kind, SECRET_PHC);
	assert_memory_equal(api->secret.phc, "$2b$12$", 7);
	assert_int_equal(f->shelf.releases, 2);
	realm_release(realm);
}

static void
test_defaults(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;
	const struct realm_client *client;
	const struct realm_idp *idp;

	fixture_write(f->dir, "clients/a.yaml", "client_id: a\n", 13);
	fixture_write(f->dir, "idps/I/idp.yaml", "type: two_step\n", 15);
	fixture_write(f->dir, "idps/I/complete.js", "", 0);
	realm = load_good(f);
	assert_string_equal(buf_cstr(&f->problems),
	    "warning: idps/I/init.js: is missing; init of this identity "
	    "provider answers 3000\n");
	assert_null(realm->issuer);
	assert_false(realm->shared_subjects);
	assert_int_equal(realm->attempts_per_source_4xx, 20);
	assert_int_equal(realm->transaction_attempts, 5);
	client = realm_client(realm, span_str("a"));
	assert_string_equal(client->name, "a");
	assert_true(client->enabled && client->refresh_enabled);
	assert_int_equal(client->idps.count, 0);
	assert_int_equal(client->access_format, ACCESS_OPAQUE);
	assert_int_equal(client->access_lifetime_secs, 3600);
	assert_int_equal(client->id_token_alg, ALG_RS256);
	assert_int_equal(client->profile, PROFILE_OPTIONAL);
	assert_null(client->jwks_json);
	idp = realm_idp(realm, span_str("I"));
	assert_string_equal(idp->subject_prefix, "I|");
	assert_string_equal(idp->properties_json, "{}");
	assert_int_equal(idp->weight, 1);
	assert_int_equal(idp->record_mode, RECORD_FAILURES);
	assert_int_equal(idp->record_keep, 200);
	assert_int_equal(idp->release->limits.wall_ms, 5000);
	assert_int_equal(idp->release->limits.executions_per_process, 1);
	assert_int_equal(idp->release->limits.source_kib, 256);
	assert_int_equal(idp->release->scripts[SCRIPT_COMPLETE]->source.len, 0);
	realm_release(realm);
}

static void
test_empty_directory(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm = load_good(f);

	assert_null(realm_client(realm, span_str("demo-app")));
	assert_null(realm_client(realm, span_str("")));
	assert_null(realm_idp(realm, span_of("a\0b", 3)));
	assert_false(string_set_has(&realm->scopes, span_str("read")));
	realm_release(realm);
}

/* The scalar `true` is the client id "true". */
static void
test_schema_types_scalars(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;

	fixture_write_good(f->dir);
	realm = load_good(f);
	assert_non_null(realm_client(realm, span_str("true")));
	assert_null(realm_client(realm, span_of("true!", 3)));
	assert_null(realm_client(realm, span_of("true\0", 5)));
	realm_release(realm);
}

/* ---- secrets ------------------------------------------------------------ */

static void
read_made(struct fixture *f, const char *name, struct secret **secret_r)
{
	char path[700];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", f->data, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(secret_read_file(path, 100, secret_r, NULL), OK);
}

static void
assert_made(struct fixture *f, const struct realm *realm)
{
	struct secret *secret;
	struct span text;
	uint8_t digest[DIGEST_BYTES];

	read_made(f, "client-a", &secret);
	text = secret_bytes(secret);
	assert_int_equal(text.len, 43 + 1);
	realm_secret_digest(
	    f->vault, "client", span_str("a"), span_of(text.data, 43), digest);
	assert_memory_equal(realm_client(realm, span_str("a"))->secret.digest,
	    digest, DIGEST_BYTES);
	secret_free(secret);
}

static void
test_secret_is_made_once(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;

	fixture_write(f->dir, "clients/a.yaml", "client_id: a\n", 13);
	realm = load_good(f);
	assert_made(f, realm);
	assert_int_equal(f->shelf.puts, 1);
	realm_release(realm);
	realm = load_good(f);
	assert_int_equal(f->shelf.puts, 1);
	assert_made(f, realm);
	realm_release(realm);
}

/* A load that dies between file and digest leaves what the next one uses. */
static void
test_secret_survives_crash(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm = NULL;

	fixture_write(f->dir, "clients/a.yaml", "client_id: a\n", 13);
	f->shelf.fails = true;
	assert_int_equal(
	    realm_load(f->dir, &f->sources, &realm, &f->problems), ERR_IO);
	assert_null(realm);
	f->shelf.fails = false;
	buf_reset(&f->problems);
	realm = load_good(f);
	assert_made(f, realm);
	realm_release(realm);
}

static void
test_secret_kept(void **state)
{
	static const char text[] = "client_id: a\nclient_secret: {keep: a}\n";
	struct fixture *f = *state;
	const struct realm *realm;
	uint8_t digest[DIGEST_BYTES] = {7};

	fixture_write(f->dir, "clients/a.yaml", text, sizeof text - 1);
	assert_int_equal(
	    shelf_secret_put(&f->shelf, "client", "a", digest), OK);
	realm = load_good(f);
	assert_memory_equal(realm_client(realm, span_str("a"))->secret.digest,
	    digest, DIGEST_BYTES);
	realm_release(realm);
}

static void
test_secret_from_file_and_env(void **state)
{
	static const char from_file[] =
	    "client_id: a\nclient_secret: {file: a.secret}\n";
	static const char from_env[] =
	    "client_id: b\nclient_secret: {env: POSTERN_TEST_SECRET}\n";
	struct fixture *f = *state;
	const struct realm *realm;
	uint8_t digest[DIGEST_BYTES];

	fixture_write(
	    f->dir, "clients/a.yaml", from_file, sizeof from_file - 1);
	fixture_write(f->dir, "clients/b.yaml", from_env, sizeof from_env - 1);
	fixture_write(f->dir, "a.secret", "of a\n\n", 6);
	assert_int_equal(setenv("POSTERN_TEST_SECRET", "of b", 1), 0);
	realm = load_good(f);
	/* One line end is the file's, the other the secret's. */
	realm_secret_digest(
	    f->vault, "client", span_str("a"), span_str("of a\n"), digest);
	assert_memory_equal(realm_client(realm, span_str("a"))->secret.digest,
	    digest, DIGEST_BYTES);
	realm_secret_digest(
	    f->vault, "client", span_str("b"), span_str("of b"), digest);
	assert_memory_equal(realm_client(realm, span_str("b"))->secret.digest,
	    digest, DIGEST_BYTES);
	realm_release(realm);
}

static void
test_exposed_plain_secret_is_warned_of(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;
	char path[600];

	fixture_write_good(f->dir);
	(void)snprintf(path, sizeof path, "%s/clients/app.yaml", f->dir);
	assert_int_equal(chmod(path, 0644), 0);
	realm = load_good(f);
	assert_non_null(strstr(buf_cstr(&f->problems),
	    "warning: clients/app.yaml:3: client_secret.plain: "));
	realm_release(realm);
}

static void
test_check_only_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;

	fixture_write_good(f->dir);
	f->sources.check_only = true;
	realm = load_good(f);
	assert_int_equal(f->shelf.puts + f->shelf.releases, 0);
	assert_int_equal(access(f->data, F_OK), -1);
	realm_release(realm);
}

/* ---- releases and properties --------------------------------------------- */

static void
test_release_is_kept(void **state)
{
	struct fixture *f = *state;
	const struct realm *realm;
	const struct release *release;
	struct release *decoded = NULL;

	fixture_write_good(f->dir);
	realm = load_good(f);
	release = realm_idp(realm, span_str("OneStep"))->release;
	assert_memory_equal(release->hash, f->shelf.hash, DIGEST_BYTES);
	assert_int_equal(
	    release_decode(release->hash,
		span_of(f->shelf.content, f->shelf.content_len), &decoded),
	    OK);
	assert_string_equal(decoded->idp, "OneStep");
	assert_int_equal(decoded->limits.wall_ms, 5001);
	assert_string_equal(decoded->scripts[SCRIPT_BACKCHANNEL]->file,
	    "OneStep/backchannel.js");
	free(decoded);
	realm_release(realm);
}

/* A display name is no part of a release; a limit and a script are. */
static void
test_release_names_what_runs(void **state)
{
	struct fixture *f = *state;
	const struct realm *before;
	const struct realm *after;
	static const char named[] = "type: one_step\nname: Other\n";
	static const char limited[] = "type: one_step\nscript: {wall_ms: 77}\n";

	fixture_write_good(f->dir);
	before = load_good(f);
	fixture_write(f->dir, "idps/OneStep/idp.yaml", named, sizeof named - 1);
	after = load_good(f);
	assert_memory_equal(
	    realm_idp(before, span_str("OneStep"))->release->hash,
	    realm_idp(after, span_str("OneStep"))->release->hash, DIGEST_BYTES);
	realm_release(after);
	fixture_write(
	    f->dir, "idps/OneStep/idp.yaml", limited, sizeof limited - 1);
	after = load_good(f);
	assert_memory_not_equal(
	    realm_idp(before, span_str("OneStep"))->release->hash,
	    realm_idp(after, span_str("OneStep"))->release->hash, DIGEST_BYTES);
	assert_memory_equal(
	    realm_idp(before, span_str("OneStep"))->properties_version,
	    realm_idp(after, span_str("OneStep"))->properties_version,
	    DIGEST_BYTES);
	assert_memory_not_equal(
	    realm_idp(before, span_str("OneStep"))->properties_version,
	    realm_idp(before, span_str("TwoStep"))->properties_version,
	    DIGEST_BYTES);
	realm_release(after);
	realm_release(before);
}

/* ---- the snapshot in force ---------------------------------------------- */

struct reader {
	struct realm_holder *holder;
	unsigned seen;
};

static void *
read_often(void *user)
{
	struct reader *reader = user;

	for (int i = 0; i < 20000; i++) {
		const struct realm *realm = realm_acquire(reader->holder);

		if (realm_idp(realm, span_str("OneStep")) != NULL)
			reader->seen++;
		realm_release(realm);
	}
	return NULL;
}

static void
test_holder(void **state)
{
	struct fixture *f = *state;
	struct realm_holder *holder = realm_holder_new();
	struct reader reader = {holder, 0};
	const struct realm *held;
	pthread_t thread;

	fixture_write_good(f->dir);
	assert_non_null(holder);
	assert_null(realm_acquire(holder));
	realm_publish(holder, load_good(f));
	held = realm_acquire(holder);
	assert_int_equal(pthread_create(&thread, NULL, read_often, &reader), 0);
	for (int i = 0; i < 10; i++)
		realm_publish(holder, load_good(f));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.seen, 20000);
	/* Ours is the first one still. */
	assert_non_null(realm_client(held, span_str("demo-app")));
	realm_release(held);
	realm_holder_free(holder);
	realm_holder_free(NULL);
	realm_release(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_every_key),
	    TEST(test_defaults),
	    TEST(test_empty_directory),
	    TEST(test_schema_types_scalars),
	    TEST(test_secret_is_made_once),
	    TEST(test_secret_survives_crash),
	    TEST(test_secret_kept),
	    TEST(test_secret_from_file_and_env),
	    TEST(test_exposed_plain_secret_is_warned_of),
	    TEST(test_check_only_leaves_nothing),
	    TEST(test_release_is_kept),
	    TEST(test_release_names_what_runs),
	    TEST(test_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
