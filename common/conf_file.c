/*
 * Reads a configuration file and splits its lines. Knows no setting: conf.c
 * does. Runs at start, before there are threads.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/conf_file.h"

/* Far over any real file; a wrong path (a device, a log) must not fill us. */
#define CONF_FILE_BYTES_MAX ((size_t)256 * 1024)

#define CONF_READ_BYTES 4096U

/* "FILE:LINE" for messages; a longer path is cut there, and only there. */
#define CONF_WHERE_BYTES 320

struct reading {
	const char *path;
	conf_line_fn *each;
	void *context;
	const char *section; /* NULL before the first one */
	unsigned line_number;
};

static enum err
read_stream(
    FILE *file, const char *path, struct buf *text, struct err_detail *detail)
{
	size_t got;

	do {
		uint8_t *room = buf_reserve(text, CONF_READ_BYTES);

		if (room == NULL)
			return err_set(detail, buf_status(text),
			    "%s: over %zu bytes", path, CONF_FILE_BYTES_MAX);
		got = fread(room, 1, CONF_READ_BYTES, file);
		buf_commit(text, got);
	} while (got == CONF_READ_BYTES);
	if (ferror(file))
		return err_set_errno(detail, ERR_IO, "%s", path);
	return OK;
}

static enum err
read_whole(const char *path, struct buf *text, struct err_detail *detail)
{
	FILE *file = fopen(path, "re");
	enum err err;

	if (file == NULL)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	err = read_stream(file, path, text, detail);
	(void)fclose(file);
	return err;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts blanks off both ends, in place. */
static char *
trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static void
drop_comment(char *line)
{
	for (size_t i = 0; line[i] != '\0'; i++) {
		if (line[i] == '#' && (i == 0 || is_blank(line[i - 1]))) {
			line[i] = '\0';
			return;
		}
	}
}

static bool
is_name(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] ==
		   '\0';
}

static enum err
read_section(struct reading *reading, char *line, const char *where,
    struct err_detail *detail)
{
	size_t len = strlen(line);
	struct conf_line section = {NULL, NULL, NULL};

	if (line[len - 1] != ']')
		return err_set(detail, ERR_INVALID,
		    "%s: a section's line ends in ]", where);
	line[len - 1] = '\0';
	section.section = trim(line + 1);
	if (!is_name(section.section))
		return err_set(detail, ERR_INVALID,
		    "%s: a section's name has only a-z, 0-9 and _", where);
	reading->section = section.section;
	return reading->each(reading->context, where, &section, detail);
}

static enum err
read_setting(struct reading *reading, char *line, const char *where,
    struct err_detail *detail)
{
	char *equals = strchr(line, '=');
	struct conf_line setting = {reading->section, NULL, NULL};

	if (equals == NULL)
		return err_set(detail, ERR_INVALID,
		    "%s: neither [section] nor key = value", where);
	*equals = '\0';
	setting.key = trim(line);
	setting.value = trim(equals + 1);
	if (!is_name(setting.key))
		return err_set(detail, ERR_INVALID,
		    "%s: a key has only a-z, 0-9 and _", where);
	if (setting.section == NULL)
		return err_set(detail, ERR_INVALID,
		    "%s: %s: stands before the first [section]", where,
		    setting.key);
	return reading->each(reading->context, where, &setting, detail);
}

static enum err
read_line(struct reading *reading, char *line, struct err_detail *detail)
{
	char where[CONF_WHERE_BYTES];

	(void)snprintf(where, sizeof where, "%.300s:%u", reading->path,
	    reading->line_number);
	drop_comment(line);
	line = trim(line);
	if (line[0] == '\0')
		return OK;
	if (line[0] == '[')
		return read_section(reading, line, where, detail);
	return read_setting(reading, line, where, detail);
}

/* `text` ends in NUL and has no other. Lines are cut out of it in place. */
static enum err
read_lines(struct reading *reading, char *text, struct err_detail *detail)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		char *next = text + len + (text[len] == '\n' ? 1 : 0);
		enum err err;

		text[len] = '\0';
		if (len > 0 && text[len - 1] == '\r')
			text[len - 1] = '\0';
		reading->line_number++;
		err = read_line(reading, text, detail);
		if (err != OK)
			return err;
		text = next;
	}
	return OK;
}

enum err
conf_file_read(const char *path, conf_line_fn *each, void *context,
    struct err_detail *detail)
{
	struct reading reading = {
	    .path = path, .each = each, .context = context};
	struct buf text;
	enum err err;

	buf_init(&text, CONF_FILE_BYTES_MAX);
	err = read_whole(path, &text, detail);
	if (err == OK && buf_cstr(&text) == NULL)
		err = err_set(detail, ERR_NOMEM, "%s: out of memory", path);
	if (err == OK && memchr(text.data, '\0', text.len) != NULL)
		err = err_set(
		    detail, ERR_INVALID, "%s: contains a NUL byte", path);
	if (err == OK)
		err = read_lines(&reading, (char *)text.data, detail);
	buf_fini(&text);
	return err;
}
