/*
 * Bringing a file of an older schema version to a newer one.
 * Not here: what the steps are (store_schema.c).
 * Runs on the thread that opens the store, before the writer starts.
 */
#include "gateway/store/store_migrate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "gateway/store/store_backup.h"
#include "gateway/store/store_file.h"

/* ".before-" and a number. */
#define SUFFIX_BYTES 40

static const struct store_migration *
step_from(const struct store_migrations *plan, int64_t version)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].from == version)
			return &plan->steps[i];
	return NULL;
}

/* Before anything is changed: all the way, or not at all. */
static enum err
check_way(const struct store_migrations *plan, int64_t version,
    struct err_detail *detail)
{
	if (version > plan->version)
		return err_set(detail, ERR_VERSION,
		    "the store has schema version %lld, this gateway knows "
		    "%lld: it was used by a newer Postern, so start that one, "
		    "or restore a backup from before the upgrade",
		    (long long)version, (long long)plan->version);
	for (; version < plan->version; version++)
		if (step_from(plan, version) == NULL)
			return err_set(detail, ERR_VERSION,
			    "the store has schema version %lld, which this "
			    "gateway cannot bring to %lld: upgrade to a "
			    "version in between first",
			    (long long)version, (long long)plan->version);
	return OK;
}

/* Under another name until it is whole. */
static enum err
keep_copy(const char *path, int64_t version, struct err_detail *detail)
{
	char suffix[SUFFIX_BYTES];
	char kept[PATH_MAX];
	char making[PATH_MAX];
	enum err err;

	(void)snprintf(
	    suffix, sizeof suffix, ".before-%lld", (long long)version);
	err = store_file_name(path, suffix, kept, detail);
	if (err == OK)
		err = store_file_name(path, STORE_FILE_BACKUP, making, detail);
	if (err == OK)
		err = store_backup_copy(path, making, detail);
	if (err != OK)
		return err;
	if (rename(making, kept) != 0)
		return err_set_errno(detail, ERR_IO, "cannot make %s", kept);
	log_info("the store is migrated; a copy from before is kept",
	    LOG_STR("copy", kept), LOG_INT("version", version));
	return store_file_sync_folder(kept, detail);
}

static enum err
do_step(struct sqlite_connection *connection,
    const struct store_migration *step, struct err_detail *detail)
{
	struct err_detail ignored = {0};
	char number[64];
	enum err err =
	    sqlite_connection_exec(connection, "BEGIN IMMEDIATE", detail);

	if (err != OK)
		return err;
	(void)snprintf(number, sizeof number,
	    "PRAGMA user_version = %lld; COMMIT", (long long)step->from + 1);
	err = sqlite_connection_exec(connection, step->sql, detail);
	if (err == OK)
		err = sqlite_connection_exec(connection, number, detail);
	/* Where SQLite gave the transaction up by itself this fails: fine. */
	if (err != OK)
		(void)!sqlite_connection_exec(connection, "ROLLBACK", &ignored);
	if (err != OK)
		err = err_prefix(detail, err, "migration from version %lld",
		    (long long)step->from);
	return err;
}

enum err
store_migrate(struct sqlite_connection *connection, const char *path,
    const struct store_migrations *plan, struct err_detail *detail)
{
	int64_t version = 0;
	enum err err;

	err = sqlite_connection_number(
	    connection, "PRAGMA user_version", &version, detail);
	if (err == OK)
		err = check_way(plan, version, detail);
	if (err == OK && version < plan->version && path != NULL)
		err = keep_copy(path, plan->version, detail);
	for (; err == OK && version < plan->version; version++)
		err = do_step(connection, step_from(plan, version), detail);
	return err;
}
