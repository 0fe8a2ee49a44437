/*
 * Text of others made fit for a terminal: what it shows cannot move the
 * cursor, change colours or the order of letters; and how wide it is.
 *
 * Threads: any, once ctl_text_setup() was called.
 */
#ifndef POSTERN_CTL_TEXT_H
#define POSTERN_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/span.h"

/* Makes widths those of UTF-8, whatever the environment's locale is. */
void ctl_text_setup(void);

/*
 * Appends the text with control characters (C0 but tab, DEL, C1) and marks
 * that change the direction of writing as \xNN or \u{NNNN}, and each byte
 * that is not UTF-8 as \xNN. A newline stays where `keep_lines`.
 */
void ctl_text_clean(struct buf *out, struct span text, bool keep_lines);

/* Columns that cleaned text takes on a terminal. */
size_t ctl_text_width(struct span text);

#endif
