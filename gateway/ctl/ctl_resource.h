/*
 * What commands about any kind of resource share: lists as tables, one as
 * keys and values.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_RESOURCE_H
#define POSTERN_CTL_RESOURCE_H

#include <jansson.h>
#include <stddef.h>

#include "gateway/ctl/ctl_command.h"

enum ctl_cell {
	CELL_VALUE, /* as ctl_json_append_member() shows it */
	CELL_HASH   /* its first digits, which commands take for all of it */
};

struct ctl_column {
	const char *heading;  /* NULL ends the columns */
	const char *key;      /* of an item */
	const char *fallback; /* shown without the key; NULL: "-" */
	enum ctl_cell cell;
};

/* For people a table of the items, with --json the items. */
void ctl_resource_print_list(const struct ctl_call *call, const json_t *items,
    const struct ctl_column *columns);

/* For people keys and values, with --json the document. */
void ctl_resource_print(const struct ctl_call *call, json_t *document);

/* What was done where the gateway answers nothing: a sentence on stderr, with
 * --json a document. */
void ctl_resource_print_done(const struct ctl_call *call, const char *format,
    ...) __attribute__((format(printf, 2, 3)));

#endif
