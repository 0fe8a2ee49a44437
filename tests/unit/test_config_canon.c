/*
 * The canonical form: stable, complete, without secrets; of hostile documents
 * as of good ones (every bit flipped, cut at every offset).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/arena.h"
#include "gateway/config/config_canon.h"
#include "gateway/config/config_text.h"
#include "gateway/config/config_tree.h"
#include "gateway/realm/realm_draft.h"

#include "realm_fixture.h"

#define ARENA_BYTES ((size_t)64 << 20)

/* realm_load_bytes() knows the kinds of files by number. */
static const struct {
	const char *path;
	unsigned kind;
} kinds[] = {
    {"realm.yaml", 0},
    {"scopes.yaml", 1},
    {"properties.yaml", 2},
    {"clients/c.yaml", 3},
    {"api-clients/c.yaml", 4},
    {"idps/fuzz/idp.yaml", 5},
};

static void
canonical(const char *path, struct span text, struct config_canon *canon)
{
	struct err_detail detail = {0};

	*canon = (struct config_canon){.arena = arena_new(ARENA_BYTES)};
	assert_non_null(canon->arena);
	if (!config_canon_add(canon, path, text, &detail))
		fail_msg("%s", detail.text);
}

/* What the loader finds right has a form, which is its own form; also by way
 * of JSON. */
static void
assert_stable(unsigned kind, const char *path, struct span text)
{
	struct config_canon once, twice, json;
	struct err_detail detail = {0};
	struct yaml_node *root;
	struct buf problems;

	buf_init(&problems, 1 << 20);
	realm_load_bytes(kind, text, &problems);
	if (problems.len > 0) {
		buf_fini(&problems);
		return;
	}
	canonical(path, text, &once);
	for (size_t i = 0; i < once.count; i++) {
		struct config_file *file = &once.files[i];

		realm_load_bytes(kind, file->text, &problems);
		if (kind != 2) /* nothing is kept here: a key's keep is one */
			assert_int_equal(problems.len, 0);
		buf_reset(&problems);
		canonical(file->path, file->text, &twice);
		assert_int_equal(twice.count, 1);
		assert_string_equal(twice.files[0].path, file->path);
		assert_true(span_equal(twice.files[0].text, file->text));
		assert_true(config_canon_parse(
		    once.arena, file->path, file->text, &root, &detail));
		config_text_json(root, &problems);
		canonical(file->path, buf_span(&problems), &json);
		assert_true(span_equal(json.files[0].text, file->text));
		buf_reset(&problems);
		arena_free(twice.arena);
		arena_free(json.arena);
	}
	arena_free(once.arena);
	buf_fini(&problems);
}

static void
test_good_realm_is_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOOD_FILES; i++) {
		enum config_kind kind = config_canon_kind(good_realm[i].path);
		struct config_canon once, twice;

		if (kind == CONFIG_KINDS)
			continue;
		canonical(
		    good_realm[i].path, span_str(good_realm[i].text), &once);
		assert_int_equal(once.count, 1);
		canonical(once.files[0].path, once.files[0].text, &twice);
		assert_string_equal(twice.files[0].path, once.files[0].path);
		assert_true(
		    span_equal(twice.files[0].text, once.files[0].text));
		arena_free(once.arena);
		arena_free(twice.arena);
	}
}

static const char *
form_of(struct config_canon *canon, const char *path, const char *text)
{
	canonical(path, span_str(text), canon);
	return canon->count == 0
		   ? ""
		   : arena_copy_str(canon->arena, canon->files[0].text);
}

static void
test_form_of_a_client(void **state)
{
	struct config_canon canon;

	(void)state;
	assert_string_equal(
	    form_of(&canon, "clients/any name.yaml",
		"# a comment\n"
		"grants: [stateless, client_credentials]\n"
		"access_token: {lifetime_secs: 600, format: jwt}\n"
		"refresh_token: {}\n"
		"name: 'no'\n"
		"client_secret: {plain: s3cret}\n"
		"idps: []\n"
		"enabled: true\n"
		"client_id: demo-app\n"),
	    "client_id: demo-app\n"
	    "name: \"no\"\n"
	    "client_secret:\n"
	    "  keep: demo-app\n"
	    "enabled: true\n"
	    "idps: []\n"
	    "grants:\n"
	    "  - client_credentials\n"
	    "  - stateless\n"
	    "access_token:\n"
	    "  format: jwt\n"
	    "  lifetime_secs: 600\n");
	assert_string_equal(canon.files[0].path, "clients/demo-app.yaml");
	assert_int_equal(canon.given_count, 1);
	assert_int_equal(canon.given[0].how, GIVEN_PLAIN);
	assert_string_equal(canon.given[0].text, "s3cret");
	assert_string_equal(canon.given[0].path, "clients/demo-app.yaml");
	arena_free(canon.arena);
	/* A directory would not show a file of this name. */
	(void)form_of(&canon, "api-clients/x.yaml", "client_id: .hidden\n");
	assert_string_equal(canon.files[0].path, "api-clients/%2Ehidden.yaml");
	assert_int_equal(canon.given[0].how, GIVEN_NOT);
	arena_free(canon.arena);
}

