/*
 * Opens, lists and reads the files of a realm directory, or of a set of files
 * that stands for one. Knows no YAML. Runs on the loader's thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/realm/realm_dir.h"
#include "gateway/realm/realm_syntax.h"

#define READ_BYTES 16384U

/* NAME_MAX: each part of it must be a file's name. */
#define SET_PATH_BYTES 255

struct realm_dir {
	int fd;     /* -1: a set */
	char *path; /* NULL: a set */
	const struct realm_dir_file *files;
	size_t count;
};

enum err
realm_dir_open(
    const char *path, struct realm_dir **dir_r, struct err_detail *detail)
{
	struct realm_dir *dir = calloc(1, sizeof *dir);

	if (dir == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		free(dir);
		return err_set_errno(detail, ERR_IO, "cannot be opened");
	}
	dir->path = strdup(path);
	if (dir->path == NULL) {
		realm_dir_close(dir);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	*dir_r = dir;
	return OK;
}

void
realm_dir_close(struct realm_dir *dir)
{
	if (dir == NULL)
		return;
	if (dir->fd >= 0)
		(void)close(dir->fd);
	free(dir->path);
	free(dir);
}

/* ---- a set of files ------------------------------------------------------ */

enum err
realm_dir_of_files(const struct realm_dir_file *files, size_t count,
    struct realm_dir **dir_r, struct err_detail *detail)
{
	struct realm_dir *dir = calloc(1, sizeof *dir);

	if (dir == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	*dir = (struct realm_dir){-1, NULL, files, count};
	*dir_r = dir;
	return OK;
}

bool
realm_dir_is_set(const struct realm_dir *dir)
{
	return dir->fd < 0;
}

bool
realm_dir_path_is_good(struct span path)
{
	size_t part = 0;

	if (path.len == 0 || path.len > SET_PATH_BYTES ||
	    !realm_syntax_is_text(path))
		return false;
	for (size_t i = 0; i <= path.len; i++) {
		struct span name;

		if (i < path.len && path.data[i] != '/')
			continue;
		name = span_of(path.data + part, i - part);
		if (name.len == 0 || span_is(name, ".") || span_is(name, ".."))
			return false;
		part = i + 1;
	}
	return true;
}

/* The first file whose path is not below `path`. */
static size_t
set_search(const struct realm_dir *dir, const char *path)
{
	size_t low = 0;
	size_t high = dir->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(dir->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
realm_dir_has(const struct realm_dir *dir, const char *path)
{
	size_t at = set_search(dir, path);

	return at < dir->count && strcmp(dir->files[at].path, path) == 0;
}

static enum err
set_read(const struct realm_dir *dir, const char *path, struct buf *out,
    struct err_detail *detail)
{
	if (!realm_dir_has(dir, path))
		return err_set(detail, ERR_NOT_FOUND,
		    "cannot be read: it is not among the files");
	buf_append_span(out, dir->files[set_search(dir, path)].bytes);
	if (!out->failed)
		return OK;
	return err_set(detail, buf_status(out),
	    out->no_memory ? "out of memory" : "is larger than %zu bytes",
	    out->max_bytes);
}

/* ---- a directory --------------------------------------------------------- */

/* Before the open as well: opening some devices already does something. */
static enum err
dir_check_regular(const struct stat *st, struct err_detail *detail)
{
	if (!S_ISREG(st->st_mode))
		return err_set(detail, ERR_DENIED, "is not a regular file");
	return OK;
}

static enum err
dir_open_file(const struct realm_dir *dir, const char *path, int *fd_r,
    struct stat *st_r, struct err_detail *detail)
{
	int fd;
	enum err err;

	if (fstatat(dir->fd, path, st_r, 0) != 0)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot be read");
	err = dir_check_regular(st_r, detail);
	if (err != OK)
		return err;
	/* O_NONBLOCK: should a FIFO have taken its place, this must not hang.
	 */
	fd =
	    openat(dir->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot be read");
	if (fstat(fd, st_r) != 0)
		err = err_set_errno(detail, ERR_IO, "cannot be read");
	else
		err = dir_check_regular(st_r, detail);
	if (err != OK) {
		(void)close(fd);
		return err;
	}
	*fd_r = fd;
	return OK;
}

static enum err
dir_read_all(int fd, struct buf *out, struct err_detail *detail)
{
	uint8_t chunk[READ_BYTES];

	for (;;) {
		ssize_t got = read(fd, chunk, sizeof chunk);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(detail, ERR_IO, "cannot be read");
		if (got == 0)
			break;
		buf_append(out, chunk, (size_t)got);
		if (out->failed)
			break;
	}
	/* Property and secret files come through here. */
	explicit_bzero(chunk, sizeof chunk);
	if (!out->failed)
		return OK;
	return err_set(detail, buf_status(out),
	    out->no_memory ? "out of memory" : "is larger than %zu bytes",
	    out->max_bytes);
}

enum err
realm_dir_read(const struct realm_dir *dir, const char *path, struct buf *out,
    bool *exposed_r, struct err_detail *detail)
{
	struct stat st;
	int fd = -1;
	enum err err;

	if (realm_dir_is_set(dir)) {
		if (exposed_r != NULL)
			*exposed_r = false;
		return set_read(dir, path, out, detail);
	}
	err = dir_open_file(dir, path, &fd, &st, detail);
	if (err != OK)
		return err;
	err = dir_read_all(fd, out, detail);
	(void)close(fd);
	if (err == OK && exposed_r != NULL)
		*exposed_r = (st.st_mode & S_IROTH) != 0;
	return err;
}

static int
dir_compare(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

struct name_list {
	struct arena *arena;
	const char **names;
	size_t count;
	size_t room;
};

static enum err
dir_add_name(
    struct name_list *list, const char *name, struct err_detail *detail)
{
	if (list->count == REALM_DIR_ENTRIES_MAX)
		return err_set(detail, ERR_LIMIT, "has more than %d entries",
		    REALM_DIR_ENTRIES_MAX);
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 32 : list->room * 2;
		const char **names =
		    arena_alloc(list->arena, room * sizeof *names);

		if (names == NULL)
			return err_set(detail, ERR_NOMEM, "out of memory");
		if (list->count > 0)
			memcpy(names, list->names, list->count * sizeof *names);
		list->names = names;
		list->room = room;
	}
	list->names[list->count] = arena_strdup(list->arena, name);
	if (list->names[list->count] == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	list->count++;
	return OK;
}

static enum err
dir_read_names(DIR *stream, struct name_list *list, struct err_detail *detail)
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
		err = dir_add_name(list, entry->d_name, detail);
		if (err != OK)
			return err;
	}
}

static enum err
dir_list(const struct realm_dir *dir, const char *folder,
    struct name_list *list, struct err_detail *detail)
{
	int fd = openat(dir->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	enum err err;

	if (fd < 0 && errno == ENOENT)
		return OK;
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot be read");
	stream = fdopendir(fd);
	if (stream == NULL) {
		(void)close(fd);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	err = dir_read_names(stream, list, detail);
	(void)closedir(stream);
	return err;
}

/* The part of a path after `len` bytes up to the next slash. */
static const char *
set_name(struct arena *arena, const char *path, size_t len)
{
	const char *name = path + len;

	return arena_copy_str(arena, span_of(name, strcspn(name, "/")));
}

/* What begins with `prefix`, which ends in a slash or is empty, lies together;
 * of that, what has the same name does too. */
static enum err
set_add_names(const struct realm_dir *dir, const char *prefix,
    struct name_list *list, struct err_detail *detail)
{
	size_t len = strlen(prefix);

	for (size_t i = set_search(dir, prefix); i < dir->count; i++) {
		const char *path = dir->files[i].path;
		const char *name;
		enum err err;

		if (strncmp(path, prefix, len) != 0)
			break;
		name = set_name(list->arena, path, len);
		if (name == NULL)
			return err_set(detail, ERR_NOMEM, "out of memory");
		if (list->count > 0 &&
		    strcmp(list->names[list->count - 1], name) == 0)
			continue;
		err = dir_add_name(list, name, detail);
		if (err != OK)
			return err;
	}
	return OK;
}

static enum err
set_list(const struct realm_dir *dir, const char *folder,
    struct name_list *list, struct err_detail *detail)
{
	size_t at = set_search(dir, folder);
	const char *prefix;

	if (strcmp(folder, ".") == 0)
		return set_add_names(dir, "", list, detail);
	if (at < dir->count && strcmp(dir->files[at].path, folder) == 0)
		return err_set(detail, ERR_IO,
		    "cannot be read: it is a file where a folder belongs");
	prefix = arena_printf(list->arena, "%s/", folder);
	if (prefix == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	return set_add_names(dir, prefix, list, detail);
}

enum err
realm_dir_list(const struct realm_dir *dir, const char *folder,
    struct arena *arena, const char *const **names_r, size_t *count_r,
    struct err_detail *detail)
{
	struct name_list list = {.arena = arena};
	enum err err = realm_dir_is_set(dir)
			   ? set_list(dir, folder, &list, detail)
			   : dir_list(dir, folder, &list, detail);

	if (err != OK)
		return err;
	if (list.count > 0)
		qsort(list.names, list.count, sizeof *list.names, dir_compare);
	*names_r = list.names;
	*count_r = list.count;
	return OK;
}

char *
realm_dir_path(
    const struct realm_dir *dir, struct arena *arena, const char *path)
{
	if (path[0] == '/' || realm_dir_is_set(dir))
		return arena_strdup(arena, path);
	return arena_printf(arena, "%s/%s", dir->path, path);
}
