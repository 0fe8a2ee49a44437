/*
 * Every mistake of a realm is named by file, line and key: a good realm, one
 * change a row, and the line that must be among the problems.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "realm_fixture.h"

struct mistake {
	const char *path;
	const char *find;    /* NULL: `replace` is the whole file */
	const char *replace; /* NULL: the file is missing */
	const char *problem; /* one line begins with it */
};

#define REALM   "realm.yaml"
#define CA      "ca.pem"
#define SCOPES  "scopes.yaml"
#define PROPS   "properties.yaml"
#define APP     "clients/app.yaml"
#define BACKEND "api-clients/backend.yaml"
#define TWO     "idps/TwoStep/idp.yaml"
#define KEY_X   "x: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct mistake mistakes[] = {
    /* YAML */
    {REALM, "cache: {ttl_secs: 303}", "cache: {ttl_secs: 303",
	"realm.yaml:12: not valid YAML: "},
    {REALM, "cache: {ttl_secs: 303}", "cache: &a {ttl_secs: 303}",
	"realm.yaml:11: cache: anchors are not allowed"},
    {REALM, "cache: {ttl_secs: 303}", "cache: *a",
	"realm.yaml:11: cache: aliases are not allowed"},
    {REALM, "cache: {ttl_secs: 303}", "cache: {ttl_secs: !!int 303}",
	"realm.yaml:11: ttl_secs: tags are not allowed"},
    {REALM, "cache: {ttl_secs: 303}", "cache: {<<: {ttl_secs: 303}}",
	"realm.yaml:11: <<: merge keys are not allowed"},
    {REALM, "cache: {ttl_secs: 303}", "cache: {ttl_secs: 303}\n---\na: b",
	"realm.yaml:12: a file holds one document"},
    {REALM, "cache: {ttl_secs: 303}", "shared_subjects: true",
	"realm.yaml:11: shared_subjects: the key is given twice"},
    {REALM, "cache: {ttl_secs: 303}", "[a]: b",
	"realm.yaml:11: a key must be text"},
    {REALM, "cache: {ttl_secs: 303}",
	"cache: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
	"realm.yaml:11: nested too deeply"},
    {REALM, "cache: {ttl_secs: 303}", "cache: \"a\\0b\"",
	"realm.yaml:11: cache: a NUL character has no place"},
    {REALM, NULL, "\xff\xfe", "realm.yaml: not UTF-8 text"},
    {REALM, NULL, "- a\n", "realm.yaml:1: expects a map"},
    {SCOPES, NULL, "a: b\n", "scopes.yaml:1: expects a list of scopes"},
    {PROPS, NULL, "a\n", "properties.yaml:1: expects a list of properties"},
    /* keys and types */
    {REALM, "cache:", "cash:",
	"realm.yaml:11: cash: unknown key 'cash' (did you mean 'cache'?)"},
    {REALM, "cache:", "entirely_new:",
	"realm.yaml:11: entirely_new: unknown key 'entirely_new'"},
    {REALM, "ttl_secs: 303", "ttl: 303",
	"realm.yaml:11: cache.ttl: unknown key 'ttl'"},
    {APP, "default_scopes", "default_scopez",
	"clients/app.yaml:6: default_scopez: unknown key 'default_scopez' "
	"(did you mean 'default_scopes'?)"},
    {APP, "client_id: demo-app\n", "",
	"clients/app.yaml:1: client_id: is required"},
    {APP, NULL, "", "clients/app.yaml:1: client_id: is required"},
    {APP, "client_id: demo-app",
	"client_id:", "clients/app.yaml:1: client_id: has no value"},
    {APP, "client_id: demo-app", "client_id: [a]",
	"clients/app.yaml:1: client_id: expects a single value"},
    {APP, "client_id: demo-app", "client_id: \"a b\"",
	"clients/app.yaml:1: client_id: expects a client id"},
    {APP, "name: Demo app", "name: \"a\\u0007b\"",
	"clients/app.yaml:2: name: expects text without control"},
    {APP, "enabled: true", "enabled: yes",
	"clients/app.yaml:4: enabled: expects true or false"},
    {APP, "enabled: true", "enabled: \"true\"",
	"clients/app.yaml:4: enabled: expects true or false without quotes"},
    {APP, "idps: [TwoStep, OneStep]", "idps: TwoStep",
	"clients/app.yaml:5: idps: expects a list"},
    {APP, "idps: [TwoStep, OneStep]", "idps: [TwoStep, TwoStep]",
	"clients/app.yaml:5: idps: 'TwoStep' is listed twice"},
    {APP, "idps: [TwoStep, OneStep]", "idps: [TwoStep, \"a b\"]",
	"clients/app.yaml:5: idps[1]: expects an identity provider's id"},
    {APP, "idps: [TwoStep, OneStep]", "idps: [TwoStep, [OneStep]]",
	"clients/app.yaml:5: idps[1]: expects a single value"},
    {APP, "refresh_token: {enabled: false,", "refresh_token: {enabled: 0,",
	"clients/app.yaml:9: refresh_token.enabled: expects true or false"},
    {APP, NULL, "client_id: a\nrefresh_token: yes\n",
	"clients/app.yaml:2: refresh_token: expects a map"},
    {APP, "[client_credentials, stateless]", "[password]",
	"clients/app.yaml:8: grants[0]: expects client_credentials or"},
    {APP, "idle_secs: 1000", "idle_secs: 2001",
	"clients/app.yaml:9: refresh_token.idle_secs: expects no more"},
    {APP, "format: jwt", "format: JWT",
	"clients/app.yaml:10: access_token.format: expects one of opaque|jwt"},
    {APP, "ES256", "HS256",
	"clients/app.yaml:11: id_token.signing_alg: expects one of "
	"RS256|ES256|PS256"},
    {APP, "profile: required", "profile: maybe",
	"clients/app.yaml:12: profile: expects one of none|optional|required"},
    /* client secrets */
    {APP, "{plain: \"only-in-demos\"}", "{}",
	"clients/app.yaml:3: client_secret: expects exactly one of plain"},
    {APP, "{plain: \"only-in-demos\"}", "{plain: a, env: HOME}",
	"clients/app.yaml:3: client_secret: expects exactly one of plain"},
    {APP, "{plain: \"only-in-demos\"}", "{only-in-demos}",
	"clients/app.yaml:3: client_secret.?: unknown key (known are"},
    {APP, "{plain: \"only-in-demos\"}", "{env: POSTERN_TEST_NOT_SET}",
	"clients/app.yaml:3: client_secret.env: the environment variable"},
    {APP, "{plain: \"only-in-demos\"}", "{env: 1A}",
	"clients/app.yaml:3: client_secret.env: expects the name of an"},
    {APP, "{plain: \"only-in-demos\"}", "{file: not-there}",
	"clients/app.yaml:3: client_secret.file: "},
    {APP, "{plain: \"only-in-demos\"}", "{keep: someone-else}",
	"clients/app.yaml:3: client_secret.keep: expects the client's own"},
    {APP, "{plain: \"only-in-demos\"}", "{keep: demo-app}",
	"clients/app.yaml:3: client_secret: there is no secret to keep"},
    {APP, "{plain: \"only-in-demos\"}", "{hash: secret}",
	"clients/app.yaml:3: client_secret.hash: expects a hash"},
    {APP, "{plain: \"only-in-demos\"}",
	"{hash: \"$argon2id$v=19$m=1,t=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo\"}",
	"clients/app.yaml:3: client_secret.hash: expects a hash"},
    {BACKEND, "$2b$12$", "$2b$99$",
	"api-clients/backend.yaml:3: client_secret.hash: expects a hash"},
    {BACKEND, "admin]", "root]",
	"api-clients/backend.yaml:4: scopes[1]: expects user_registration"},
    /* keys of clients */
    {APP, "kty: EC", "kty: oct",
	"clients/app.yaml:13: jwks.keys[0]: expects kty RSA or EC"},
    {APP, "kid: k1", "d: AAAA",
	"clients/app.yaml:13: jwks.keys[0]: a private key"},
    {APP, KEY_X, "x: AAAA",
	"clients/app.yaml:13: jwks.keys[0]: expects crv P-256 with x and y"},
    {APP, "kty: EC, crv: P-256", "kty: RSA, n: AQAB, e: AQAB",
	"clients/app.yaml:13: jwks.keys[0]: expects n (2048"},
    {APP, "{keys: [", "{others: [",
	"clients/app.yaml:13: jwks: expects a map with the list keys"},
    {APP, "profile: required", "jwks_uri: \"https://a.example/jwks\"",
	"clients/app.yaml:12: jwks_uri: not together with jwks"},
    {APP, "profile: required", "jwks_uri: \"http://a.example/jwks\"",
	"clients/app.yaml:12: jwks_uri: expects an https URL"},
    /* realm.yaml's values */
    {REALM, "https://id.example.com/oauth", "http://id.example.com/oauth",
	"realm.yaml:1: issuer: expects an https URL"},
    {REALM, "https://id.example.com/oauth", "https://id.example.com/?a",
	"realm.yaml:1: issuer: expects an https URL"},
    {REALM, "wall_ms: 5001", "wall_ms: 9",
	"realm.yaml:6: script.wall_ms: expects a whole number from 10 to "
	"60000"},
    {REALM, "wall_ms: 5001", "wall_ms: 05001",
	"realm.yaml:6: script.wall_ms: expects a whole number"},
    {REALM, "wall_ms: 5001", "wall_ms: 5e3",
	"realm.yaml:6: script.wall_ms: expects a whole number"},
    {REALM, "heap_mib: 33", "heap_mib: 513",
	"realm.yaml:6: script.heap_mib: expects a whole number from 1 to 512"},
    {REALM, "data_kib: 63", "data_kib: 513",
	"realm.yaml:8: script.data_kib: expects a whole number from 1 to 512"},
    {REALM, "log_kib: 15", "log_kib: 99999999999999999999",
	"realm.yaml:8: script.log_kib: expects a whole number from 1 to 256"},
    {REALM, "10.1.2.0/24:8443", "10.1.2.3/24",
	"realm.yaml:10: http.allow[2]: expects a host name"},
    {REALM, "10.1.2.0/24:8443", "10.1.2",
	"realm.yaml:10: http.allow[2]: expects a host name"},
    {REALM, "10.1.2.0/24:8443", "a.example:70000",
	"realm.yaml:10: http.allow[2]: expects a host name"},
    {REALM, "10.1.2.0/24:8443", "https://a.example",
	"realm.yaml:10: http.allow[2]: expects a host name"},
    {REALM, "ca: ca.pem", "ca: nowhere.pem", "realm.yaml:10: http.ca: "},
    {REALM, "ca: ca.pem", "ca: idps", "realm.yaml:10: http.ca: "},
    {REALM, "ca: ca.pem", "ca: [ca.pem]",
	"realm.yaml:10: http.ca: expects a single value"},
    {TWO, "http: {allow: [idp.example]}", "http: {ca: scopes.yaml}",
	"idps/TwoStep/idp.yaml:7: http.ca: the file has no certificate in PEM"},
    {CA, NULL, "\xff\xfe", "realm.yaml:10: http.ca: the file is not text"},
    {CA, NULL, "", "realm.yaml:10: http.ca: the file has no certificate"},
    {CA, "MAA=", "MAA",
	"realm.yaml:10: http.ca: the file has a certificate that is malformed"},
    {CA, "MAA=", "",
	"realm.yaml:10: http.ca: the file has a certificate that is malformed"},
    {CA, "MAA=", "AAAA",
	"realm.yaml:10: http.ca: the file has a certificate that is malformed"},
    {CA, "-----END", "-----AND",
	"realm.yaml:10: http.ca: the file has a certificate that is malformed"},
    {CA, "-----BEGIN CERTIFICATE", "-----BEGIN PRIVATE KEY",
	"realm.yaml:10: http.ca: the file has something else than "
	"certificates"},
    {REALM, "10.1.2.0/24:8443", "api.example.com",
	"realm.yaml:10: http.allow: 'api.example.com' is listed twice"},
    /* scopes and properties */
    {SCOPES, "id: write", "id: read",
	"scopes.yaml:2: id: 'read' is already in scopes.yaml:1"},
    {SCOPES, "id: write", "id: \"a b\"", "scopes.yaml:2: id: expects a scope"},
    {SCOPES, "- {id: write}", "- write", "scopes.yaml:2: expects a map"},
    {SCOPES, "- {id: write}", "- {description: a}",
	"scopes.yaml:2: id: is required"},
    {SCOPES, "id: write", "id: wrote",
	"clients/app.yaml:7: additional_scopes: there is no scope 'write'"},
    {SCOPES, "id: read", "id: reed",
	"clients/app.yaml:6: default_scopes: there is no scope 'read'"},
    {PROPS, "id: backend_key", "id: backend_url",
	"properties.yaml:2: id: 'backend_url' is already in properties.yaml:1"},
    {PROPS, "id: backend_key", "id: 1st",
	"properties.yaml:2: id: expects a property id"},
    {PROPS, "value: pem", "kind: key",
	"properties.yaml:3: kind: the key is given twice"},
    {PROPS, "value: pem, ", "",
	"properties.yaml:3: id: expects exactly one of value, env, file and "
	"keep"},
    {PROPS, "value: pem", "env: POSTERN_TEST_NOT_SET",
	"properties.yaml:3: env: there is no such environment variable"},
    {PROPS, "value: pem", "file: not-there.pem", "properties.yaml:3: file: "},
    {PROPS, "kind: key", "kind: keys",
	"properties.yaml:3: kind: expects one of text|key"},
    {PROPS, "[TwoStep]", "[ThreeStep]",
	"properties.yaml:2: idps: there is no identity provider 'ThreeStep'"},
    /* identity providers */
    {APP, "TwoStep, OneStep", "TwoStep, Unknown",
	"clients/app.yaml:5: idps: there is no identity provider 'Unknown'"},
    {"clients/plain.yaml", "true", "demo-app",
	"clients/plain.yaml:1: client_id: 'demo-app' is already in "
	"clients/app.yaml:1"},
    {TWO, "two_step", "three_step",
	"idps/TwoStep/idp.yaml:2: type: expects one of two_step|one_step"},
    {TWO, "type: two_step\n", "", "idps/TwoStep/idp.yaml:1: type: is required"},
    {TWO, "\"two:\"", "\"OneStep|x\"",
	"idps/TwoStep/idp.yaml:4: subject_prefix: begins with that of "
	"idps/OneStep/idp.yaml"},
    {TWO, "\"two:\"", "\"\"",
	"idps/OneStep/idp.yaml:1: subject_prefix: begins with that of "
	"idps/TwoStep/idp.yaml"},
    {TWO, "\"two:\"", "\"\\xe9\"",
	"idps/TwoStep/idp.yaml:4: subject_prefix: expects printable ASCII"},
    {TWO, "mail: email", "mail: given_name",
	"idps/TwoStep/idp.yaml:5: attribute_mapping.mail: two members"},
    {TWO, "{firstName: given_name, mail: email}", "[a]",
	"idps/TwoStep/idp.yaml:5: attribute_mapping: expects a map of 1"},
    {TWO, "[eu, blue]", "[eu, \"b,c\"]",
	"idps/TwoStep/idp.yaml:9: engines[1]: expects a label"},
    {TWO, "weight: 3", "weight: 0",
	"idps/TwoStep/idp.yaml:10: weight: expects a whole number from 1"},
    {TWO, "mode: all", "mode: some",
	"idps/TwoStep/idp.yaml:11: record.mode: expects one of off|failures"},
    {TWO, "/password", "password",
	"idps/TwoStep/idp.yaml:11: record.mask[0]: expects a JSON pointer"},
    {TWO, "/a~1b", "/a~2b",
	"idps/TwoStep/idp.yaml:11: record.mask[1]: expects a JSON pointer"},
    {TWO, NULL, NULL, "idps/TwoStep/idp.yaml: is required"},
    {"idps/OneStep/complete.js", NULL, NULL,
	"idps/OneStep/complete.js: is required"},
    {"idps/OneStep/complete.js", NULL, "\xc3\x28",
	"idps/OneStep/complete.js: is not UTF-8 text"},
    {"idps/a b/idp.yaml", NULL, "type: one_step\n",
	"idps/a b: expects a folder named by an identity provider's id"},
    {"clients/other.yml", NULL, "client_id: x\n",
	"clients/other.yml: expects a name that ends in .yaml"},
};