static void
test_form_of_properties(void **state)
{
	struct config_canon canon;

	(void)state;
	assert_string_equal(
	    form_of(&canon, "properties.yaml",
		"- {id: z, value: 'a: b', idps: [b, a]}\n"
		"- {id: pem, kind: key, value: \"l1\\nl2\\n\"}\n"
		"- {id: lines, value: \"l1\\nl2\\n\"}\n"
		"- {id: env, env: POSTERN_VALUE_A, sensitive: true}\n"
		"- {id: odd, value: \" \\u2028\\t\\\"\"}\n"
		"- {id: secret, value: s3cret, sensitive: true}\n"),
	    "- id: env\n"
	    "  env: POSTERN_VALUE_A\n"
	    "  sensitive: true\n"
	    "- id: lines\n"
	    "  value: |\n"
	    "    l1\n"
	    "    l2\n"
	    "- id: odd\n"
	    "  value: \" \\u2028\\t\\\"\"\n"
	    "- id: pem\n"
	    "  keep: pem\n"
	    "  kind: key\n"
	    "- id: secret\n"
	    "  keep: secret\n"
	    "  sensitive: true\n"
	    "- id: z\n"
	    "  value: \"a: b\"\n"
	    "  idps:\n"
	    "    - a\n"
	    "    - b\n");
	assert_int_equal(canon.given_count, 3);
	assert_true(canon.given[0].is_key);
	assert_string_equal(canon.given[0].text, "l1\nl2\n");
	arena_free(canon.arena);
}

static void
test_nothing_said_is_no_file(void **state)
{
	struct config_canon canon;

	(void)state;
	assert_string_equal(form_of(&canon, "realm.yaml", "# none\n"), "");
	arena_free(canon.arena);
	assert_string_equal(form_of(&canon, "realm.yaml", "script: {}\n"), "");
	arena_free(canon.arena);
	assert_string_equal(form_of(&canon, "scopes.yaml", "[]\n"), "");
	arena_free(canon.arena);
}

/* Scripts and authorities are bytes. */
static void
test_other_files_are_bytes(void **state)
{
	struct config_canon canon;

	(void)state;
	assert_string_equal(
	    form_of(&canon, "idps/A/complete.js", "  a ;"), "  a ;");
	assert_string_equal(canon.files[0].path, "idps/A/complete.js");
	arena_free(canon.arena);
}

static void
test_texts_come_back(void **state)
{
	static const char *const texts[] = {"", " ", "a", "a ", " a", "a  b",
	    "true", "null", "No", "12", "-1", "007", "a:", "a: b", "a #b", "#",
	    "- a", "a\nb", "a\n", "\na", "a\n\nb", "a\n b", "a\n\n", "a\tb",
	    "a\rb", "\x01", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xef\xbb\xbf",
	    "\xc3\xa9", "\xf0\x9f\x98\x80", "'", "''", "\"", "\\", "{a}", "[a]",
	    "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "---", "...", "?",
	    "~", "/a/b", "https://a.example/b?c=d#e", "=", "0x1f", "1e3"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		struct yaml_node *map = config_tree_new(arena, YAML_MAP);
		struct yaml_node *list = config_tree_new(arena, YAML_LIST);
		struct err_detail detail = {0};
		struct yaml_node *root;
		struct buf text;

		buf_init(&text, 4096);
		config_tree_append(
		    map, texts[i], config_tree_scalar(arena, texts[i], false));
		config_tree_append(
		    list, NULL, config_tree_scalar(arena, texts[i], false));
		config_tree_append(map, "list", list);
		config_text_yaml(map, &text);
		if (!config_canon_parse(
			arena, "x", buf_span(&text), &root, &detail))
			fail_msg("%s", detail.text);
		assert_string_equal(root->first->key, texts[i]);
		assert_string_equal(root->first->text, texts[i]);
		assert_string_equal(root->last->first->text, texts[i]);
		buf_reset(&text);
		config_text_json(map, &text);
		assert_true(config_canon_parse(
		    arena, "x", buf_span(&text), &root, &detail));
		assert_string_equal(root->first->text, texts[i]);
		buf_fini(&text);
		arena_free(arena);
	}
}

static void
test_hostile_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOOD_FILES; i++) {
		enum config_kind kind = config_canon_kind(good_realm[i].path);
		size_t len = strlen(good_realm[i].text);
		char *copy;

		if (kind == CONFIG_KINDS)
			continue;
		copy = malloc(len);
		assert_non_null(copy);
		memcpy(copy, good_realm[i].text, len);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			copy[bit / 8] ^= (char)(1 << bit % 8);
			assert_stable(kinds[kind].kind, kinds[kind].path,
			    span_of(copy, len));
			copy[bit / 8] ^= (char)(1 << bit % 8);
		}
		for (size_t cut = 0; cut <= len; cut++)
			assert_stable(kinds[kind].kind, kinds[kind].path,
			    span_of(copy, cut));
		free(copy);
	}
}

/* ---- merging ------------------------------------------------------------- */

/* RFC 7396 appendix A, as far as both are objects. */
static void
test_merge(void **state)
{
	static const char *const cases[][3] = {
	    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
	    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
	    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
	    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
	    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		"{\"a\":{\"b\":\"d\"}}"},
	    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
	    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
	    {"{\"a\":{\"b\":1},\"c\":2}", "{\"a\":{\"d\":true},\"c\":{}}",
		"{\"a\":{\"b\":1,\"d\":true},\"c\":{}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		struct yaml_node *target, *patch;
		struct buf json;

		assert_true(config_canon_parse(
		    arena, "t", span_str(cases[i][0]), &target, NULL));
		assert_true(config_canon_parse(
		    arena, "p", span_str(cases[i][1]), &patch, NULL));
		assert_true(config_tree_merge(arena, target, patch));
		buf_init(&json, 4096);
		config_text_json(target, &json);
		assert_string_equal(buf_cstr(&json), cases[i][2]);
		buf_fini(&json);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_realm_is_stable),
	    cmocka_unit_test(test_form_of_a_client),
	    cmocka_unit_test(test_form_of_properties),
	    cmocka_unit_test(test_nothing_said_is_no_file),
	    cmocka_unit_test(test_other_files_are_bytes),
	    cmocka_unit_test(test_texts_come_back),
	    cmocka_unit_test(test_hostile_documents),
	    cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
