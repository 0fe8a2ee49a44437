/*
 * Splits a configuration file into its settings. Private to conf*.c.
 * Threads: any.
 */
#ifndef POSTERN_CONF_FILE_H
#define POSTERN_CONF_FILE_H

#include "common/err.h"

/* One `key = value`; all borrowed for the call. */
struct conf_line {
	const char *section;
	const char *key;
	const char *value;
};

/*
 * What conf_file_read() calls: for `[section]` with key NULL, for a setting
 * with all. `where` is "FILE:LINE". An error ends the reading.
 */
typedef enum err conf_line_fn(void *context, const char *where,
    const struct conf_line *line, struct err_detail *detail);

/*
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT (over CONF_FILE_BYTES_MAX), ERR_INVALID
 * for a line of no known shape, or what `each` returned; detail says where.
 */
enum err conf_file_read(const char *path, conf_line_fn *each, void *context,
    struct err_detail *detail) MUST_USE;

#endif
