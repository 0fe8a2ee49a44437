/*
 * Bringing a backup back, while no gateway uses the store.
 *
 * Threads: one; no store is open.
 */
#ifndef POSTERN_STORE_RESTORE_H
#define POSTERN_STORE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct store_restore {
	const char *backup; /* a file that store_backup() gave */
	const char *path;   /* the store's; replaced */
	/* Refresh tokens, and what hangs on them, stay: see below. */
	bool keep_refresh;
	int64_t now;            /* wall-clock seconds */
	const char *event_type; /* audit event that is left in the store */
};

/*
 * What was used up between the backup and now cannot be known, so what can be
 * used once only does not come back: transactions and CACHE are dropped, and
 * every grant that can be refreshed is revoked with its tokens. Used client
 * assertions stay. The store that was there is kept as PATH.before-restore.
 *
 * Interrupted at any point, either store is there, or a gateway refuses to
 * start until the restore is done again.
 *
 * ERR_STATE: a gateway uses the store; ERR_NOT_FOUND: no such backup;
 * ERR_INVALID: it is none; ERR_CORRUPT: it is damaged; ERR_VERSION: it is of a
 * newer Postern.
 */
enum err store_restore(
    const struct store_restore *restore, struct err_detail *detail) MUST_USE;

#endif
