/*
 * Formats mistakes and warnings, one bounded line each. Not the log: whoever
 * asked for the load decides what becomes of the lines. Runs on the loader's
 * thread.
 */
#include <stdarg.h>
#include <stdio.h>

#include "common/encoding.h"
#include "gateway/realm/realm_problem.h"

/* A path, a key and a sentence; longer ones are cut. */
#define LINE_BYTES 512

/* File names and keys are somebody else's bytes: none may forge a line. */
static void
problem_append_clean(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t code_point = 0;
		size_t len = utf8_next(text, &code_point);

		if (len == 0 || code_point < 0x20 || code_point == 0x7f) {
			buf_append_char(out, '?');
			len = 1;
		} else {
			buf_append(out, text.data, len);
		}
		text = span_of(text.data + len, text.len - len);
	}
	buf_append_char(out, '\n');
}

static size_t
problem_advance(int wrote, size_t at)
{
	size_t len = wrote < 0 ? 0 : (size_t)wrote;

	return len > LINE_BYTES - 1 - at ? LINE_BYTES - 1 : at + len;
}

static size_t
problem_format_place(char *line, struct realm_place place, size_t at)
{
	int wrote;

	if (place.line > 0)
		wrote = snprintf(line + at, LINE_BYTES - at,
		    "%s:%d: ", place.file, place.line);
	else
		wrote =
		    snprintf(line + at, LINE_BYTES - at, "%s: ", place.file);
	at = problem_advance(wrote, at);
	if (place.key == NULL || place.key[0] == '\0')
		return at;
	wrote = snprintf(line + at, LINE_BYTES - at, "%s: ", place.key);
	return problem_advance(wrote, at);
}

static void problem_write(struct realm_problems *problems, const char *before,
    struct realm_place place, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void
problem_write(struct realm_problems *problems, const char *before,
    struct realm_place place, const char *format, va_list args)
{
	char line[LINE_BYTES];
	size_t at;

	if (problems->lines >= REALM_PROBLEMS_MAX)
		return;
	problems->lines++;
	at = problem_advance(snprintf(line, sizeof line, "%s", before), 0);
	at = problem_format_place(line, place, at);
	at = problem_advance(
	    vsnprintf(line + at, sizeof line - at, format, args), at);
	problem_append_clean(problems->out, span_of(line, at));
}

void
realm_problem_add(struct realm_problems *problems, struct realm_place place,
    const char *format, ...)
{
	va_list args;

	problems->mistakes++;
	va_start(args, format);
	problem_write(problems, "", place, format, args);
	va_end(args);
}

void
realm_problem_warn(struct realm_problems *problems, struct realm_place place,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_write(problems, "warning: ", place, format, args);
	va_end(args);
}

void
realm_problem_close(struct realm_problems *problems)
{
	if (problems->lines >= REALM_PROBLEMS_MAX)
		buf_append_str(problems->out,
		    "warning: only the first lines are listed\n");
}
