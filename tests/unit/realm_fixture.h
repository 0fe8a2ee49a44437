/*
 * A realm directory in a temporary place, and a store in memory, for the tests
 * of gateway/realm. Not a test itself. One thread.
 */
#ifndef POSTERN_REALM_FIXTURE_H
#define POSTERN_REALM_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "gateway/realm/realm_load.h"

/* Every key of every file, none at its default where that shows. */
static const struct {
	const char *path;
	const char *text;
} good_realm[] = {
    {"realm.yaml",
	"issuer: https://id.example.com/oauth\n"
	"shared_subjects: false\n"
	"attempts: {per_source_4xx: 21, window_secs: 301}\n"
	"transaction: {lifetime_secs: 302, attempts: 6}\n"
	"script:\n"
	"  {wall_ms: 5001, cpu_ms: 1001, heap_mib: 33,\n"
	"   executions_per_process: 2, host_calls: 21, source_kib: 255,\n"
	"   data_kib: 63, result_kib: 62, log_kib: 15, http_body_kib: 1023,\n"
	"   cache_value_kib: 61, cache_entries: 9999}\n"
	"http: {allow: [api.example.com, \"*.partner.example\", "
	"\"10.1.2.0/24:8443\"], ca: ca.pem}\n"
	"cache: {ttl_secs: 303}\n"},
    {"ca.pem", "The shape of a certificate.\n"
	       "-----BEGIN CERTIFICATE-----\nMAA=\n"
	       "-----END CERTIFICATE-----\n"},
    {"scopes.yaml", "- {id: read, description: Read your data}\n"
		    "- {id: write}\n"
		    "- {id: openid}\n"},
    {"properties.yaml",
	"- {id: backend_url, value: \"https://api.example.com\"}\n"
	"- {id: backend_key, value: s3cret, sensitive: true, "
	"idps: [TwoStep]}\n"
	"- {id: signing_key, value: pem, kind: key}\n"},
    {"clients/app.yaml",
	"client_id: demo-app\n"
	"name: Demo app\n"
	"client_secret: {plain: \"only-in-demos\"}\n"
	"enabled: true\n"
	"idps: [TwoStep, OneStep]\n"
	"default_scopes: [read]\n"
	"additional_scopes: [write, openid]\n"
	"grants: [client_credentials, stateless]\n"
	"refresh_token: {enabled: false, idle_secs: 1000, "
	"lifetime_secs: 2000}\n"
	"access_token: {format: jwt, lifetime_secs: 600, "
	"audience: [\"https://api.example.com\"]}\n"
	"id_token: {signing_alg: ES256, lifetime_secs: 601}\n"
	"profile: required\n"
	"jwks: {keys: [{kty: EC, crv: P-256, kid: k1,\n"
	"  x: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,\n"
	"  y: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}]}\n"},
    {"clients/plain.yaml", "client_id: true\n"},
    {"api-clients/backend.yaml",
	"client_id: demo-app\n"
	"client_secret:\n"
	"  hash: \"$2b$12$"
	"abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234\"\n"
	"scopes: [user_registration, admin]\n"},
    {"idps/TwoStep/idp.yaml",
	"name: Two steps\n"
	"type: two_step\n"
	"enabled: false\n"
	"subject_prefix: \"two:\"\n"
	"attribute_mapping: {firstName: given_name, mail: email}\n"
	"script: {wall_ms: 2000}\n"
	"http: {allow: [idp.example]}\n"
	"cache_namespace: shared\n"
	"engines: [eu, blue]\n"
	"weight: 3\n"
	"record: {mode: all, keep: 7, mask: [/password, /a~1b]}\n"},
    {"idps/TwoStep/init.js", "function execute() {}\n"},
    {"idps/TwoStep/complete.js", "function execute() { return 1; }\n"},
    {"idps/OneStep/idp.yaml", "type: one_step\n"},
    {"idps/OneStep/complete.js", "function execute() { return 2; }\n"},
    {"idps/OneStep/backchannel.js", "function execute() { return 3; }\n"},
};

#define GOOD_FILES (sizeof good_realm / sizeof good_realm[0])

static inline char *
fixture_temporary(void)
{
	char *dir = strdup("/tmp/postern-realm-XXXXXX");

	if (dir == NULL || mkdtemp(dir) == NULL)
		abort();
	return dir;
}

static inline int
fixture_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
fixture_remove(char *dir)
{
	(void)nftw(dir, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

/* Makes the folders on the way; mode 0600, so that nothing is exposed. */
static inline void
fixture_write(const char *dir, const char *path, const void *text, size_t len)
{
	char full[512];
	FILE *file;

	(void)snprintf(full, sizeof full, "%s/%s", dir, path);
	for (char *slash = strchr(full + strlen(dir) + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
	file = fopen(full, "w");
	if (file == NULL || fwrite(text, 1, len, file) != len ||
	    fclose(file) != 0 || chmod(full, 0600) != 0)
		abort();
}

static inline void
fixture_write_good(const char *dir)
{
	for (size_t i = 0; i < GOOD_FILES; i++)
		fixture_write(dir, good_realm[i].path, good_realm[i].text,
		    strlen(good_realm[i].text));
}

#endif
