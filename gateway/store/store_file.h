/*
 * The store's files: their names, the lock that one gateway has, their making.
 * Private to store/. Threads: the opener's.
 */
#ifndef POSTERN_STORE_FILE_H
#define POSTERN_STORE_FILE_H

#include <limits.h>

#include "common/err.h"

/* What is appended to the store's path. */
#define STORE_FILE_LOCK   ".lock"
#define STORE_FILE_BACKUP ".backup" /* one that is being taken */
/* What a restore makes, until it takes the store's name. */
#define STORE_FILE_RESTORING ".restoring"

/* PATH and suffix; ERR_LIMIT. */
enum err store_file_name(const char *path, const char *suffix,
    char name_r[PATH_MAX], struct err_detail *detail) MUST_USE;

/* Locks the store against a second gateway until the descriptor is closed;
 * ERR_STATE: another process has it. */
enum err store_file_lock(
    const char *path, int *fd_r, struct err_detail *detail) MUST_USE;

/* Makes the store's file where there is none. ERR_STATE: a restore was
 * interrupted, so an empty store would be wrong. */
enum err store_file_make(const char *path, struct err_detail *detail) MUST_USE;

/* Makes a new file, 0600; ERR_EXISTS. The caller closes *fd_r. */
enum err store_file_create(
    const char *path, int *fd_r, struct err_detail *detail) MUST_USE;

/* Makes names in the folder of `path` durable. */
enum err
store_file_sync_folder(const char *path, struct err_detail *detail) MUST_USE;

#endif
