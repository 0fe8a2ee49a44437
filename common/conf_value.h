/*
 * One setting's text against its row. Private to conf*.c.
 * Threads: any.
 */
#ifndef POSTERN_CONF_VALUE_H
#define POSTERN_CONF_VALUE_H

#include <stdint.h>

#include "common/conf.h"
#include "common/err.h"

/*
 * ERR_INVALID with a sentence where the row does not permit `text`. Stores
 * the number of an INT or SIZE, 0 or 1 for a BOOL, 0 for the others.
 */
enum err conf_value_parse(const struct conf_row *row, const char *text,
    int64_t *number_r, struct err_detail *detail) MUST_USE;

/* A checked text as it is kept: paths below %d are expanded (conf.h). Owned by
 * the caller; NULL: out of memory. */
char *conf_value_copy(const struct conf_row *row, const char *text);

/* True for a row whose empty default only says that it must be set. */
bool conf_value_is_required(const struct conf_row *row);

#endif
