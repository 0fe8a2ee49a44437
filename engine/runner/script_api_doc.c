/*
 * script-api-doc: writes the script API's documentation from its tables. A
 * tool of the build, in no product.
 *
 *	script-api-doc DIR           writes DIR/postern.d.ts, DIR/SCRIPT-API.md
 *	script-api-doc --check DIR   changes nothing; exit 1 if it would
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

#define FILE_MAX   1048576
#define PATH_BYTES 4096

static const struct row {
	const char *object, *member, *params, *result, *reach, *doc;
} rows[] = {
#define SCRIPT_API(                                              \
    object, member, params, result, count, reach, function, doc) \
	{object, #member, params, result, #reach, doc},
#include "engine/runner/script_api.def"
#undef SCRIPT_API
};

static const struct type {
	const char *name, *definition, *doc;
} types[] = {
#define SCRIPT_TYPE(name, definition, doc) {name, definition, doc},
#include "engine/runner/script_types.def"
#undef SCRIPT_TYPE
};

static const struct shim {
	const char *object, *name, *sentence;
} shims[] = {
#define SHIM_GLOBAL(name, sentence)           {"", name, sentence},
#define SHIM_MEMBER(object, member, sentence) {object, #member, sentence},
#include "engine/runner/script_shims.def"
#undef SHIM_GLOBAL
#undef SHIM_MEMBER
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Members of these are in every ES5 environment's own types. */
static bool
is_of_the_language(const char *object)
{
	return strcmp(object, "Math") == 0 || strcmp(object, "Date") == 0 ||
	       strcmp(object, "Array.prototype") == 0;
}

/* ---- postern.d.ts ---------------------------------------------------------
 */

static void
append_types(struct buf *out)
{
	for (size_t i = 0; i < COUNT(types); i++)
		buf_printf(out, "/** %s */\ntype %s = %s;\n\n", types[i].doc,
		    types[i].name, types[i].definition);
}

static void
append_member(struct buf *out, const char *indent, const struct row *row)
{
	buf_printf(out, "%s/** %s */\n%s%s(%s): %s;\n", indent, row->doc,
	    indent, row->member, row->params, row->result);
}

static void
append_members(struct buf *out, const char *indent, const char *object)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].object, object) == 0)
			append_member(out, indent, &rows[i]);
}

/* "java.util.UUID": objects within objects. */
static void
append_nested(struct buf *out, const char *object)
{
	const char *at = object;
	unsigned depth = 0;

	buf_append_str(out, "declare const ");
	while (*at != '\0') {
		size_t len = strcspn(at, ".");

		buf_append(out, at, len);
		buf_append_str(
		    out, depth == 0 && at[len] == '\0' ? ": {\n" : ": { ");
		depth++;
		at += len;
		at += *at == '.';
	}
	if (depth > 1)
		buf_append_char(out, '\n');
	append_members(out, "  ", object);
	if (strcmp(object, "PROPERTIES") == 0)
		buf_append_str(out,
		    "  /** The property's value, where its id is a name. */\n"
		    "  readonly [id: string]: any;\n");
	while (depth-- > 0)
		buf_append_str(out, depth > 0 ? "} " : "};\n\n");
}

static void
append_object(struct buf *out, const char *object)
{
	if (is_of_the_language(object))
		return;
	if (strcmp(object, "String.prototype") != 0) {
		append_nested(out, object);
		return;
	}
	buf_append_str(out, "interface String {\n");
	append_members(out, "  ", object);
	buf_append_str(out, "}\n\n");
}

static bool
is_first_of_object(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(rows[j].object, rows[i].object) == 0)
			return false;
	return true;
}

static void
append_declarations(struct buf *out)
{
	buf_append_str(out,
	    "// Types of everything a Postern script can use beside the "
	    "language.\n"
	    "// Made by script-api-doc of engine/runner/script_api.def: do "
	    "not edit.\n"
	    "// The language is ES5 without the browser: \"lib\": "
	    "[\"es5\"].\n\n");
	append_types(out);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_first_of_object(i))
			append_object(out, rows[i].object);
}

/* ---- SCRIPT-API.md --------------------------------------------------------
 */

static void
append_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
}

