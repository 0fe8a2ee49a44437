/*
 * Copies of a store's file, taken while it is in use. Private to store/;
 * callers outside use store_backup() of store.h.
 *
 * Threads: any.
 */
#ifndef POSTERN_STORE_BACKUP_H
#define POSTERN_STORE_BACKUP_H

#include "common/err.h"

/* Makes `to`, 0600 and on disk: all that is committed in the store `path`.
 * ERR_EXISTS: there is such a file; after any other error there is none. */
enum err store_backup_copy(
    const char *path, const char *to, struct err_detail *detail) MUST_USE;

/* See store_backup(). */
enum err store_backup_take(
    const char *path, int *fd_r, struct err_detail *detail) MUST_USE;

/* Removes what a crash left of a backup; only while no store is open. */
enum err
store_backup_clear(const char *path, struct err_detail *detail) MUST_USE;

#endif