/* A copy of `text` with the one place of `find` replaced. */
static char *
replaced(const char *text, const char *find, const char *replace)
{
	const char *at = strstr(text, find);
	size_t bytes = strlen(text) + strlen(replace) + 1;
	char *copy = malloc(bytes);

	assert_non_null(at);
	assert_non_null(copy);
	(void)snprintf(copy, bytes, "%.*s%s%s", (int)(at - text), text, replace,
	    at + strlen(find));
	return copy;
}

static const char *
good_text(const char *path)
{
	for (size_t i = 0; i < GOOD_FILES; i++) {
		if (strcmp(good_realm[i].path, path) == 0)
			return good_realm[i].text;
	}
	return NULL;
}

static void
apply(const char *dir, const struct mistake *row)
{
	char path[512];
	char *text;

	if (row->find != NULL) {
		text = replaced(good_text(row->path), row->find, row->replace);
		fixture_write(dir, row->path, text, strlen(text));
		free(text);
	} else if (row->replace != NULL) {
		fixture_write(
		    dir, row->path, row->replace, strlen(row->replace));
	} else {
		(void)snprintf(path, sizeof path, "%s/%s", dir, row->path);
		assert_int_equal(unlink(path), 0);
	}
}

static bool
has_line(const char *lines, const char *start)
{
	while (lines[0] != '\0') {
		if (strncmp(lines, start, strlen(start)) == 0)
			return true;
		lines += strcspn(lines, "\n");
		lines += lines[0] == '\n';
	}
	return false;
}

