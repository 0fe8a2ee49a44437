/*
 * Files of the user's: read bounded, replaced atomically, and a folder's names.
 * Descriptors are of folders, as for openat(2).
 *
 * Threads: any.
 */
#ifndef POSTERN_CTL_FILE_H
#define POSTERN_CTL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* More entries than a realm of ten thousand clients has in a folder. */
#define CTL_FILE_NAMES_MAX 20000

/* Temporary files begin with this. */
#define CTL_FILE_TEMPORARY ".postern-"

/*
 * A regular file, or a symbolic link to one, into `out`, whose max_bytes is
 * the limit. ERR_NOT_FOUND; ERR_DENIED: not a regular file; ERR_LIMIT;
 * ERR_NOMEM; ERR_IO. `detail` is a sentence without the path.
 */
enum err ctl_file_read(int folder, const char *path, struct buf *out,
    struct err_detail *detail) MUST_USE;

/* "-" is standard input, which must be no terminal; else as ctl_file_read()
 * from the working directory. `detail` names the file. */
enum err ctl_file_read_argument(
    const char *path, struct buf *out, struct err_detail *detail) MUST_USE;

/* Puts a file in place of what has the name now, be it a link: a reader sees
 * the old one or the new one whole. ERR_IO. */
enum err ctl_file_replace(int folder, const char *name, struct span bytes,
    mode_t mode, struct err_detail *detail) MUST_USE;

/* The folder itself, never a link to one; made where `make` and there is
 * none. ERR_NOT_FOUND, ERR_DENIED: not a folder; ERR_IO. */
enum err ctl_file_open_folder(int folder, const char *name, bool make,
    int *folder_r, struct err_detail *detail) MUST_USE;

/* Names in a folder, sorted, without those that begin with a dot. */
enum err
ctl_file_names(int folder, struct arena *arena, const char *const **names_r,
    size_t *count_r, struct err_detail *detail) MUST_USE;

#endif
