/*
 * Bringing a backup back; see store_restore.h.
 * Not here: taking one (store_backup.c).
 * Runs in a process that does nothing else.
 */
#include "gateway/store/store_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/query.h"
#include "gateway/store/store_file.h"
#include "gateway/store/store_schema.h"

/* Where the store goes that was there. */
#define SUFFIX_BEFORE ".before-restore"

#define COPY_BYTES 65536

/* Tokens of a grant go with it: a later one may have its number. */
static const char forget_used_up[] = "DELETE FROM transactions;"
				     "DELETE FROM cache;"
				     "DELETE FROM cache_counts;"
				     "DELETE FROM tokens WHERE grant_number"
				     " NOT IN (SELECT number FROM grants);";
static const char revoke_refreshable[] =
    "DELETE FROM tokens WHERE grant_number IN"
    " (SELECT number FROM grants WHERE refresh_until > 0);"
    "DELETE FROM grants WHERE refresh_until > 0;";

/* ---- the copy ----------------------------------------------------------- */

static enum err
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, bytes, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return ERR_IO;
		bytes += written;
		len -= (size_t)written;
	}
	return OK;
}

static enum err
copy_bytes(int from, int to)
{
	static char bytes[COPY_BYTES];

	for (;;) {
		ssize_t len = read(from, bytes, sizeof bytes);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return ERR_IO;
		if (len == 0)
			return fsync(to) == 0 ? OK : ERR_IO;
		if (write_all(to, bytes, (size_t)len) != OK)
			return ERR_IO;
	}
}

/* A restore that root runs must leave files that the gateway may write. */
static enum err
give_to_owner(int fd, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	struct stat status;

	if (geteuid() != 0)
		return OK;
	if (len >= sizeof folder)
		return ERR_LIMIT;
	memcpy(folder, path, len);
	folder[len] = '\0';
	if (stat(len == 0 ? "." : folder, &status) != 0 ||
	    fchown(fd, status.st_uid, status.st_gid) != 0)
		return ERR_IO;
	return OK;
}

/* Removes the file and what SQLite keeps beside one. */
static enum err
remove_files(const char *path, struct err_detail *detail)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

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

static enum err
open_backup(const char *path, int *fd_r, struct err_detail *detail)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s",
		    path);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return err_set(
		    detail, ERR_INVALID, "%s is not a regular file", path);
	}
	*fd_r = fd;
	return OK;
}

static enum err
copy_backup(const struct store_restore *restore, const char *to,
    struct err_detail *detail)
{
	int from = -1;
	int fd = -1;
	enum err err = open_backup(restore->backup, &from, detail);

	if (err != OK)
		return err;
	err = remove_files(to, detail);
	if (err == OK)
		err = store_file_create(to, &fd, detail);
	if (err == OK &&
	    (give_to_owner(fd, to) != OK || copy_bytes(from, fd) != OK))
		err = err_set_errno(
		    detail, ERR_IO, "cannot copy the backup to %s", to);
	if (fd >= 0)
		close(fd);
	close(from);
	return err;
}

/* ---- what is in it ------------------------------------------------------ */

