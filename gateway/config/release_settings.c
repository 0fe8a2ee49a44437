/*
 * From limits back to settings; see release_settings.h. Not here: what the
 * settings mean (gateway/realm/realm_settings.c).
 */
#include "gateway/config/release_settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_yaml.h"
#include "gateway/realm/release.h"

/* Of both documents' trees. */
#define ARENA_BYTES ((size_t)16 << 20)

/* What a limit is where neither document says anything. */
static int64_t
default_of(const char *key)
{
	static const struct {
		const char *schema;
		const char *key;
		const char *fallback;
	} rows[] = {
#define SCHEMA(schema, where, doc)
#define KEY(schema, need, key, type, min, max, fallback, doc) \
	{#schema, #key, fallback},
#define END_SCHEMA(schema)
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].schema, "script_block") == 0 &&
		    strcmp(rows[i].key, key) == 0)
			return strtoll(rows[i].fallback, NULL, 10);
	CHECK(false); /* a release has a limit that is no setting */
	return 0;
}

/* The script block of a document; NULL in *block_r: it has none. */
static enum err
parse_block(
    struct span json, struct arena *arena, const struct yaml_node **block_r)
{
	struct buf none;
	struct realm_problems problems = {.out = &none};
	const struct yaml_source source = {"document", arena, &problems};
	const struct yaml_node *root = NULL;
	bool parsed;

	buf_init(&none, 0);
	parsed = realm_yaml_parse(&source, json, &root);
	buf_fini(&none);
	if (!parsed)
		return problems.mistakes > 0 ? ERR_CORRUPT : ERR_NOMEM;
	*block_r = config_tree_member(root, "script");
	return OK;
}

/* `fallback` where the block does not say. */
static int64_t
setting_of(const struct yaml_node *block, const char *key, int64_t fallback)
{
	const char *text = config_tree_text(block, key);

	return text == NULL ? fallback : strtoll(text, NULL, 10);
}

/* Appends the members that must change; says how many settings are left. */
static size_t
append_members(const struct script_limits *limits,
    const struct yaml_node *realm, const struct yaml_node *idp, struct buf *out)
{
	bool first = true;
	size_t left = 0;

	for (size_t i = 0; i < RELEASE_LIMITS; i++) {
		const char *key = release_limit_key(i);
		bool own = config_tree_text(idp, key) != NULL;
		int64_t wanted = release_limit(limits, i);
		int64_t common = setting_of(realm, key, default_of(key));
		bool drops = wanted == common;

		if (setting_of(idp, key, common) == wanted) {
			left += own;
			continue;
		}
		buf_printf(out, "%s\"%s\":", first ? "" : ",", key);
		if (drops)
			buf_append_str(out, "null");
		else
			buf_printf(out, "%" PRId64, wanted);
		first = false;
		left += !drops;
	}
	return left;
}

enum err
release_settings_patch(const struct script_limits *limits,
    struct span realm_json, struct span idp_json, struct buf *out)
{
	const struct yaml_node *realm = NULL, *idp = NULL;
	struct arena *arena = arena_new(ARENA_BYTES);
	struct buf members;
	size_t left;
	enum err err;

	if (arena == NULL)
		return ERR_NOMEM;
	buf_init(&members, ARENA_BYTES);
	err = parse_block(realm_json, arena, &realm);
	if (err == OK)
		err = parse_block(idp_json, arena, &idp);
	if (err == OK) {
		left = append_members(limits, realm, idp, &members);
		if (left == 0 && idp != NULL)
			buf_append_str(out, "{\"script\":null}");
		else if (members.len == 0)
			buf_append_str(out, "{}");
		else
			buf_printf(out, "{\"script\":{%.*s}}",
			    SPAN_ARG(buf_span(&members)));
		err = buf_status(&members) != OK ? ERR_NOMEM : buf_status(out);
	}
	buf_fini(&members);
	arena_free(arena);
	return err;
}
