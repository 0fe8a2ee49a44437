/*
 * Test files into cases; see ctl_test_file.h. Values are ctl_test_value's.
 * Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_test_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "gateway/ctl/ctl_test_value.h"

#define ARENA_BYTES    ((size_t)64 << 20)
#define SEED_DIGITS    64
#define CASES_MAX      10000
#define URL_METHOD_MAX 16

/* One file while it is read. */
struct reading {
	struct ctl_test_source values;
	struct ctl_test_source patterns;
};

typedef void
take_fn(const struct reading *in, const struct yaml_node *node, json_t *into);

struct key {
	const char *name;
	take_fn *take;
};

static json_t *
made(json_t *value)
{
	CHECK(value != NULL);
	return value;
}

static void
set(json_t *object, const char *key, json_t *value)
{
	CHECK(json_object_set_new_nocheck(object, key, made(value)) == 0);
}

static void
problem(const struct reading *in, const struct yaml_node *node,
    const char *sentence)
{
	realm_problem_add(in->values.yaml.problems,
	    (struct realm_place){in->values.yaml.file, node->line, node->key},
	    "%s", sentence);
}

/* Each member by the function of its row. */
static void
take_map(const struct reading *in, const struct yaml_node *map,
    const struct key *keys, json_t *into)
{
	if (map->kind != YAML_MAP) {
		problem(in, map, "expects a map");
		return;
	}
	for (const struct yaml_node *member = map->first; member != NULL;
	     member = member->next) {
		const struct key *key = keys;

		while (key->name != NULL && strcmp(key->name, member->key) != 0)
			key++;
		if (key->name == NULL)
			problem(in, member, "no such key");
		else if (key->take != NULL)
			key->take(in, member, into);
	}
}

/* ---- what a case brings --------------------------------------------------
 */

static json_t *
json_text(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	json_t *string = made(json_string(text));

	free(text);
	return string;
}

static void
take_payload(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	json_t *value = ctl_test_value(&in->values, node);
	bool is_data = json_is_string(value) || json_is_null(value);

	set(into, "data", is_data ? json_incref(value) : json_text(value));
	json_decref(value);
}

static void
take_value(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	set(into, node->key, ctl_test_value(&in->values, node));
}

/* Ids to texts; a number is its spelling. */
static void
take_texts(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	json_t *texts = made(json_object());

	if (node->kind != YAML_MAP)
		problem(in, node, "expects a map");
	for (const struct yaml_node *member = node->first;
	     node->kind == YAML_MAP && member != NULL; member = member->next) {
		if (member->kind != YAML_SCALAR)
			problem(in, member, "expects a text");
		else
			set(texts, member->key, json_string(member->text));
	}
	set(into, node->key, texts);
}

static void
take_limits(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	/* Their ranges are the engine's matter. */
	static const struct key keys[] = {{"wall_ms", take_value},
	    {"cpu_ms", take_value}, {"heap_mib", take_value},
	    {"host_calls", take_value}, {"source_kib", take_value},
	    {"data_kib", take_value}, {"result_kib", take_value},
	    {"log_kib", take_value}, {"http_body_kib", take_value},
	    {"cache_value_kib", take_value}, {"cache_entries", take_value},
	    {NULL, NULL}};
	json_t *limits = made(json_object());

	take_map(in, node, keys, limits);
	set(into, "limits", limits);
}

/* A text, {value, ttl_secs}, or anything else as JSON. */
static void
take_cache(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	json_t *cache = made(json_object());

	if (node->kind != YAML_MAP)
		problem(in, node, "expects a map of keys to values");
	for (const struct yaml_node *member = node->first;
	     node->kind == YAML_MAP && member != NULL; member = member->next) {
		json_t *value = ctl_test_value(&in->values, member);
		const json_t *inner = json_object_get(value, "value");
		json_t *entry = made(json_object());

		if (inner == NULL)
			inner = value;
		else if (json_object_get(value, "ttl_secs") != NULL)
			set(entry, "ttl_secs",
			    json_incref(json_object_get(value, "ttl_secs")));
		set(entry, "value",
		    json_is_string(inner)
			? json_incref((json_t *)(uintptr_t)inner)
			: json_text(inner));
		set(cache, member->key, entry);
		json_decref(value);
	}
	set(into, "cache", cache);
}

/* "GET https://..." */
static void
take_request(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	const char *text = node->kind == YAML_SCALAR ? node->text : "";
	size_t method = strcspn(text, " ");

	if (method == 0 || method > URL_METHOD_MAX || text[method] == '\0') {
		problem(in, node, "expects a method and a URL");
		return;
	}
	set(into, "method", json_stringn(text, method));
	set(into, "url", json_string(text + method + 1));
}

static void
take_list(const struct reading *in, const struct yaml_node *node,
    const struct key *keys, json_t *into)
{
	json_t *list = made(json_array());

	if (node->kind != YAML_LIST)
		problem(in, node, "expects a list");
	for (const struct yaml_node *item = node->first;
	     node->kind == YAML_LIST && item != NULL; item = item->next) {
		json_t *object = made(json_object());

		take_map(in, item, keys, object);
		CHECK(json_array_append_new(list, object) == 0);
	}
	set(into, node->key, list);
}

