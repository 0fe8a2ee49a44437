/*
 * YAML nodes into JSON; see ctl_test_value.h. Comparing is ctl_test_compare's.
 * Any thread.
 */
#include "gateway/ctl/ctl_test_value.h"

#include <regex.h>
#include <string.h>

#include "common/check.h"

/* Deeper than any payload a script takes apart. */
#define DEPTH_MAX 48

static const char *const patterns[] = {
    "$match", "$any", "$includes", "$json", "$equals"};
#define PATTERN_COUNT (sizeof patterns / sizeof patterns[0])

static json_t *
made(json_t *value)
{
	CHECK(value != NULL);
	return value;
}

static void
problem(const struct ctl_test_source *source, const struct yaml_node *node,
    const char *sentence)
{
	realm_problem_add(source->yaml.problems,
	    (struct realm_place){source->yaml.file, node->line, node->key},
	    "%s", sentence);
}

/* JSON's own spelling decides, so there is no Norway in a test. */
static json_t *
scalar(const struct ctl_test_source *source, const struct yaml_node *node)
{
	json_t *value = NULL;
	size_t len = strlen(node->text);

	if (node->plain && (len == 0 || strcmp(node->text, "~") == 0))
		return made(json_null());
	if (node->plain && node->text[0] != '"' && node->text[0] != '[' &&
	    node->text[0] != '{')
		value = json_loadb(node->text, len, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		value = json_stringn(node->text, len);
	if (value != NULL)
		return value;
	problem(source, node, "expects text in UTF-8");
	return made(json_null());
}

const json_t *
ctl_test_value_pattern(const json_t *value, const char *name)
{
	return json_object_size(value) == 1 ? json_object_get(value, name)
					    : NULL;
}

bool
ctl_test_value_is_pattern(const json_t *value)
{
	for (size_t i = 0; i < PATTERN_COUNT; i++) {
		if (ctl_test_value_pattern(value, patterns[i]) != NULL)
			return true;
	}
	return false;
}

static bool
is_type(const json_t *type)
{
	static const char *const types[] = {
	    "string", "number", "boolean", "object", "array"};

	for (size_t i = 0; json_is_string(type) && i < 5; i++) {
		if (strcmp(json_string_value(type), types[i]) == 0)
			return true;
	}
	return json_is_true(type);
}

/* NULL: the pattern can be used. */
static const char *
pattern_mistake(const struct yaml_node *member, const json_t *operand)
{
	regex_t regex;

	if (strcmp(member->key, "$any") == 0)
		return is_type(operand) ? NULL
					: "expects string, number, boolean, "
					  "object, array or true";
	if (strcmp(member->key, "$includes") == 0)
		return json_is_object(operand) || json_is_array(operand)
			   ? NULL
			   : "expects a map or a list";
	if (strcmp(member->key, "$match") != 0)
		return NULL;
	if (!json_is_string(operand) ||
	    regcomp(&regex, json_string_value(operand),
		REG_EXTENDED | REG_NOSUB) != 0)
		return "expects a POSIX extended regular expression";
	regfree(&regex);
	return NULL;
}

static bool
is_pattern_name(const char *key)
{
	for (size_t i = 0; i < PATTERN_COUNT; i++) {
		if (strcmp(key, patterns[i]) == 0)
			return true;
	}
	return false;
}

static json_t *value_at(const struct ctl_test_source *source,
    const struct yaml_node *node, unsigned depth);

static void
check_member(const struct ctl_test_source *source, const struct yaml_node *map,
    const struct yaml_node *member, const json_t *value)
{
	const char *mistake = NULL;

	if (!source->has_patterns || member->key[0] != '$')
		return;
	if (!is_pattern_name(member->key))
		mistake = "is no pattern; $equals takes a value literally";
	else if (map->count != 1)
		mistake = "a pattern stands alone in its map";
	else
		mistake = pattern_mistake(member, value);
	if (mistake != NULL)
		problem(source, member, mistake);
}

static json_t *
map_at(const struct ctl_test_source *source, const struct yaml_node *node,
    unsigned depth)
{
	json_t *map = made(json_object());

	for (const struct yaml_node *member = node->first; member != NULL;
	     member = member->next) {
		struct ctl_test_source inner = *source;
		json_t *value;

		if (strcmp(member->key, "$equals") == 0)
			inner.has_patterns = false;
		value = value_at(&inner, member, depth + 1);
		check_member(source, node, member, value);
		CHECK(
		    json_object_set_new_nocheck(map, member->key, value) == 0);
	}
	return map;
}

/* Its depth is bounded here, whatever the file's is. */
static json_t *
value_at(const struct ctl_test_source *source, const struct yaml_node *node,
    unsigned depth)
{
	json_t *list;

	if (depth > DEPTH_MAX) {
		problem(source, node, "is nested too deeply");
		return made(json_null());
	}
	if (node->kind == YAML_SCALAR)
		return scalar(source, node);
	if (node->kind == YAML_MAP)
		return map_at(source, node, depth);
	list = made(json_array());
	for (const struct yaml_node *item = node->first; item != NULL;
	     item = item->next)
		CHECK(json_array_append_new(
			  list, value_at(source, item, depth + 1)) == 0);
	return list;
}

json_t *
ctl_test_value(
    const struct ctl_test_source *source, const struct yaml_node *node)
{
	return value_at(source, node, 0);
}
