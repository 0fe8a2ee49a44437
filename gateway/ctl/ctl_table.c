/*
 * Tables; see ctl_table.h. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/check.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_text.h"

/* As much as the longest list's answers hold. */
#define TABLE_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* A single cell; a script's log line is far shorter. */
#define CELL_BYTES_MAX ((size_t)1024 * 1024)

#define GAP "  "

struct ctl_table {
	struct arena *arena;
	const char **cells; /* the headings first; a full row after the other */
	size_t count;
	size_t room;
	size_t columns;
};

struct ctl_table *
ctl_table_new(const char *const *headings, size_t columns)
{
	struct ctl_table *table = calloc(1, sizeof *table);

	CHECK(columns > 0 && columns <= CTL_TABLE_COLUMNS_MAX);
	if (table == NULL)
		return NULL;
	table->columns = columns;
	table->arena = arena_new(TABLE_BYTES_MAX);
	if (table->arena == NULL) {
		free(table);
		return NULL;
	}
	for (size_t i = 0; i < columns; i++)
		ctl_table_add(table, headings[i]);
	return table;
}

void
ctl_table_free(struct ctl_table *table)
{
	if (table == NULL)
		return;
	arena_free(table->arena);
	free(table->cells);
	free(table);
}

static bool
make_room(struct ctl_table *table)
{
	size_t room = table->room == 0 ? 64 : table->room * 2;
	const char **cells;

	if (table->count < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof *cells);
	if (cells == NULL)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

void
ctl_table_add(struct ctl_table *table, const char *text)
{
	struct buf clean;
	const char *copy;

	if (table == NULL || !make_room(table))
		return;
	buf_init(&clean, CELL_BYTES_MAX);
	ctl_text_clean(&clean,
	    span_str(text == NULL || *text == '\0' ? "-" : text), false);
	copy = arena_copy_str(table->arena, buf_span(&clean));
	buf_fini(&clean);
	table->cells[table->count++] = copy == NULL ? "" : copy;
}

static void
measure(const struct ctl_table *table, size_t *widths_r)
{
	memset(widths_r, 0, table->columns * sizeof *widths_r);
	for (size_t i = 0; i < table->count; i++) {
		size_t width = ctl_text_width(span_str(table->cells[i]));
		size_t column = i % table->columns;

		if (width > widths_r[column])
			widths_r[column] = width;
	}
}

void
ctl_table_render(const struct ctl_table *table, struct buf *out)
{
	size_t widths[CTL_TABLE_COLUMNS_MAX];

	if (table == NULL)
		return;
	measure(table, widths);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		size_t width = ctl_text_width(span_str(table->cells[i]));

		buf_append_str(out, table->cells[i]);
		if (column + 1 == table->columns) {
			buf_append_char(out, '\n');
			continue;
		}
		while (width++ < widths[column])
			buf_append_char(out, ' ');
		buf_append_str(out, GAP);
	}
}

void
ctl_table_print(const struct ctl_table *table)
{
	const uint8_t *end;
	struct buf out;

	buf_init(&out, TABLE_BYTES_MAX);
	ctl_table_render(table, &out);
	end = out.len == 0 ? NULL : memchr(out.data, '\n', out.len);
	if (end != NULL) {
		size_t heading = (size_t)(end - out.data);

		ctl_out_span(STYLE_BOLD, span_of(out.data, heading));
		ctl_out_span(STYLE_PLAIN,
		    span_of(out.data + heading, out.len - heading));
	}
	buf_fini(&out);
}
