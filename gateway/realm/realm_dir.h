/*
 * The files of a realm, read as somebody else's: those of a directory (only
 * regular files, or symbolic links to such, each bounded), or a set of files
 * in memory that is shaped like one.
 *
 * Threads: one at a time, a thread that may block.
 */
#ifndef POSTERN_REALM_DIR_H
#define POSTERN_REALM_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

/* A realm of ten thousand clients still loads. */
#define REALM_DIR_ENTRIES_MAX 20000

struct realm_dir; /* owns one descriptor, or borrows a set */

/* A file of a set. */
struct realm_dir_file {
	const char *path; /* "clients/demo-app.yaml" */
	struct span bytes;
};

enum err realm_dir_open(const char *path, struct realm_dir **dir_r,
    struct err_detail *detail) MUST_USE;
void realm_dir_close(struct realm_dir *dir); /* NULL is fine */

/*
 * A directory that is a set of files, borrowed: sorted by path (strcmp), none
 * twice, each realm_dir_path_is_good(). It has no place on the disk: what a
 * file of it names by `file:` is not looked for in it.
 */
enum err realm_dir_of_files(const struct realm_dir_file *files, size_t count,
    struct realm_dir **dir_r, struct err_detail *detail) MUST_USE;

bool realm_dir_is_set(const struct realm_dir *dir);

/* Whether a set has a file of this path. */
bool realm_dir_has(const struct realm_dir *dir, const char *path);

/* Relative, of text, up to 255 bytes, no part of it empty, "." or "..". */
bool realm_dir_path_is_good(struct span path);

/*
 * Reads a file (`path` relative to the directory, or absolute) into `out`,
 * which is empty and whose max_bytes is the limit. `exposed_r` (may be NULL)
 * says whether others may read it. ERR_NOT_FOUND; ERR_DENIED: not a regular
 * file; ERR_LIMIT; ERR_NOMEM; ERR_IO. `detail` is a sentence without the path.
 */
enum err realm_dir_read(const struct realm_dir *dir, const char *path,
    struct buf *out, bool *exposed_r, struct err_detail *detail) MUST_USE;

/*
 * Names in a folder (relative; "." is the directory), sorted, without those
 * that start with a dot, in `arena`. A folder that is not there has none.
 */
enum err realm_dir_list(const struct realm_dir *dir, const char *folder,
    struct arena *arena, const char *const **names_r, size_t *count_r,
    struct err_detail *detail) MUST_USE;

/* An absolute form of a path that is relative to the directory. */
char *realm_dir_path(
    const struct realm_dir *dir, struct arena *arena, const char *path);

#endif
