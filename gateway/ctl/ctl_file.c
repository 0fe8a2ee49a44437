/*
 * Files; see ctl_file.h. Knows no realm. Runs in `postern`, which has one
 * thread.
 */
#include "gateway/ctl/ctl_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/random.h"

#define READ_BYTES 16384U

/* ---- reading ------------------------------------------------------------- */

static enum err
read_all(int fd, struct buf *out, struct err_detail *detail)
{
	uint8_t chunk[READ_BYTES];
	ssize_t got = 0;

	while (!out->failed) {
		got = read(fd, chunk, sizeof chunk);
		if (got <= 0)
			break;
		buf_append(out, chunk, (size_t)got);
	}
	/* Secrets come through here. */
	explicit_bzero(chunk, sizeof chunk);
	/* Also EINTR: who interrupts wants an end. */
	if (got < 0)
		return err_set_errno(detail, ERR_IO, "cannot be read");
	if (!out->failed)
		return OK;
	return err_set(detail, buf_status(out),
	    out->no_memory ? "out of memory" : "is larger than %zu bytes",
	    out->max_bytes);
}

enum err
ctl_file_read(
    int folder, const char *path, struct buf *out, struct err_detail *detail)
{
	struct stat st;
	enum err err;
	int fd;

	/* O_NONBLOCK: opening a FIFO must not hang. */
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot be read");
	if (fstat(fd, &st) != 0)
		err = err_set_errno(detail, ERR_IO, "cannot be read");
	else if (!S_ISREG(st.st_mode))
		err = err_set(detail, ERR_DENIED, "is not a regular file");
	else
		err = read_all(fd, out, detail);
	(void)close(fd);
	return err;
}

enum err
ctl_file_read_argument(
    const char *path, struct buf *out, struct err_detail *detail)
{
	enum err err;

	if (strcmp(path, "-") != 0) {
		err = ctl_file_read(AT_FDCWD, path, out, detail);
		return err == OK ? OK : err_prefix(detail, err, "%s", path);
	}
	if (isatty(STDIN_FILENO))
		return err_set(detail, ERR_STATE,
		    "standard input is a terminal; redirect or pipe it");
	err = read_all(STDIN_FILENO, out, detail);
	return err == OK ? OK : err_prefix(detail, err, "standard input");
}

/* ---- writing ------------------------------------------------------------- */

static bool
write_all(int fd, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t put = write(fd, bytes.data, bytes.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes = span_of(bytes.data + put, bytes.len - (size_t)put);
	}
	return fsync(fd) == 0;
}

enum err
ctl_file_replace(int folder, const char *name, struct span bytes, mode_t mode,
    struct err_detail *detail)
{
	char temporary[sizeof CTL_FILE_TEMPORARY + 16];
	bool is_written;
	int fd;

	(void)snprintf(temporary, sizeof temporary,
	    CTL_FILE_TEMPORARY "%016llx", (unsigned long long)random_u64());
	fd = openat(folder, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot be written");
	is_written = write_all(fd, bytes);
	if (close(fd) != 0)
		is_written = false;
	if (is_written && renameat(folder, temporary, folder, name) == 0)
		return OK;
	(void)err_set_errno(detail, ERR_IO, "cannot be written");
	(void)unlinkat(folder, temporary, 0);
	return ERR_IO;
}

/* ---- folders ------------------------------------------------------------- */

enum err
ctl_file_open_folder(int folder, const char *name, bool make, int *folder_r,
    struct err_detail *detail)
{
	int fd;

	if (make && mkdirat(folder, name, 0777) != 0 && errno != EEXIST)
		return err_set_errno(detail, ERR_IO, "cannot be made");
	fd = openat(
	    folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(detail, ERR_NOT_FOUND, "does not exist");
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(detail, ERR_DENIED,
		    "is not a folder of its own; links are not followed");
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot be opened");
	*folder_r = fd;
	return OK;
}

struct names {
	struct arena *arena;
	const char **names;
	size_t count;
	size_t room;
};

static enum err
add_name(struct names *list, const char *name, struct err_detail *detail)
{
	if (list->count == CTL_FILE_NAMES_MAX)
		return err_set(detail, ERR_LIMIT, "has more than %d entries",
		    CTL_FILE_NAMES_MAX);
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 32 : list->room * 2;
		const char **grown =
		    arena_alloc(list->arena, room * sizeof *grown);

		if (grown == NULL)
			return err_set(detail, ERR_NOMEM, "out of memory");
		if (list->count > 0)
			memcpy(grown, list->names, list->count * sizeof *grown);
		list->names = grown;
		list->room = room;
	}
	list->names[list->count] = arena_strdup(list->arena, name);
	if (list->names[list->count] == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	list->count++;
	return OK;
}

static enum err
read_names(DIR *stream, struct names *list, struct err_detail *detail)
{
	for (;;) {
		const struct dirent *entry;
		enum err err;

		errno = 0;
		entry = readdir(stream);
		if (entry == NULL && errno != 0)
			return err_set_errno(detail, ERR_IO, "cannot be read");
		if (entry == NULL)
			return OK;
		if (entry->d_name[0] == '.')
			continue;
		err = add_name(list, entry->d_name, detail);
		if (err != OK)
			return err;
	}
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

enum err
ctl_file_names(int folder, struct arena *arena, const char *const **names_r,
    size_t *count_r, struct err_detail *detail)
{
	struct names list = {.arena = arena};
	/* A description of its own: fdopendir() moves the position. */
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	enum err err;

	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot be read");
	stream = fdopendir(fd);
	if (stream == NULL) {
		(void)close(fd);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	err = read_names(stream, &list, detail);
	(void)closedir(stream);
	if (err != OK)
		return err;
	if (list.count > 0)
		qsort(
		    list.names, list.count, sizeof *list.names, compare_names);
	*names_r = list.names;
	*count_r = list.count;
	return OK;
}
