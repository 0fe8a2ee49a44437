/*
 * The store's files: their names, the lock that one gateway has, their making.
 * Not here: what is in them.
 * Runs on the thread that opens the store, or restores it.
 */
#include "gateway/store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum err
store_file_name(const char *path, const char *suffix, char name_r[PATH_MAX],
    struct err_detail *detail)
{
	int len = snprintf(name_r, PATH_MAX, "%s%s", path, suffix);

	if (len < 0 || len >= PATH_MAX)
		return err_set(
		    detail, ERR_LIMIT, "the store's path is too long");
	return OK;
}

/*
 * A file beside the database, because closing any descriptor of the database
 * itself would drop SQLite's own (POSIX) locks. The lock ends with the process,
 * however that ends, and is not inherited by children (O_CLOEXEC).
 */
enum err
store_file_lock(const char *path, int *fd_r, struct err_detail *detail)
{
	char lock_path[PATH_MAX];
	enum err err =
	    store_file_name(path, STORE_FILE_LOCK, lock_path, detail);
	int fd;

	if (err != OK)
		return err;
	fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(
		    detail, ERR_IO, "cannot open %s", lock_path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*fd_r = fd;
		return OK;
	}
	err = errno == EWOULDBLOCK
		  ? err_set(detail, ERR_STATE,
			"another gateway uses it (it holds %s)", lock_path)
		  : err_set_errno(detail, ERR_IO, "cannot lock %s", lock_path);
	close(fd);
	return err;
}

/* SQLite does so for its own files. */
enum err
store_file_sync_folder(const char *path, struct err_detail *detail)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	int fd;
	enum err err = OK;

	if (len >= sizeof directory)
		return err_set(
		    detail, ERR_LIMIT, "the store's path is too long");
	memcpy(directory, path, len);
	directory[len] = '\0';
	fd = open(
	    len == 0 ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		err = err_set_errno(
		    detail, ERR_IO, "cannot sync the folder of %s", path);
	if (fd >= 0)
		close(fd);
	return err;
}

enum err
store_file_create(const char *path, int *fd_r, struct err_detail *detail)
{
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set_errno(detail,
		    errno == EEXIST ? ERR_EXISTS : ERR_IO, "cannot make %s",
		    path);
	*fd_r = fd;
	return OK;
}

/* A restore moves the old store away before the new one has its name. */
static enum err
refuse_half_restored(const char *path, struct err_detail *detail)
{
	char restoring[PATH_MAX];
	enum err err =
	    store_file_name(path, STORE_FILE_RESTORING, restoring, detail);

	if (err != OK)
		return err;
	if (access(restoring, F_OK) != 0)
		return OK;
	return err_set(detail, ERR_STATE,
	    "a restore was interrupted: do it again (or, to begin with an "
	    "empty store, remove %s)",
	    restoring);
}

/* SQLite would make it readable by all that the umask lets; the WAL and its
 * index take the mode of the database. */
enum err
store_file_make(const char *path, struct err_detail *detail)
{
	enum err err;
	int fd = -1;

	if (access(path, F_OK) == 0)
		return OK;
	err = refuse_half_restored(path, detail);
	if (err == OK)
		err = store_file_create(path, &fd, detail);
	if (err == ERR_EXISTS)
		return OK;
	if (err != OK)
		return err;
	close(fd);
	return store_file_sync_folder(path, detail);
}
