/*
 * The tables, and the version of them that a file has.
 * Threads: the opener's.
 */
#ifndef POSTERN_STORE_SCHEMA_H
#define POSTERN_STORE_SCHEMA_H

#include "gateway/store/sqlite_connection.h"

/* Makes the tables in an empty file; brings an older version's to this one,
 * with a copy beside `path` (NULL: none) from before. ERR_INVALID: the file is
 * something else; ERR_VERSION: of a newer Postern; ERR_CORRUPT: no database. */
enum err store_schema_ready(struct sqlite_connection *connection,
    const char *path, struct err_detail *detail) MUST_USE;

#endif
