/*
 * Copies of a store's file, taken while it is in use.
 * Not here: bringing one back (store_restore.c).
 * Runs on the thread of who asks, over a connection of its own: the writer is
 * not held up, only its WAL grows while the copy's snapshot is read.
 *
 * VACUUM INTO rather than the backup API: that would copy free pages too, in
 * which rows are that were deleted for good, and would begin anew if it went
 * in steps beside a writer.
 */
#include "gateway/store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "gateway/store/sqlite_connection.h"
#include "gateway/store/store_file.h"

static enum err
vacuum_into(struct sqlite_connection *connection, const char *to,
    struct err_detail *detail)
{
	sqlite3_stmt *statement = NULL;
	int code;

	code = sqlite3_prepare_v2(
	    connection->db, "VACUUM INTO ?1", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return OK;
	return err_set(detail, sqlite_err(code), "the copy %s: %s", to,
	    sqlite3_errmsg(connection->db));
}

/* The file that the copy goes into is attached, and written. */
static enum err
allow_copying(struct sqlite_connection *connection, struct err_detail *detail)
{
	sqlite3_limit(connection->db, SQLITE_LIMIT_ATTACHED, 1);
	return sqlite_connection_exec(connection,
	    "PRAGMA query_only = OFF; PRAGMA synchronous = FULL", detail);
}

enum err
store_backup_copy(const char *path, const char *to, struct err_detail *detail)
{
	struct sqlite_connection connection = {0};
	int fd;
	/* SQLite takes an empty file: so it has our mode. */
	enum err err = store_file_create(to, &fd, detail);

	if (err != OK)
		return err;
	close(fd);
	err = sqlite_connection_open(
	    &connection, path, CONNECTION_READ_ONLY, detail);
	if (err == OK)
		err = allow_copying(&connection, detail);
	if (err == OK)
		err = vacuum_into(&connection, to, detail);
	sqlite_connection_close(&connection);
	if (err == OK)
		err = store_file_sync_folder(to, detail);
	if (err != OK)
		(void)unlink(to);
	return err;
}

enum err
store_backup_take(const char *path, int *fd_r, struct err_detail *detail)
{
	char to[PATH_MAX];
	enum err err = store_file_name(path, STORE_FILE_BACKUP, to, detail);
	int fd;

	if (err == OK)
		err = store_backup_copy(path, to, detail);
	if (err == ERR_EXISTS)
		return err_set(
		    detail, ERR_STATE, "A backup is being taken already.");
	if (err != OK)
		return err;
	fd = open(to, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		*fd_r = fd;
	else
		err = err_set_errno(detail, ERR_IO, "cannot open %s", to);
	/* Its descriptor is enough, and ends with the process. */
	(void)unlink(to);
	return err;
}

enum err
store_backup_clear(const char *path, struct err_detail *detail)
{
	static const char *const suffixes[] = {
	    STORE_FILE_BACKUP, STORE_FILE_BACKUP "-journal"};

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		char name[PATH_MAX];
		enum err err = store_file_name(path, suffixes[i], name, detail);

		if (err != OK)
			return err;
		if (unlink(name) != 0 && errno != ENOENT)
			return err_set_errno(
			    detail, ERR_IO, "cannot remove %s", name);
	}
	return OK;
}
