/*
 * Aligned columns for people. Columns are as wide as their widest cell; the
 * last one is as long as it likes.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_TABLE_H
#define POSTERN_CTL_TABLE_H

#include <stddef.h>

#include "common/buf.h"

#define CTL_TABLE_COLUMNS_MAX 8

struct ctl_table; /* owns copies of its cells */

/* The headings; NULL: out of memory, which later calls take. */
struct ctl_table *ctl_table_new(const char *const *headings, size_t columns);
void ctl_table_free(struct ctl_table *table);

/* The next cell, row by row; NULL is shown as "-". Lines and controls in it
 * are cleaned away. */
void ctl_table_add(struct ctl_table *table, const char *text);

/* Appends the table, the line of headings first. */
void ctl_table_render(const struct ctl_table *table, struct buf *out);

/* Prints it on stdout. */
void ctl_table_print(const struct ctl_table *table);

#endif
