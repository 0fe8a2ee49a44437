/*
 * What the end of a child that left no outcome means to its script.
 * Threads: any.
 */
#ifndef POSTERN_OBITUARY_H
#define POSTERN_OBITUARY_H

#include <stddef.h>

#include "common/script_code.h"

/* `status` is wait4's; NULL: it was killed and not reaped in time. */
enum script_code
obituary_code(const int *status, char *sentence_r, size_t sentence_bytes);

#endif
