/*
 * Fuzz target: the JSON of a script's `user`. Whatever it is, the subject is
 * the IdP's own and the claims are members of an object, none of them
 * reserved.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "common/check.h"
#include "gateway/oauth/subject.h"

#define ARENA_BYTES (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_claims(struct span claims)
{
	static const char *const reserved[] = {
	    "iss", "sub", "aud", "exp", "at_hash", "cnf", "id", "amr"};
	struct buf text;
	json_t *tree;

	buf_init(&text, claims.len + 2);
	buf_append_char(&text, '{');
	buf_append_span(&text, claims);
	buf_append_char(&text, '}');
	tree = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	CHECK(tree != NULL);
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		CHECK(json_object_get(tree, reserved[i]) == NULL);
	json_decref(tree);
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct realm_client clients[] = {{.client_id = "Idp|app"}};
	static const struct realm realm = {
	    .clients = clients, .client_count = 1};
	static const struct realm_idp idp = {
	    .identifier = "Idp", .subject_prefix = "Idp|"};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct err_detail detail = {{0}};
	struct subject s;
	enum err err;

	CHECK(arena != NULL);
	err =
	    subject_read(&realm, &idp, span_of(data, size), arena, &s, &detail);
	CHECK(err == OK || err == ERR_INVALID || err == ERR_NOMEM);
	if (err == OK) {
		CHECK(strncmp(s.sub, "Idp|", 4) == 0);
		CHECK(strlen(s.sub) <= SUBJECT_BYTES_MAX);
		CHECK(strcmp(s.sub, "Idp|app") != 0);
		check_claims(s.claims);
	}
	arena_free(arena);
	return 0;
}
