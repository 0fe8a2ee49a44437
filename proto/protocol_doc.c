/*
 * protocol-doc: writes the tables of PROTOCOL.md from messages.def. A tool of
 * the build, in no product.
 *
 *	protocol-doc FILE           replaces the lines between the two markers
 *	protocol-doc --check FILE   changes nothing; exit 1 if it would
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

#define MARKER_BEGIN "<!-- messages: begin (made by protocol-doc) -->\n"
#define MARKER_END   "<!-- messages: end -->\n"
#define FILE_MAX     1048576

/* `sender` as it stands in the table: "ENGINE|GATEWAY" to "engine, gateway". */
static void
append_sender(struct buf *out, const char *sender)
{
	for (; *sender != '\0'; sender++) {
		if (*sender == '|')
			buf_append_str(out, ", ");
		else if (*sender >= 'A' && *sender <= 'Z')
			buf_append_char(out, (char)(*sender - 'A' + 'a'));
	}
}

/* Documentation text inside a table's cell. */
static void
append_cell(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '<')
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
}

static void
append_message(struct buf *out, const char *name, unsigned number,
    const char *sender, const char *doc)
{
	buf_printf(out, "\n### %u `%s`\n\nFrom: ", number, name);
	append_sender(out, sender);
	buf_printf(out, ". %s\n", doc);
}

static void
append_field(struct buf *out, bool is_first, const char *kind, const char *need,
    const char *name, uint64_t max, const char *doc)
{
	if (is_first)
		buf_append_str(out,
		    "\n| field | kind | need | limit | meaning |\n"
		    "|---|---|---|---|---|\n");
	buf_printf(out, "| `%s` | %s | %s | ", name, kind, need);
	if (max == UINT64_MAX)
		buf_append_str(out, "64 bits");
	else if (strcmp(kind, "BOOL") != 0)
		buf_printf(out, "%" PRIu64, max);
	buf_append_str(out, " | ");
	append_cell(out, doc);
	buf_append_str(out, " |\n");
}

static void
append_tables(struct buf *out)
{
	bool is_first = true;

#define MESSAGE(UPPER, lower, number, sender, doc)         \
	append_message(out, #lower, number, #sender, doc); \
	is_first = true;
#define FIELD(kind, need, name, max, doc)                           \
	append_field(out, is_first, #kind, #need, #name, max, doc); \
	is_first = false;
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
	(void)is_first;
	buf_append_char(out, '\n');
}

static bool
read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	char block[4096];
	size_t got;
	bool is_read;

	if (file == NULL)
		return false;
	while ((got = fread(block, 1, sizeof block, file)) > 0)
		buf_append(out, block, got);
	is_read = ferror(file) == 0;
	fclose(file);
	return is_read && buf_status(out) == OK;
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

/* The file with its tables made anew. False: it lacks the markers. */
static bool
rewrite(struct buf *old, struct buf *new_r)
{
	const char *text = buf_cstr(old), *begin, *end;

	begin = text == NULL ? NULL : strstr(text, MARKER_BEGIN);
	end = begin == NULL ? NULL : strstr(begin, MARKER_END);
	if (end == NULL)
		return false;
	buf_append(new_r, text, (size_t)(begin - text) + strlen(MARKER_BEGIN));
	append_tables(new_r);
	buf_append_str(new_r, end);
	return buf_status(new_r) == OK;
}

/* The exit status: 0 as it should be, 1 out of date, 2 cannot say. */
static int
run(const char *path, bool is_check, struct buf *old, struct buf *new)
{
	if (!read_file(path, old)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	if (!rewrite(old, new)) {
		fprintf(stderr, "%s: has no messages markers\n", path);
		return 2;
	}
	if (span_equal(buf_span(old), buf_span(new)))
		return 0;
	if (is_check) {
		fprintf(stderr,
		    "%s: is not what messages.def says; run protocol-doc on "
		    "it\n",
		    path);
		return 1;
	}
	if (!write_file(path, new)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 2;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	struct buf old, new;
	int status;

	if (argc != 2 && !is_check) {
		fprintf(stderr, "usage: protocol-doc [--check] FILE\n");
		return 2;
	}
	buf_init(&old, FILE_MAX);
	buf_init(&new, FILE_MAX);
	status = run(argv[argc - 1], is_check, &old, &new);
	buf_fini(&old);
	buf_fini(&new);
	return status;
}
