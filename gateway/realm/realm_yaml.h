/*
 * One YAML document as a tree of text with line numbers.
 *
 * Plain YAML only: no anchors, aliases, tags, merge keys, duplicate keys or
 * further documents. No type is guessed: a scalar is its text, and the schema
 * says what it means.
 *
 * Threads: one at a time per arena.
 */
#ifndef POSTERN_REALM_YAML_H
#define POSTERN_REALM_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/span.h"
#include "gateway/realm/realm_problem.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* In the arena it was parsed into. */
struct yaml_node {
	enum yaml_kind kind;
	int line;        /* from 1 */
	bool plain;      /* a scalar without quotes or block marker */
	char *text;      /* YAML_SCALAR: no NUL inside */
	const char *key; /* NULL: not a member of a map */
	int key_line;
	struct yaml_node *first; /* members, in the file's order */
	struct yaml_node *last;
	struct yaml_node *next;
	struct yaml_node *parent;
	size_t count;
};

/* What parsing needs; borrowed. */
struct yaml_source {
	const char *file; /* for problems */
	struct arena *arena;
	struct realm_problems *problems;
};

/*
 * False: a mistake was added, or the arena is full (then none was). An empty
 * document is true with *root_r NULL.
 */
bool realm_yaml_parse(const struct yaml_source *source, struct span bytes,
    const struct yaml_node **root_r);

#endif
