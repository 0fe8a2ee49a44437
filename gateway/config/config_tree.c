/*
 * Building, walking and merging trees. Not their meaning, and not their text.
 * Runs on the thread that makes a change.
 */
#include "gateway/config/config_tree.h"

#include <string.h>

struct yaml_node *
config_tree_new(struct arena *arena, enum yaml_kind kind)
{
	struct yaml_node *node = arena_alloc(arena, sizeof *node);

	if (node != NULL)
		node->kind = kind;
	return node;
}

struct yaml_node *
config_tree_scalar(struct arena *arena, const char *text, bool plain)
{
	struct yaml_node *node = config_tree_new(arena, YAML_SCALAR);

	if (node == NULL)
		return NULL;
	node->plain = plain;
	node->text = arena_strdup(arena, text);
	return node->text == NULL ? NULL : node;
}

void
config_tree_append(
    struct yaml_node *parent, const char *key, struct yaml_node *child)
{
	child->parent = parent;
	child->key = key;
	child->next = NULL;
	if (parent->last == NULL)
		parent->first = child;
	else
		parent->last->next = child;
	parent->last = child;
	parent->count++;
}

struct yaml_node *
config_tree_member(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (struct yaml_node *node = map->first; node != NULL;
	     node = node->next) {
		if (strcmp(node->key, key) == 0)
			return node;
	}
	return NULL;
}

const char *
config_tree_text(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = config_tree_member(map, key);

	return node == NULL || node->kind != YAML_SCALAR ? NULL : node->text;
}

/* What points to `child`, in its parent. */
static struct yaml_node *
tree_before(const struct yaml_node *parent, const struct yaml_node *child)
{
	struct yaml_node *before = NULL;

	for (struct yaml_node *node = parent->first; node != child;
	     node = node->next)
		before = node;
	return before;
}

void
config_tree_remove(struct yaml_node *parent, struct yaml_node *child)
{
	struct yaml_node *before = tree_before(parent, child);

	if (before == NULL)
		parent->first = child->next;
	else
		before->next = child->next;
	if (parent->last == child)
		parent->last = before;
	parent->count--;
	child->next = NULL;
	child->parent = NULL;
}

void
config_tree_replace(struct yaml_node *old, struct yaml_node *child)
{
	struct yaml_node *parent = old->parent;
	struct yaml_node *before = tree_before(parent, old);

	child->parent = parent;
	child->key = old->key;
	child->next = old->next;
	if (before == NULL)
		parent->first = child;
	else
		before->next = child;
	if (parent->last == old)
		parent->last = child;
	old->next = NULL;
	old->parent = NULL;
}

bool
config_tree_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "null") == 0);
}

const struct yaml_node *
config_tree_next(
    const struct yaml_node *root, const struct yaml_node *node, size_t *depth)
{
	if (node->first != NULL) {
		(*depth)++;
		return node->first;
	}
	while (node != root && node->next == NULL) {
		node = node->parent;
		(*depth)--;
	}
	return node == root ? NULL : node->next;
}

static void
tree_drop_null_members(struct yaml_node *map)
{
	struct yaml_node *next;

	for (struct yaml_node *node = map->first; node != NULL; node = next) {
		next = node->next;
		if (config_tree_is_null(node))
			config_tree_remove(map, node);
	}
}

void
config_tree_drop_nulls(struct yaml_node *root)
{
	size_t depth = 0;

	for (struct yaml_node *node = root; node != NULL;) {
		if (node->kind == YAML_MAP)
			tree_drop_null_members(node);
		/* The walk only reads; these nodes are ours to change. */
		node = (struct yaml_node *)(uintptr_t)config_tree_next(
		    root, node, &depth);
	}
}

/* ---- merging ------------------------------------------------------------- */

/* Maps still to be merged; in the arena. */
struct merge {
	struct merge *next;
	struct yaml_node *target;
	struct yaml_node *patch;
};

static bool
merge_push(struct arena *arena, struct merge **pending,
    struct yaml_node *target, struct yaml_node *patch)
{
	struct merge *merge = arena_alloc(arena, sizeof *merge);

	if (merge == NULL)
		return false;
	*merge = (struct merge){*pending, target, patch};
	*pending = merge;
	return true;
}

static bool
merge_member(struct arena *arena, struct merge **pending,
    struct yaml_node *target, struct yaml_node *member)
{
	struct yaml_node *old = config_tree_member(target, member->key);
	struct yaml_node *value = member;

	if (config_tree_is_null(member)) {
		if (old != NULL)
			config_tree_remove(target, old);
		return true;
	}
	if (member->kind == YAML_MAP && old != NULL && old->kind == YAML_MAP)
		return merge_push(arena, pending, old, member);
	/* A new map takes over what is not null in the patch's. */
	if (member->kind == YAML_MAP) {
		value = config_tree_new(arena, YAML_MAP);
		if (value == NULL || !merge_push(arena, pending, value, member))
			return false;
	}
	if (old != NULL)
		config_tree_replace(old, value);
	else
		config_tree_append(target, member->key, value);
	return true;
}

bool
config_tree_merge(
    struct arena *arena, struct yaml_node *target, struct yaml_node *patch)
{
	struct merge *pending = NULL;

	if (!merge_push(arena, &pending, target, patch))
		return false;
	while (pending != NULL) {
		struct merge *merge = pending;
		struct yaml_node *next;

		pending = merge->next;
		for (struct yaml_node *member = merge->patch->first;
		     member != NULL; member = next) {
			next = member->next;
			if (!merge_member(
				arena, &pending, merge->target, member))
				return false;
		}
	}
	return true;
}
