/*
 * What a failed CHECK() does. Not for logging: it may run in a signal handler
 * or with a corrupt heap, so it uses write(2) and nothing else.
 */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/check.h"

/* One line; a longer condition is cut. */
#define CHECK_LINE_BYTES 512U

struct check_line {
	char text[CHECK_LINE_BYTES];
	size_t len;
};

static void
line_put(struct check_line *line, const char *text)
{
	/* One byte stays free for the newline. */
	while (*text != '\0' && line->len < sizeof line->text - 1)
		line->text[line->len++] = *text++;
}

static void
line_put_number(struct check_line *line, int number)
{
	char digits[sizeof "2147483647"];
	size_t at = sizeof digits - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0 && at > 0);
	line_put(line, digits + at);
}

_Noreturn void
check_failed(const char *condition, const char *file, int line_number)
{
	struct check_line line = {.len = 0};
	ssize_t written;

	line_put(&line, file);
	line_put(&line, ":");
	line_put_number(&line, line_number);
	line_put(&line, ": check failed: ");
	line_put(&line, condition);
	line.text[line.len++] = '\n';
	written = write(STDERR_FILENO, line.text, line.len);
	(void)written; /* nothing is left to do about it */
	abort();
}
