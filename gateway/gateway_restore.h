/*
 * `postern-gateway restore FILE`: a backup back into data_dir, offline.
 *
 * Threads: none but main's.
 */
#ifndef POSTERN_GATEWAY_RESTORE_H
#define POSTERN_GATEWAY_RESTORE_H

#include <stdbool.h>

#include "common/err.h"
#include "gateway/gateway_conf.h"

struct gateway_restore {
	const char *file;  /* NULL: it was not asked for */
	bool keep_refresh; /* see store_restore.h */
};

/* Takes `restore FILE [--keep-refresh]` out of the arguments, so that the
 * settings' flags are left. ERR_INVALID: no FILE. */
enum err gateway_restore_take(int *argc, char **argv,
    struct gateway_restore *restore_r, struct err_detail *detail) MUST_USE;

/* Says on stdout what was done. */
enum err gateway_restore_run(const struct gateway_conf *conf,
    const struct gateway_restore *restore, struct err_detail *detail) MUST_USE;

#endif
