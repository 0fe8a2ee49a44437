/*
 * Bringing a file of an older schema version to a newer one, step by step,
 * forwards only. Private to store/. Threads: the opener's.
 */
#ifndef POSTERN_STORE_MIGRATE_H
#define POSTERN_STORE_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/store/sqlite_connection.h"

/* From version `from` to the next. SQL without BEGIN and COMMIT. */
struct store_migration {
	int64_t from;
	const char *sql;
};

struct store_migrations {
	int64_t version; /* where they lead */
	const struct store_migration *steps;
	size_t count;
};

/*
 * The file's version becomes plan->version. Each step is a transaction with
 * the number it leads to, so one that was interrupted is done again. Before the
 * first one a copy of the store is made, PATH.before-VERSION, in place of an
 * older one; `path` NULL: none.
 * ERR_VERSION: the file is newer, or too old for any step.
 */
enum err store_migrate(struct sqlite_connection *connection, const char *path,
    const struct store_migrations *plan, struct err_detail *detail) MUST_USE;

#endif
