/*
 * `postern-gateway restore FILE`; see gateway_restore.h. Not what a restore
 * does: gateway/store/store_restore.h.
 */
#include "gateway/gateway_restore.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/oauth/event.h"
#include "gateway/store/store_restore.h"

static void
drop_argument(int *argc, char **argv, int at)
{
	for (int i = at; i < *argc; i++)
		argv[i] = argv[i + 1]; /* argv[argc] is NULL */
	--*argc;
}

enum err
gateway_restore_take(int *argc, char **argv, struct gateway_restore *restore_r,
    struct err_detail *detail)
{
	*restore_r = (struct gateway_restore){.file = NULL};
	if (*argc < 2 || strcmp(argv[1], "restore") != 0)
		return OK;
	drop_argument(argc, argv, 1);
	for (int i = 1; i < *argc;) {
		if (strcmp(argv[i], "--keep-refresh") == 0)
			restore_r->keep_refresh = true;
		else if (restore_r->file == NULL && argv[i][0] != '-')
			restore_r->file = argv[i];
		else {
			i++;
			continue;
		}
		drop_argument(argc, argv, i);
	}
	if (restore_r->file == NULL)
		return err_set(detail, ERR_INVALID,
		    "restore: which file? restore FILE [--keep-refresh] "
		    "[--SETTING=VALUE ...]");
	return OK;
}

enum err
gateway_restore_run(const struct gateway_conf *conf,
    const struct gateway_restore *restore, struct err_detail *detail)
{
	char path[PATH_MAX];
	const struct store_restore job = {.backup = restore->file,
	    .path = path,
	    .keep_refresh = restore->keep_refresh,
	    .now = clock_wall_secs(),
	    .event_type = event_name(EVENT_STORE_RESTORED)};
	int len = snprintf(path, sizeof path, "%s/postern.db", conf->data_dir);
	enum err err;

	if (len < 0 || (size_t)len >= sizeof path)
		return err_set(
		    detail, ERR_LIMIT, "data_dir: the path is too long");
	err = store_restore(&job, detail);
	if (err != OK)
		return err;
	printf("%s is restored from %s; transactions and CACHE were dropped, "
	       "refresh tokens %s. What was there before, if anything, is "
	       "%s.before-restore.\n",
	    path, restore->file, restore->keep_refresh ? "kept" : "revoked",
	    path);
	return OK;
}
