/*
 * What a file of a realm may say, from realm_schema.def: a struct of settings
 * per SCHEMA, and the one function that fills them.
 *
 * Threads: one at a time per arena.
 */
#ifndef POSTERN_REALM_SCHEMA_H
#define POSTERN_REALM_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/realm/realm.h"
#include "gateway/realm/realm_yaml.h"

/* One key's value. Text and lists live in the source's arena. */
struct setting {
	bool given;                   /* the file has it, and it is right */
	int line;                     /* of the key, else of the map */
	const char *text;             /* NULL: neither given nor a default */
	int64_t number;               /* INT; BOOL: 0, 1; CHOICE: its place */
	struct string_set list;       /* .._LIST */
	const struct yaml_node *node; /* BLOCK, NODE, .._LIST; else NULL */
};

#define SCHEMA(schema, where, doc) struct schema {
#define KEY(schema, need, key, type, min, max, fallback, doc) \
	struct setting key;
#define END_SCHEMA(schema) \
	}                  \
	;
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA

enum realm_schema_id {
#define SCHEMA(schema, where, doc) SCHEMA_##schema,
#define KEY(schema, need, key, type, min, max, fallback, doc)
#define END_SCHEMA(schema)
#include "gateway/realm/realm_schema.def"
#undef SCHEMA
#undef KEY
#undef END_SCHEMA
	SCHEMA_COUNT
};

/* A map to be read. */
struct schema_input {
	const struct yaml_node *node; /* NULL: it is not there */
	int line;                     /* of the map, or of where it would be */
	const char *prefix;           /* of its keys in problems: "script." */
};

/*
 * Fills `*out_r`, the struct of that schema, and adds a problem for each
 * mistake. A setting with a mistake has its default. False: the arena is full.
 */
bool realm_schema_read(const struct yaml_source *source,
    enum realm_schema_id id, struct schema_input input, void *out_r);

/* The block that `setting`, a BLOCK named `key`, holds. */
bool realm_schema_read_block(const struct yaml_source *source,
    enum realm_schema_id id, const struct setting *setting, const char *key,
    void *out_r);

/* What stands under a key: for those who write a document. */
enum schema_form {
	FORM_LITERAL, /* a number, true or false */
	FORM_TEXT,
	FORM_SET, /* a list of text whose order means nothing */
	FORM_BLOCK,
	FORM_NODE /* maps and lists of text, as the key's own file says */
};

struct schema_key {
	const char *key;
	enum schema_form form;
	enum realm_schema_id block; /* FORM_BLOCK: its schema */
};

/* The keys of a schema in their order; false: there is no such place. */
bool realm_schema_key(
    enum realm_schema_id id, size_t place, struct schema_key *key_r);

/* Whether a stored limit is one that script_block would accept. */
bool realm_schema_limits_are_valid(const struct script_limits *limits);

/* A sorted set of copies of the list's items in `arena`; false: it is full. */
bool realm_schema_copy_set(struct arena *arena, const struct string_set *list,
    struct string_set *set_r);

#endif
