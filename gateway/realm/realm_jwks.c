/*
 * Checks and rewrites a client's public keys. No key is used here: that is
 * the authenticator's. Runs on the loader's thread.
 */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "gateway/realm/realm_jwks.h"

#define JWKS_KEYS_MAX 32
#define JWKS_BYTES    ((size_t)64 << 10)

/* RFC 7518 section 3.3: 2048 bits or larger; larger than 8192 only costs. */
#define RSA_MIN_BYTES 256
#define RSA_MAX_BYTES 1024

#define P256_BYTES 32

static void
jwks_problem(const struct yaml_source *source, int line, const char *key,
    const char *sentence)
{
	realm_problem_add(source->problems,
	    (struct realm_place){source->file, line, key}, "%s", sentence);
}

static const struct yaml_node *
jwks_member(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *node = map->first; node != NULL;
	     node = node->next) {
		if (strcmp(node->key, key) == 0)
			return node;
	}
	return NULL;
}

static bool
jwks_member_is(const struct yaml_node *map, const char *key, const char *value)
{
	const struct yaml_node *node = jwks_member(map, key);

	return node != NULL && node->kind == YAML_SCALAR &&
	       strcmp(node->text, value) == 0;
}

static bool
jwks_member_has_bytes(
    const struct yaml_node *map, const char *key, size_t min, size_t max)
{
	const struct yaml_node *node = jwks_member(map, key);
	struct buf bytes;
	bool fine;

	if (node == NULL || node->kind != YAML_SCALAR)
		return false;
	buf_init(&bytes, max);
	fine = base64url_decode(span_str(node->text), &bytes) == OK &&
	       bytes.len >= min;
	buf_fini(&bytes);
	return fine;
}

/* RFC 7518 section 6: the members that a private or secret key has. */
static bool
jwks_is_private(const struct yaml_node *key)
{
	static const char *const names[] = {
	    "d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (jwks_member(key, names[i]) != NULL)
			return true;
	}
	return false;
}

static const char *
jwks_find_mistake(const struct yaml_node *key)
{
	if (key->kind != YAML_MAP)
		return "expects a map of a key's members";
	if (jwks_is_private(key))
		return "a private key; only public keys belong here";
	if (jwks_member_is(key, "kty", "RSA")) {
		if (!jwks_member_has_bytes(
			key, "n", RSA_MIN_BYTES, RSA_MAX_BYTES) ||
		    !jwks_member_has_bytes(key, "e", 1, 8))
			return "expects n (2048 to 8192 bits) and e in "
			       "base64url";
		return NULL;
	}
	if (!jwks_member_is(key, "kty", "EC"))
		return "expects kty RSA or EC";
	if (!jwks_member_is(key, "crv", "P-256") ||
	    !jwks_member_has_bytes(key, "x", P256_BYTES, P256_BYTES) ||
	    !jwks_member_has_bytes(key, "y", P256_BYTES, P256_BYTES))
		return "expects crv P-256 with x and y in base64url";
	return NULL;
}

/* All members of a JWK that we pass on are text or lists of text. */
static bool
jwks_write_value(const struct yaml_node *node, struct buf *out)
{
	if (node->kind == YAML_SCALAR) {
		json_append_string(out, span_str(node->text));
		return true;
	}
	if (node->kind != YAML_LIST)
		return false;
	buf_append_char(out, '[');
	for (const struct yaml_node *item = node->first; item != NULL;
	     item = item->next) {
		if (item->kind != YAML_SCALAR)
			return false;
		if (item != node->first)
			buf_append_char(out, ',');
		json_append_string(out, span_str(item->text));
	}
	buf_append_char(out, ']');
	return true;
}

static bool
jwks_write_key(const struct yaml_node *key, struct buf *out)
{
	bool first = true;

	buf_append_char(out, '{');
	for (const struct yaml_node *member = key->first; member != NULL;
	     member = member->next) {
		json_append_key(out, &first, member->key);
		if (!jwks_write_value(member, out))
			return false;
	}
	buf_append_char(out, '}');
	return true;
}

static bool
jwks_write(const struct yaml_source *source, const struct yaml_node *keys,
    struct buf *out)
{
	size_t index = 0;
	bool fine = true;

	buf_append_str(out, "{\"keys\":[");
	for (const struct yaml_node *key = keys->first; key != NULL;
	     key = key->next, index++) {
		const char *mistake = jwks_find_mistake(key);
		char path[32];

		if (index > 0)
			buf_append_char(out, ',');
		if (mistake == NULL && !jwks_write_key(key, out))
			mistake = "expects members of text or lists of text";
		if (mistake == NULL)
			continue;
		(void)snprintf(path, sizeof path, "jwks.keys[%zu]", index);
		jwks_problem(source, key->line, path, mistake);
		fine = false;
	}
	buf_append_str(out, "]}");
	return fine;
}

bool
realm_jwks_take(const struct yaml_source *source, const struct yaml_node *node,
    struct arena *arena, const char **json_r)
{
	const struct yaml_node *keys =
	    node->kind == YAML_MAP ? jwks_member(node, "keys") : NULL;
	struct buf json;
	bool fine = true;

	*json_r = NULL;
	if (keys == NULL || keys->kind != YAML_LIST || node->count != 1) {
		jwks_problem(source, node->line, "jwks",
		    "expects a map with the list keys, nothing else");
		return true;
	}
	if (keys->count > JWKS_KEYS_MAX) {
		jwks_problem(source, keys->line, "jwks.keys", "too many keys");
		return true;
	}
	if (keys->count == 0)
		return true;
	buf_init(&json, JWKS_BYTES);
	if (!jwks_write(source, keys, &json)) {
		fine = true;
	} else if (json.failed) {
		jwks_problem(
		    source, node->line, "jwks", "the keys are too large");
	} else {
		*json_r = arena_copy_str(arena, buf_span(&json));
		fine = *json_r != NULL;
	}
	buf_fini(&json);
	return fine;
}
