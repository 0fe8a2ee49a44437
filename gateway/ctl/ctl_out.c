/*
 * Printing; see ctl_out.h. Makes no decision on what is said. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "gateway/ctl/ctl_text.h"

/* Of one call: a whole diff or document of the largest answer, escaped. */
#define OUT_BYTES_MAX ((size_t)512 * 1024 * 1024)

static const char *const escapes[] = {
    [STYLE_PLAIN] = "",
    [STYLE_BOLD] = "\033[1m",
    [STYLE_DIM] = "\033[2m",
    [STYLE_RED] = "\033[31m",
    [STYLE_GREEN] = "\033[32m",
    [STYLE_YELLOW] = "\033[33m",
    [STYLE_CYAN] = "\033[36m",
};

static bool stdout_has_colors;
static bool stderr_has_colors;
static bool stderr_is_terminal;
static bool has_progress; /* a progress line stands on stderr */

static bool
wants_colors(int fd, const char *color)
{
	const char *none = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (color != NULL && strcmp(color, "always") == 0)
		return true;
	if (color != NULL && strcmp(color, "never") == 0)
		return false;
	/* no-color.org: set and not empty */
	if (none != NULL && none[0] != '\0')
		return false;
	return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

void
ctl_out_setup(const char *color)
{
	stdout_has_colors = wants_colors(STDOUT_FILENO, color);
	stderr_has_colors = wants_colors(STDERR_FILENO, color);
	stderr_is_terminal = isatty(STDERR_FILENO) == 1;
}

static void
put(FILE *out, enum ctl_style style, struct span text)
{
	bool has_colors = out == stdout ? stdout_has_colors : stderr_has_colors;
	struct buf clean;

	ctl_out_progress_end();
	buf_init(&clean, OUT_BYTES_MAX);
	ctl_text_clean(&clean, text, true);
	if (has_colors && style != STYLE_PLAIN)
		(void)fputs(escapes[style], out);
	if (clean.len > 0)
		(void)fwrite(clean.data, 1, clean.len, out);
	if (has_colors && style != STYLE_PLAIN)
		(void)fputs("\033[0m", out);
	buf_fini(&clean);
}

__attribute__((format(printf, 3, 0))) static void
put_format(FILE *out, enum ctl_style style, const char *format, va_list values)
{
	char *text = NULL;
	int len = vasprintf(&text, format, values);

	if (len >= 0)
		put(out, style, span_of(text, (size_t)len));
	free(text);
}

void
ctl_out(enum ctl_style style, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_format(stdout, style, format, values);
	va_end(values);
}

void
ctl_out_span(enum ctl_style style, struct span text)
{
	put(stdout, style, text);
}

void
ctl_out_raw(struct span bytes)
{
	ctl_out_progress_end();
	if (bytes.len > 0)
		(void)fwrite(bytes.data, 1, bytes.len, stdout);
}

/* ---- diffs --------------------------------------------------------------- */

static enum ctl_style
diff_style(const uint8_t *line, bool in_hunk)
{
	if (line[0] == '@')
		return STYLE_CYAN;
	if (!in_hunk)
		return STYLE_BOLD;
	if (line[0] == '+')
		return STYLE_GREEN;
	return line[0] == '-' ? STYLE_RED : STYLE_PLAIN;
}

void
ctl_out_diff(struct span diff)
{
	bool in_hunk = false;

	while (diff.len > 0) {
		const uint8_t *end = memchr(diff.data, '\n', diff.len);
		size_t len = end == NULL ? diff.len : (size_t)(end - diff.data);

		/* A line of a hunk never begins with these; headers do. */
		if (diff.data[0] == 'd' || diff.data[0] == '@')
			in_hunk = diff.data[0] == '@';
		put(stdout, diff_style(diff.data, in_hunk),
		    span_of(diff.data, len));
		(void)fputc('\n', stdout);
		len += end != NULL;
		diff = span_of(diff.data + len, diff.len - len);
	}
}

/* ---- stderr -------------------------------------------------------------- */

void
ctl_out_note(const char *format, ...)
{
	va_list values;

	(void)fflush(stdout);
	put(stderr, STYLE_YELLOW, span_str("postern: "));
	va_start(values, format);
	put_format(stderr, STYLE_PLAIN, format, values);
	va_end(values);
	(void)fputc('\n', stderr);
}

enum ctl_exit
ctl_out_error(enum ctl_exit exit, const char *format, ...)
{
	va_list values;

	(void)fflush(stdout);
	put(stderr, STYLE_RED, span_str("postern: "));
	va_start(values, format);
	put_format(stderr, STYLE_PLAIN, format, values);
	va_end(values);
	(void)fputc('\n', stderr);
	return exit;
}

void
ctl_out_error_line(const char *format, ...)
{
	va_list values;

	(void)fputs("  ", stderr);
	va_start(values, format);
	put_format(stderr, STYLE_PLAIN, format, values);
	va_end(values);
	(void)fputc('\n', stderr);
}

void
ctl_out_progress(const char *format, ...)
{
	va_list values;

	if (!stderr_is_terminal)
		return;
	va_start(values, format);
	put_format(stderr, STYLE_DIM, format, values);
	va_end(values);
	(void)fflush(stderr);
	has_progress = true;
}

void
ctl_out_progress_end(void)
{
	if (!has_progress)
		return;
	has_progress = false;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}

enum ctl_exit
ctl_out_flush(enum ctl_exit exit)
{
	ctl_out_progress_end();
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit;
	return ctl_out_error(CTL_FAILED,
	    "what was to be printed could not be written: %s", strerror(errno));
}
