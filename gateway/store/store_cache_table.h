/* What housekeeping needs of the cache's table. Private to store/; runs on
 * the writer thread. */
#ifndef POSTERN_STORE_CACHE_TABLE_H
#define POSTERN_STORE_CACHE_TABLE_H

#include "gateway/store/sqlite_connection.h"

/* Deletes at most `limit` expired entries of a namespace and counts them. */
enum err store_cache_drop_expired(struct sqlite_connection *connection,
    const char *ns, int64_t now, unsigned limit, unsigned *dropped_r) MUST_USE;

#endif