static void
append_table(struct buf *out, const char *object)
{
	buf_printf(out,
	    "\n## `%s`\n\n| member | returns | cold | |\n|---|---|---|---|\n",
	    object);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strcmp(rows[i].object, object) != 0)
			continue;
		buf_printf(out, "| `%s(", rows[i].member);
		append_cell(out, rows[i].params);
		buf_append_str(out, ")` | `");
		append_cell(out, rows[i].result);
		buf_printf(out, "` | %s | ",
		    strcmp(rows[i].reach, "OUTSIDE") == 0 ? "yes" : "");
		append_cell(out, rows[i].doc);
		buf_append_str(out, " |\n");
	}
}

static void
append_shims(struct buf *out)
{
	buf_append_str(out,
	    "\n## What scripts from elsewhere look for\n\n"
	    "Using one of these throws an error that says what to use "
	    "instead. `typeof` of a plain name is still\n"
	    "`\"undefined\"`, so `if (typeof require === \"function\")` works "
	    "as everywhere; members of `java` throw\nwhenever they are "
	    "read.\n\n| name | |\n|---|---|\n");
	for (size_t i = 0; i < COUNT(shims); i++) {
		buf_printf(out, "| `%s%s%s` | ", shims[i].object,
		    shims[i].object[0] == '\0' ? "" : ".", shims[i].name);
		append_cell(out, shims[i].sentence);
		buf_append_str(out, " |\n");
	}
}

static void
append_guide(struct buf *out)
{
	buf_append_str(out,
	    "# What scripts can use\n\n"
	    "Made by script-api-doc of `engine/runner/script_api.def`; types "
	    "for an editor are in `postern.d.ts`. A top\nlevel that uses "
	    "something marked *cold* runs inside every execution instead of "
	    "once.\n");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_first_of_object(i))
			append_table(out, rows[i].object);
	buf_append_str(out, "\n## Types\n\n| name | is | |\n|---|---|---|\n");
	for (size_t i = 0; i < COUNT(types); i++) {
		buf_printf(out, "| `%s` | `", types[i].name);
		append_cell(out, types[i].definition);
		buf_append_str(out, "` | ");
		append_cell(out, types[i].doc);
		buf_append_str(out, " |\n");
	}
	append_shims(out);
}

/* ---- files ----------------------------------------------------------------
 */

static bool
is_in_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "r");
	char block[4096];
	struct buf old;
	size_t got;
	bool is_same;

	if (file == NULL)
		return false;
	buf_init(&old, FILE_MAX);
	while ((got = fread(block, 1, sizeof block, file)) > 0)
		buf_append(&old, block, got);
	fclose(file);
	is_same = span_equal(buf_span(&old), buf_span(text));
	buf_fini(&old);
	return is_same;
}

static bool
write_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");
	bool is_written;

	if (file == NULL)
		return false;
	is_written = fwrite(text->data, 1, text->len, file) == text->len;
	return fclose(file) == 0 && is_written;
}

/* The exit status: 0 as it should be, 1 out of date, 2 cannot say. */
static int
settle(const char *path, const struct buf *text, bool is_check)
{
	if (buf_status(text) != OK)
		return 2;
	if (is_in_file(path, text))
		return 0;
	if (is_check) {
		fprintf(stderr,
		    "%s: is not what the tables say; run script-api-doc on "
		    "its directory\n",
		    path);
		return 1;
	}
	if (write_file(path, text))
		return 0;
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 2;
}

static int
make(const char *directory, const char *name, void (*append)(struct buf *out),
    bool is_check)
{
	char path[PATH_BYTES];
	struct buf text;
	int status;

	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	buf_init(&text, FILE_MAX);
	append(&text);
	status = settle(path, &text, is_check);
	buf_fini(&text);
	return status;
}

int
main(int argc, char **argv)
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	const char *directory = argv[argc - 1];
	int status;

	if (argc != 2 && !is_check) {
		fprintf(stderr, "usage: script-api-doc [--check] DIR\n");
		return 2;
	}
	status = make(directory, "postern.d.ts", append_declarations, is_check);
	if (status == 0)
		status =
		    make(directory, "SCRIPT-API.md", append_guide, is_check);
	return status;
}
