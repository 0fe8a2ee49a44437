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

/* Each cleaned; NULL where there is none or memory ran out. */
static const char *
problem_clean(struct buf *out, const char *text)
{
	buf_init(out, (size_t)4 * LINE_BYTES);
	if (text == NULL)
		return NULL;
	problem_append_clean(out, span_str(text));
	return buf_cstr(out);
}

static void
problem_tell(const struct realm_problems *problems, bool warning,
    struct realm_place place, const char *message)
{
	struct buf file, key, sentence;
	const struct realm_problem problem = {
	    .warning = warning,
	    .place = {problem_clean(&file, place.file), place.line,
		problem_clean(&key, place.key)},
	    .message = problem_clean(&sentence, message),
	};

	problems->each(problems->user, &problem);
	buf_fini(&file);
	buf_fini(&key);
	buf_fini(&sentence);
}

static void
problem_write_line(const struct realm_problems *problems, bool warning,
    struct realm_place place, const char *message)
{
	char line[LINE_BYTES];
	size_t at = problem_advance(
	    snprintf(line, sizeof line, "%s", warning ? "warning: " : ""), 0);

	at = problem_format_place(line, place, at);
	at = problem_advance(
	    snprintf(line + at, sizeof line - at, "%s", message), at);
	problem_append_clean(problems->out, span_of(line, at));
	buf_append_char(problems->out, '\n');
}

static void problem_write(struct realm_problems *problems, bool warning,
    struct realm_place place, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void
problem_write(struct realm_problems *problems, bool warning,
    struct realm_place place, const char *format, va_list args)
{
	char message[LINE_BYTES];

	if (problems->lines >= REALM_PROBLEMS_MAX)
		return;
	problems->lines++;
	(void)vsnprintf(message, sizeof message, format, args);
	if (problems->out != NULL)
		problem_write_line(problems, warning, place, message);
	if (problems->each != NULL)
		problem_tell(problems, warning, place, message);
}

void
realm_problem_add(struct realm_problems *problems, struct realm_place place,
    const char *format, ...)
{
	va_list args;

	problems->mistakes++;
	va_start(args, format);
	problem_write(problems, false, place, format, args);
	va_end(args);
}

void
realm_problem_warn(struct realm_problems *problems, struct realm_place place,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_write(problems, true, place, format, args);
	va_end(args);
}

void
realm_problem_close(struct realm_problems *problems)
{
	static const struct realm_problem last = {
	    true, {NULL, 0, NULL}, "only the first lines are listed"};

	if (problems->lines < REALM_PROBLEMS_MAX)
		return;
	if (problems->out != NULL)
		buf_printf(problems->out, "warning: %s\n", last.message);
	if (problems->each != NULL)
		problems->each(problems->user, &last);
}