static void
take_fakes(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	static const struct key keys[] = {{"request", take_request},
	    {"method", take_value}, {"url", take_value}, {"status", take_value},
	    {"headers", take_value}, {"body", take_value},
	    {"error", take_value}, {"times", take_value}, {NULL, NULL}};
	json_t *holder = made(json_object());
	const json_t *fake;
	size_t i;

	take_list(in, node, keys, holder);
	json_array_foreach (json_object_get(holder, "http"), i, fake) {
		if (!json_is_string(json_object_get(fake, "url")))
			problem(in, node, "expects a request or a url in each");
	}
	set(into, "http_fakes", json_incref(json_object_get(holder, "http")));
	json_decref(holder);
}

/* "2026-01-31T12:00:00Z", milliseconds, or the readings of a recording. */
static void
take_clock(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	json_t *value = ctl_test_value(&in->values, node);
	struct tm tm = {0};
	const char *rest;

	if (json_is_array(value)) {
		set(into, "clock", json_incref(value));
	} else if (json_is_integer(value)) {
		set(into, "clock_ms", json_incref(value));
	} else if (json_is_string(value)) {
		rest = strptime(
		    json_string_value(value), "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (rest == NULL || *rest != '\0')
			problem(in, node,
			    "expects a time like "
			    "2026-01-31T12:00:00Z");
		set(into, "clock_ms",
		    json_integer((json_int_t)timegm(&tm) * 1000));
	} else {
		problem(in, node, "expects a time");
	}
	json_decref(value);
}

/* Up to 64 hexadecimal digits; zeros before them. */
static void
take_seed(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	char seed[SEED_DIGITS + 1];
	size_t len = node->kind == YAML_SCALAR ? strlen(node->text) : 0;

	for (size_t i = 0; i < len && len <= SEED_DIGITS; i++) {
		if (!isxdigit((unsigned char)node->text[i]))
			len = 0;
	}
	if (len == 0 || len > SEED_DIGITS) {
		problem(in, node, "expects 1 to 64 hexadecimal digits");
		return;
	}
	memset(seed, '0', SEED_DIGITS);
	memcpy(seed + SEED_DIGITS - len, node->text, len);
	seed[SEED_DIGITS] = '\0';
	set(into, "seed", json_string(seed));
}

/* ---- what it expects -----------------------------------------------------
 */

static void
take_pattern(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	set(into, node->key, ctl_test_value(&in->patterns, node));
}

static void
take_expected_http(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	static const struct key keys[] = {{"request", take_request},
	    {"method", take_pattern}, {"url", take_pattern},
	    {"headers", take_pattern}, {"body", take_pattern},
	    {"status", take_pattern}, {"error", take_pattern}, {NULL, NULL}};

	take_list(in, node, keys, into);
}

static void
take_expect(
    const struct reading *in, const struct yaml_node *node, json_t *into)
{
	static const struct key keys[] = {{"status", take_pattern},
	    {"payload", take_pattern}, {"user", take_pattern},
	    {"registration_data", take_pattern}, {"error", take_pattern},
	    {"cache", take_pattern}, {"http", take_expected_http},
	    {"calls", take_pattern}, {"log", take_pattern}, {NULL, NULL}};
	json_t *expect = made(json_object());

	take_map(in, node, keys, expect);
	set(into, "expect", expect);
}

/* ---- cases ---------------------------------------------------------------
 */

static void
take_name(const struct reading *in, const struct yaml_node *node, json_t *into)
{
	if (node->kind != YAML_SCALAR || node->text[0] == '\0')
		problem(in, node, "expects a text");
	else
		set(into, "name", json_string(node->text));
}

#define CASE_KEYS                                                              \
	{"payload", take_payload}, {"registration_data", take_value},          \
	    {"custom_params", take_value}, {"properties", take_texts},         \
	    {"keys", take_texts}, {"cache", take_cache}, {"http", take_fakes}, \
	    {"clock", take_clock}, {"seed", take_seed},                        \
	    {"limits", take_limits}, {"calls", take_value},                    \
	    {"expect", take_expect},                                           \
	{                                                                      \
		NULL, NULL                                                     \
	}

static const struct key default_keys[] = {CASE_KEYS};
static const struct key case_keys[] = {{"name", take_name}, CASE_KEYS};

/* The case's own over the file's: maps by member, fakes before the file's. */
static void
add_defaults(json_t *own, const json_t *defaults)
{
	static const char *const maps[] = {
	    "properties", "keys", "cache", "limits", "expect", NULL};
	const char *const *map = maps;
	json_t *fakes = json_object_get(own, "http_fakes");

	for (; *map != NULL; map++) {
		json_t *inner = json_object_get(own, *map);

		if (inner != NULL)
			(void)json_object_update_missing(
			    inner, json_object_get(defaults, *map));
	}
	if (fakes != NULL)
		(void)json_array_extend(
		    fakes, json_object_get(defaults, "http_fakes"));
	/* What the case names itself stays: a clock is one of two members. */
	if (json_object_get(own, "clock") != NULL ||
	    json_object_get(own, "clock_ms") != NULL) {
		json_t *rest = json_copy((json_t *)(uintptr_t)defaults);

		(void)json_object_del(rest, "clock");
		(void)json_object_del(rest, "clock_ms");
		(void)json_object_update_missing(own, rest);
		json_decref(rest);
	} else {
		(void)json_object_update_missing(
		    own, (json_t *)(uintptr_t)defaults);
	}
}

static void
take_case(const struct reading *in, const struct yaml_node *node,
    const json_t *defaults, struct ctl_test_case *out)
{
	/* Deep: a case may change what it has of the defaults. */
	json_t *copy = made(json_deep_copy(defaults));
	json_t *own = made(json_object());
	const char *name;

	take_map(in, node, case_keys, own);
	add_defaults(own, copy);
	json_decref(copy);
	name = json_string_value(json_object_get(own, "name"));
	if (name == NULL)
		problem(in, node, "a case expects a name");
	out->name = strdup(name == NULL ? "" : name);
	CHECK(out->name != NULL);
	out->line = node->line;
	out->expect = json_incref(json_object_get(own, "expect"));
	if (out->expect == NULL)
		out->expect = made(json_object());
	(void)json_object_del(own, "expect");
	(void)json_object_del(own, "name");
	out->job = own;
}

static void
take_cases(const struct reading *in, const struct yaml_node *root,
    const struct yaml_node *list, const json_t *defaults,
    struct ctl_test_file *file)
{
	if (list == NULL || list->kind != YAML_LIST || list->count == 0 ||
	    list->count > CASES_MAX) {
		problem(in, list == NULL ? root : list,
		    "cases: expects a list of 1 to 10000 cases");
		return;
	}
	file->cases = calloc(list->count, sizeof *file->cases);
	CHECK(file->cases != NULL);
	for (const struct yaml_node *node = list->first; node != NULL;
	     node = node->next) {
		take_case(in, node, defaults, &file->cases[file->count]);
		file->count++;
	}
}

static const struct yaml_node *
member_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *member = map->first;

	while (member != NULL && strcmp(member->key, key) != 0)
		member = member->next;
	return member;
}

