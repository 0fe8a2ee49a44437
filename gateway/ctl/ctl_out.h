/*
 * What `postern` prints. Whatever it prints for people goes through here, and
 * with it the rules: text of others is cleaned (ctl_text.h), colours only
 * where they are wanted, errors and notes on stderr.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_OUT_H
#define POSTERN_CTL_OUT_H

#include <stdbool.h>

#include "common/span.h"
#include "gateway/ctl/ctl_command.h"

enum ctl_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_RED,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_CYAN
};

/* `color` is the value of --color, NULL without one. */
void ctl_out_setup(const char *color);

/* On stdout. A newline in the format or its values is one. */
void ctl_out(enum ctl_style style, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ctl_out_span(enum ctl_style style, struct span text);

/* A unified diff on stdout, coloured as git does. */
void ctl_out_diff(struct span diff);

/* Bytes that we made (JSON, a completion script), as they are. */
void ctl_out_raw(struct span bytes);

/* "postern: SENTENCE" on stderr: something worth knowing that is no error. */
void
ctl_out_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an error; returns `exit`. */
enum ctl_exit ctl_out_error(enum ctl_exit exit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A further line of an error, indented. */
void ctl_out_error_line(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A line on stderr that the next one, or anything else that is printed,
 * replaces; nothing where stderr is no terminal. */
void
ctl_out_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away. */
void ctl_out_progress_end(void);

/* Writes out what is buffered. CTL_FAILED, said on stderr, if stdout did not
 * take all of it; else `exit`. */
enum ctl_exit ctl_out_flush(enum ctl_exit exit);

#endif
