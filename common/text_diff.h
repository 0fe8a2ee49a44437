/*
 * The difference of two texts as a unified diff, three lines of context, as
 * `git diff` writes it.
 *
 * Bounded: texts that differ in more than a thousand lines are shown as one
 * stretch removed and one added, between what they begin and end with alike.
 *
 * Threads: any.
 */
#ifndef POSTERN_TEXT_DIFF_H
#define POSTERN_TEXT_DIFF_H

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/*
 * Appends the diff of a file, nothing where both are equal. An absent span is
 * a file that is not there, an empty one a file without lines. ERR_NOMEM,
 * ERR_LIMIT of `out`.
 */
enum err text_diff(struct buf *out, const char *path, struct span before,
    struct span after) MUST_USE;

#endif