static enum err
no_secret(void *user, const char *kind, const char *client_id,
    uint8_t digest_r[DIGEST_BYTES])
{
	(void)user;
	(void)kind;
	(void)client_id;
	(void)digest_r;
	return ERR_NOT_FOUND;
}

static enum err
load(const char *dir, struct buf *problems)
{
	const struct realm_sources sources = {
	    .check_only = true, .secret_get = no_secret};
	const struct realm *realm = NULL;
	enum err err = realm_load(dir, &sources, &realm, problems);

	if (err == OK)
		realm_release(realm);
	else
		assert_null(realm);
	return err;
}

static void
test_each_mistake(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		char *dir = fixture_temporary();
		struct buf problems;
		const char *text;
		enum err err;

		buf_init(&problems, 1 << 20);
		fixture_write_good(dir);
		apply(dir, &mistakes[i]);
		err = load(dir, &problems);
		text = buf_cstr(&problems);
		if (err != ERR_INVALID ||
		    !has_line(text, mistakes[i].problem)) {
			print_error("row %zu: %s\nexpected: %s\ngot:\n%s\n", i,
			    err_name(err), mistakes[i].problem, text);
			failures++;
		}
		buf_fini(&problems);
		fixture_remove(dir);
	}
	assert_int_equal(failures, 0);
}