static enum err
check_integrity(struct sqlite_connection *connection, struct err_detail *detail)
{
	sqlite3_stmt *statement = NULL;
	enum err err = ERR_CORRUPT;

	(void)err_set(detail, ERR_CORRUPT, "the backup is damaged: %s",
	    sqlite3_errmsg(connection->db));
	if (sqlite3_prepare_v2(connection->db, "PRAGMA integrity_check(1)", -1,
		&statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW) {
		const char *text =
		    (const char *)sqlite3_column_text(statement, 0);

		if (text != NULL && strcmp(text, "ok") == 0)
			err = OK;
		else
			(void)err_set(detail, ERR_CORRUPT,
			    "the backup is damaged: %.200s",
			    text == NULL ? "no text" : text);
	}
	sqlite3_finalize(statement);
	return err;
}

/* An empty file would be made into an empty store. */
static enum err
refuse_empty(struct sqlite_connection *connection, struct err_detail *detail)
{
	int64_t tables = 0;
	enum err err = sqlite_connection_number(
	    connection, "SELECT count(*) FROM sqlite_schema", &tables, detail);

	if (err == OK && tables == 0)
		err = err_set(
		    detail, ERR_INVALID, "the backup has nothing in it");
	return err;
}

static enum err
leave_event(
    struct sqlite_connection *connection, const struct store_restore *restore)
{
	struct query query = query_of(connection, SQL_EVENT_INSERT);

	query_bind_int(&query, 1, restore->now);
	query_bind_text(&query, 2, restore->event_type);
	query_bind_text(&query, 8,
	    restore->keep_refresh ? "refresh tokens kept"
				  : "refresh tokens revoked");
	return query_run(&query);
}

static enum err
change(struct sqlite_connection *connection,
    const struct store_restore *restore, struct err_detail *detail)
{
	enum err err =
	    sqlite_connection_exec(connection, "BEGIN IMMEDIATE", detail);

	if (err == OK)
		err =
		    sqlite_connection_exec(connection, forget_used_up, detail);
	if (err == OK && !restore->keep_refresh)
		err = sqlite_connection_exec(
		    connection, revoke_refreshable, detail);
	if (err == OK)
		err = sqlite_connection_prepare(connection, detail);
	if (err == OK && leave_event(connection, restore) != OK)
		err = err_set(
		    detail, ERR_IO, "the audit event cannot be written");
	if (err == OK)
		err = sqlite_connection_exec(connection, "COMMIT", detail);
	return err;
}

/* Closing the only connection leaves one file, on disk. */
static enum err
make_ready(const char *path, const struct store_restore *restore,
    struct err_detail *detail)
{
	struct sqlite_connection connection = {0};
	enum err err;

	err = sqlite_connection_open(
	    &connection, path, CONNECTION_READ_WRITE, detail);
	if (err == OK)
		err = check_integrity(&connection, detail);
	if (err == OK)
		err = refuse_empty(&connection, detail);
	if (err == OK)
		err = store_schema_ready(&connection, NULL, detail);
	if (err == OK)
		err = change(&connection, restore, detail);
	sqlite_connection_close(&connection);
	return err;
}

/* ---- taking its place --------------------------------------------------- */

static enum err
move_if_there(const char *path, const char *from_suffix, const char *to_suffix,
    struct err_detail *detail)
{
	char from[PATH_MAX];
	char to[PATH_MAX];
	enum err err = store_file_name(path, from_suffix, from, detail);

	if (err == OK)
		err = store_file_name(path, to_suffix, to, detail);
	if (err == OK && rename(from, to) != 0 && errno != ENOENT)
		err = err_set_errno(
		    detail, ERR_IO, "cannot rename %s to %s", from, to);
	return err;
}

/* The WAL goes with its store: beside another one it would damage that. While
 * PATH is missing no gateway starts (store_file_make()). */
static enum err
move_old_away(const char *path, struct err_detail *detail)
{
	char before[PATH_MAX];
	char shared[PATH_MAX] = "";
	enum err err = store_file_name(path, SUFFIX_BEFORE, before, detail);

	if (err == OK)
		err = store_file_name(path, "-shm", shared, detail);
	if (err == OK && access(path, F_OK) == 0)
		err = remove_files(before, detail);
	if (err == OK)
		err = move_if_there(path, "", SUFFIX_BEFORE, detail);
	if (err == OK)
		err = store_file_sync_folder(path, detail);
	if (err == OK)
		err = move_if_there(path, "-wal", SUFFIX_BEFORE "-wal", detail);
	if (err == OK && unlink(shared) != 0 && errno != ENOENT)
		err = err_set_errno(detail, ERR_IO, "cannot remove %s", shared);
	return err == OK ? store_file_sync_folder(path, detail) : err;
}

static enum err
take_place(const char *path, struct err_detail *detail)
{
	enum err err = move_old_away(path, detail);

	if (err == OK)
		err = move_if_there(path, STORE_FILE_RESTORING, "", detail);
	if (err == OK)
		err = store_file_sync_folder(path, detail);
	return err;
}

enum err
store_restore(const struct store_restore *restore, struct err_detail *detail)
{
	char restoring[PATH_MAX];
	struct err_detail ignored = {0};
	int lock = -1;
	enum err err = store_file_name(
	    restore->path, STORE_FILE_RESTORING, restoring, detail);

	if (err == OK)
		err = store_file_lock(restore->path, &lock, detail);
	if (err == OK && give_to_owner(lock, restore->path) != OK)
		err = err_set_errno(
		    detail, ERR_IO, "cannot give the lock to its owner");
	if (err == OK)
		err = copy_backup(restore, restoring, detail);
	if (err == OK)
		err = make_ready(restoring, restore, detail);
	if (err == OK)
		err = take_place(restore->path, detail);
	else if (lock >= 0 && access(restore->path, F_OK) == 0)
		/* The old store is whole: this one is in nobody's way. */
		(void)!remove_files(restoring, &ignored);
	if (lock >= 0)
		close(lock);
	return err;
}
