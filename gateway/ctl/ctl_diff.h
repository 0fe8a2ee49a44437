/*
 * The difference of two texts as a unified diff, three lines of context, as
 * `git diff` writes it.
 *
 * Threads: any.
 */
#ifndef POSTERN_CTL_DIFF_H
#define POSTERN_CTL_DIFF_H

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/*
 * Appends the diff of a file, nothing where both are equal. An absent span is
 * a file that is not there, an empty one a file without lines. ERR_NOMEM,
 * ERR_LIMIT of `out`.
 */
enum err ctl_diff(struct buf *out, const char *path, struct span before,
    struct span after) MUST_USE;

#endif