static void
test_good_realm_has_no_problem(void **state)
{
	char *dir = fixture_temporary();
	struct buf problems;

	(void)state;
	buf_init(&problems, 1 << 20);
	fixture_write_good(dir);
	assert_int_equal(load(dir, &problems), OK);
	assert_string_equal(buf_cstr(&problems), "");
	buf_fini(&problems);
	fixture_remove(dir);
}

static void
test_all_mistakes_are_listed(void **state)
{
	char *dir = fixture_temporary();
	struct buf problems;
	const char *text;

	(void)state;
	buf_init(&problems, 1 << 20);
	fixture_write_good(dir);
	for (size_t i = 14; i < 20; i++)
		apply(dir, &mistakes[i]);
	fixture_write(dir, "idps/OneStep/complete.js", "\xff", 1);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	text = buf_cstr(&problems);
	assert_true(has_line(text, "realm.yaml:11: cache.ttl: "));
	assert_true(has_line(text, "clients/app.yaml:1: client_id: "));
	assert_true(has_line(text, "idps/OneStep/complete.js: "));
	buf_fini(&problems);
	fixture_remove(dir);
}

/* A file that cannot be read is one mistake, not one for each reference to what
 * is in it. */
static void
test_unread_file_is_one_mistake(void **state)
{
	static const char *const paths[] = {
	    "realm.yaml", "scopes.yaml", "idps/TwoStep/idp.yaml"};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		char *dir = fixture_temporary();
		struct buf problems;

		buf_init(&problems, 1 << 20);
		fixture_write_good(dir);
		fixture_write(dir, paths[i], "a: [", 4);
		assert_int_equal(load(dir, &problems), ERR_INVALID);
		assert_true(has_line(buf_cstr(&problems), paths[i]));
		assert_int_equal(
		    strcspn(buf_cstr(&problems), "\n") + 1, problems.len);
		buf_fini(&problems);
		fixture_remove(dir);
	}
}

