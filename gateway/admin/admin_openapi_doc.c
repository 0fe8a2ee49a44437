/*
 * admin-openapi-doc: writes the OpenAPI document of the admin listener, one
 * member a line. A tool of the build, in no product.
 *
 *	admin-openapi-doc DIR           writes DIR/openapi.json
 *	admin-openapi-doc --check DIR   changes nothing; exit 1 if it would
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/admin/admin_openapi.h"

#define FILE_MAX   1048576
#define PATH_BYTES 4096
#define FILE_NAME  "openapi.json"

static void
append_indent(struct buf *out, unsigned depth)
{
	buf_append_char(out, '\n');
	while (depth-- > 0)
		buf_append_char(out, ' ');
}

/* The end of the string that begins at `at`; its closing quote. */
static size_t
string_end(struct span json, size_t at)
{
	for (at++; at < json.len && json.data[at] != '"'; at++)
		at += json.data[at] == '\\';
	return at;
}

/* JSON text of ours, for people and for diffs. */
static void
append_indented(struct buf *out, struct span json)
{
	unsigned depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		char c = (char)json.data[i];

		if (c == '"') {
			size_t end = string_end(json, i);

			buf_append(out, json.data + i, end - i + 1);
			i = end;
			continue;
		}
		if (c == '}' || c == ']')
			append_indent(out, --depth);
		buf_append_char(out, c);
		if (c == '{' || c == '[')
			append_indent(out, ++depth);
		else if (c == ',')
			append_indent(out, depth);
		else if (c == ':')
			buf_append_char(out, ' ');
	}
	buf_append_char(out, '\n');
}

static bool
is_same(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "r");
	static char bytes[FILE_MAX];
	size_t len;

	if (file == NULL)
		return false;
	len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	return span_equal(span_of(bytes, len), buf_span(text));
}

static bool
write_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");
	bool written;

	if (file == NULL)
		return false;
	written = fwrite(text->data, 1, text->len, file) == text->len;
	return fclose(file) == 0 && written;
}

static int
run(const char *dir, bool is_check)
{
	struct buf compact, text;
	char path[PATH_BYTES];
	bool good;

	(void)snprintf(path, sizeof path, "%s/" FILE_NAME, dir);
	buf_init(&compact, FILE_MAX);
	buf_init(&text, FILE_MAX);
	admin_openapi_append(&compact);
	append_indented(&text, buf_span(&compact));
	good = buf_status(&compact) == OK && buf_status(&text) == OK &&
	       (is_check ? is_same(path, &text) : write_file(path, &text));
	if (!good)
		(void)fprintf(stderr,
		    is_check ? "%s is out of date: run admin-openapi-doc docs\n"
			     : "%s cannot be written\n",
		    path);
	buf_fini(&compact);
	buf_fini(&text);
	return good ? 0 : 1;
}

int
main(int argc, char **argv)
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;

	if (argc != 2 && !is_check) {
		(void)fprintf(stderr, "usage: %s [--check] DIR\n", argv[0]);
		return 2;
	}
	return run(argv[argc - 1], is_check);
}
