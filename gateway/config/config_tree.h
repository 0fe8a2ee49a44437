/*
 * Documents as trees that can be changed. Private to config/; the tree is the
 * loader's (realm_yaml.h), and so is the parser: JSON is YAML.
 *
 * All nodes and texts live in one arena. NULL results: it is full. Threads:
 * one at a time per arena.
 */
#ifndef POSTERN_CONFIG_TREE_H
#define POSTERN_CONFIG_TREE_H

#include "gateway/realm/realm_yaml.h"

struct yaml_node *config_tree_new(struct arena *arena, enum yaml_kind kind);

/* Text, or with `plain` a number, true or false. */
struct yaml_node *
config_tree_scalar(struct arena *arena, const char *text, bool plain);

/* As the last member of a map under `key`, or of a list with `key` NULL. The
 * child must be nobody's. */
void config_tree_append(
    struct yaml_node *parent, const char *key, struct yaml_node *child);

/* NULL: there is none, or `map` is NULL or no map. */
struct yaml_node *
config_tree_member(const struct yaml_node *map, const char *key);

/* The text of such a member; NULL: none. */
const char *config_tree_text(const struct yaml_node *map, const char *key);

/* Takes a child out; it can be appended elsewhere. */
void config_tree_remove(struct yaml_node *parent, struct yaml_node *child);

/* Puts `child` where `old` is. */
void config_tree_replace(struct yaml_node *old, struct yaml_node *child);

/* JSON's null, or no value at all. */
bool config_tree_is_null(const struct yaml_node *node);

/* Takes null members out of maps, at every depth. */
void config_tree_drop_nulls(struct yaml_node *root);

/*
 * RFC 7396: `patch`, a map, which is used up, on `target`, a map. False: the
 * arena is full.
 */
bool config_tree_merge(
    struct arena *arena, struct yaml_node *target, struct yaml_node *patch);

/* The node after `node` in the order of the text, below `root`; NULL: it was
 * the last. `depth` follows. */
const struct yaml_node *config_tree_next(
    const struct yaml_node *root, const struct yaml_node *node, size_t *depth);

#endif