static void
test_list_is_bounded(void **state)
{
	char *dir = fixture_temporary();
	struct buf text;
	struct buf problems;
	size_t lines = 0;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&problems, 1 << 20);
	for (int i = 0; i < 500; i++)
		buf_append_str(&text, "- {id: \"a b\"}\n");
	fixture_write(dir, "scopes.yaml", text.data, text.len);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	for (size_t i = 0; i < problems.len; i++)
		lines += problems.data[i] == '\n';
	assert_int_equal(lines, 101);
	buf_fini(&text);
	buf_fini(&problems);
	fixture_remove(dir);
}

static void
test_secrets_are_not_repeated(void **state)
{
	char *dir = fixture_temporary();
	struct buf problems;
	struct mistake row = {
	    APP, "{plain: \"only-in-demos\"}", "{only-in-demos}", NULL};

	(void)state;
	buf_init(&problems, 1 << 20);
	fixture_write_good(dir);
	apply(dir, &row);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	assert_null(strstr(buf_cstr(&problems), "only-in-demos"));
	buf_fini(&problems);
	fixture_remove(dir);
}

static void
test_only_regular_files(void **state)
{
	char *dir = fixture_temporary();
	struct buf problems;
	char path[512];
	char target[512];

	(void)state;
	buf_init(&problems, 1 << 20);
	fixture_write_good(dir);
	(void)snprintf(path, sizeof path, "%s/clients/fifo.yaml", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof path, "%s/clients/null.yaml", dir);
	assert_int_equal(symlink("/dev/null", path), 0);
	(void)snprintf(path, sizeof path, "%s/clients/folder.yaml", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	/* A symbolic link to a regular file is a file. */
	(void)snprintf(path, sizeof path, "%s/clients/linked.yaml", dir);
	(void)snprintf(target, sizeof target, "%s/linked", dir);
	fixture_write(dir, "linked", "client_id: linked\nfoo: 1\n", 25);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	assert_true(has_line(
	    buf_cstr(&problems), "clients/fifo.yaml: is not a regular file"));
	assert_true(has_line(
	    buf_cstr(&problems), "clients/null.yaml: is not a regular file"));
	assert_true(has_line(
	    buf_cstr(&problems), "clients/folder.yaml: is not a regular file"));
	assert_true(has_line(
	    buf_cstr(&problems), "clients/linked.yaml:2: foo: unknown key"));
	assert_true(has_line(
	    buf_cstr(&problems), "warning: linked: is no file of a realm"));
	buf_fini(&problems);
	fixture_remove(dir);
}

static void
test_too_large_file(void **state)
{
	char *dir = fixture_temporary();
	size_t bytes = ((size_t)1 << 20) + 1;
	char *text = malloc(bytes);
	struct buf problems;

	(void)state;
	assert_non_null(text);
	memset(text, '#', bytes);
	buf_init(&problems, 1 << 20);
	fixture_write_good(dir);
	fixture_write(dir, "realm.yaml", text, bytes);
	fixture_write(dir, "idps/OneStep/complete.js", text, 255 * 1024 + 1);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	assert_true(has_line(
	    buf_cstr(&problems), "realm.yaml: is larger than 1048576 bytes"));
	fixture_write(
	    dir, "realm.yaml", good_realm[0].text, strlen(good_realm[0].text));
	buf_reset(&problems);
	assert_int_equal(load(dir, &problems), ERR_INVALID);
	assert_true(has_line(buf_cstr(&problems),
	    "idps/OneStep/complete.js: is larger than 261120 bytes"));
	buf_fini(&problems);
	free(text);
	fixture_remove(dir);
}

static void
test_no_such_directory(void **state)
{
	struct buf problems;

	(void)state;
	buf_init(&problems, 1 << 20);
	assert_int_equal(load("/nonexistent/realm", &problems), ERR_IO);
	assert_true(has_line(
	    buf_cstr(&problems), "/nonexistent/realm: cannot be opened"));
	buf_fini(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_mistake),
	    cmocka_unit_test(test_good_realm_has_no_problem),
	    cmocka_unit_test(test_all_mistakes_are_listed),
	    cmocka_unit_test(test_unread_file_is_one_mistake),
	    cmocka_unit_test(test_list_is_bounded),
	    cmocka_unit_test(test_secrets_are_not_repeated),
	    cmocka_unit_test(test_only_regular_files),
	    cmocka_unit_test(test_too_large_file),
	    cmocka_unit_test(test_no_such_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
