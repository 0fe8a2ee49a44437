/*
 * Values that a realm names and does not hold: environment variables and
 * files. A realm that came over the API may name only those that are meant
 * for it, so that its author cannot read what the gateway can.
 *
 * Threads: the loader's.
 */
#ifndef POSTERN_REALM_VALUE_H
#define POSTERN_REALM_VALUE_H

#include "gateway/realm/realm_draft.h"

/* What the name of an environment variable must begin with over the API. */
#define REALM_VALUE_PREFIX "POSTERN_VALUE_"

/* NULL: the variable may be read; else a sentence. */
const char *
realm_value_env_mistake(const struct realm_draft *draft, const char *name);

/*
 * The absolute path of a file that a realm names, in scratch. NULL with a
 * sentence in `mistake_r`; both NULL: the arena is full.
 */
const char *realm_value_path(
    struct realm_draft *draft, const char *path, const char **mistake_r);

/*
 * Reads such a file, one that is no secret, as realm_dir_read() does. A file
 * of the realm itself, where it is a set, comes before one on the disk.
 */
enum err realm_value_read(struct realm_draft *draft, const char *path,
    struct buf *out, struct err_detail *detail) MUST_USE;

#endif
