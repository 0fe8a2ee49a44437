/*
 * Bytes that must not leak: wiped when freed, compared in constant time, and
 * not printable (no accessor gives a C string).
 * Threads: a secret is immutable after it was filled; then any.
 */
#ifndef POSTERN_SECRET_H
#define POSTERN_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/span.h"

struct secret;

/* A wiped-on-free copy. NULL: out of memory. */
struct secret *secret_new(struct span bytes);
void secret_free(struct secret *secret); /* NULL is fine */

/* Borrowed, for as long as the secret lives. */
struct span secret_bytes(const struct secret *secret);

/* Takes the same time wherever two values of one length differ. An absent
 * span equals nothing, not even another. */
bool secret_equal(struct span a, struct span b);

/* Overwrites memory in a way the compiler may not drop. */
void secret_wipe(void *data, size_t len);

/*
 * Reads a secret file whole: a regular file of at most `max_bytes`, without
 * any access for others. A trailing newline is kept (callers know their
 * format). ERR_DENIED: not regular, or others have access; ERR_NOT_FOUND;
 * ERR_LIMIT; ERR_IO.
 */
enum err secret_read_file(const char *path, size_t max_bytes,
    struct secret **secret_r, struct err_detail *detail) MUST_USE;

/*
 * Writes a new file of mode 0600, durably (temporary name, fsync, link, fsync
 * of the directory). ERR_EXISTS if there is one, which is then untouched;
 * ERR_NOT_FOUND without the directory; ERR_IO, ERR_DURABILITY.
 */
enum err secret_write_file(
    const char *path, struct span bytes, struct err_detail *detail) MUST_USE;

/* This process leaves no core file and is not readable by others of its uid:
 * its memory holds secrets. Once, before there are any. */
void secret_forbid_dumps(void);

#endif