/* complete.password.test.yaml is of complete.js. */
static void
name_script(const struct reading *in, const char *name,
    const struct yaml_node *node, struct ctl_test_file *file)
{
	size_t len = strcspn(name, ".");

	if (node == NULL) {
		if (asprintf(&file->script, "%.*s.js", (int)len, name) < 0)
			file->script = NULL;
	} else if (node->kind != YAML_SCALAR || node->text[0] == '\0' ||
		   strchr(node->text, '/') != NULL) {
		problem(in, node, "expects the name of a file in this folder");
		file->script = strdup("");
	} else {
		file->script = strdup(node->text);
	}
	CHECK(file->script != NULL);
}

static void
take_root(const struct reading *in, const char *name,
    const struct yaml_node *root, struct ctl_test_file *file)
{
	static const struct key keys[] = {{"script", NULL}, {"defaults", NULL},
	    {"cases", NULL}, {NULL, NULL}};
	const struct yaml_node *defaults = NULL;
	json_t *shared = made(json_object());

	take_map(in, root, keys, NULL);
	if (root->kind == YAML_MAP) {
		name_script(in, name, member_of(root, "script"), file);
		defaults = member_of(root, "defaults");
		if (defaults != NULL)
			take_map(in, defaults, default_keys, shared);
		take_cases(in, root, member_of(root, "cases"), shared, file);
	}
	json_decref(shared);
}

enum err
ctl_test_file_read(const char *name, const char *shown, struct span bytes,
    struct buf *problems, struct ctl_test_file *file_r)
{
	struct realm_problems list = {.out = problems};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct reading in = {.values.yaml = {shown, arena, &list}};
	struct ctl_test_file file = {.count = 0};
	const struct yaml_node *root = NULL;
	bool parsed;

	if (arena == NULL)
		return ERR_NOMEM;
	in.patterns = in.values;
	in.patterns.has_patterns = true;
	parsed = realm_yaml_parse(&in.values.yaml, bytes, &root);
	if (root != NULL)
		take_root(&in, name, root, &file);
	else if (parsed)
		realm_problem_add(&list, (struct realm_place){shown, 1, NULL},
		    "expects cases");
	realm_problem_close(&list);
	arena_free(arena);
	if (parsed && list.mistakes == 0) {
		*file_r = file;
		return OK;
	}
	ctl_test_file_fini(&file);
	return list.mistakes > 0 ? ERR_INVALID : ERR_NOMEM;
}

void
ctl_test_file_fini(struct ctl_test_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->cases[i].name);
		json_decref(file->cases[i].job);
		json_decref(file->cases[i].expect);
	}
	free(file->cases);
	free(file->script);
	*file = (struct ctl_test_file){.count = 0};
}
