/*
 * Process configuration from one .def table per process.
 *
 * A table row is CONF(kind, name, default, min, max, doc): `name` is the key
 * in the file, the flag --the-name= and, with the prefix, the environment
 * variable. The same table makes the struct, --help, --check and
 * --print-config. Flag beats environment beats file beats default.
 *
 * File: `key = value` lines under the `[section]` of their row. A line that
 * begins with # is a comment, and so is the rest of a line from a # that
 * follows a blank. There are no quotes and no continued lines.
 *
 * kind           field type     value
 *   STRING       const char *   printable text; min/max = length,
 *                               max 0: CONF_VALUE_BYTES
 *   PATH         const char *   a path; NULL when empty
 *   CHOICE       const char *   one of those in doc, "x|y|z: ..."
 *   INT          int64_t        decimal within min..max
 *   SIZE         int64_t        bytes, suffix k, M or G (1024)
 *   BOOL         bool           yes/no
 *   LIST         const char *   comma-separated, kept as text; min/max
 *                               as STRING; items under CONF_ITEM_BYTES
 *   SECRET_PATH  const char *   path of a secret file; printed, the
 *                               content never is
 *
 * A PATH or SECRET_PATH that starts with %d/ is in the directory of the
 * credentials that systemd passes (LoadCredential=); elsewhere it names
 * nothing, which whoever opens it says.
 *
 * An empty default of a row with min above 0 means that it must be set.
 *
 * Threads: loaded before any thread starts, read-only afterwards.
 */
#ifndef POSTERN_CONF_H
#define POSTERN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

/* Longest value, its terminator included: as a path. */
#define CONF_VALUE_BYTES 4096

/* Room for any item of a LIST: a URL with the longest host name fits. */
#define CONF_ITEM_BYTES 512

enum conf_kind {
	CONF_STRING,
	CONF_PATH,
	CONF_CHOICE,
	CONF_INT,
	CONF_SIZE,
	CONF_BOOL,
	CONF_LIST,
	CONF_SECRET_PATH
};

#define CONF_TYPE_STRING      const char *
#define CONF_TYPE_PATH        const char *
#define CONF_TYPE_CHOICE      const char *
#define CONF_TYPE_INT         int64_t
#define CONF_TYPE_SIZE        int64_t
#define CONF_TYPE_BOOL        bool
#define CONF_TYPE_LIST        const char *
#define CONF_TYPE_SECRET_PATH const char *

/* One row, made from the .def by the process's *_conf.c. */
struct conf_row {
	const char *section; /* file section the key stands in */
	const char *name;
	enum conf_kind kind;
	const char *default_text;
	int64_t min;
	int64_t max;
	const char *doc;
	size_t offset; /* of the field in the process's struct */
};

struct conf_table {
	const char *process;      /* "postern-gateway": --help, --version */
	const char *env_prefix;   /* "POSTERN_GATEWAY_" */
	const char *default_file; /* read if present; --config names another */
	const struct conf_row *rows;
	size_t row_count;
	const char *more_usage; /* lines for --help; NULL: none */
	/* Checks between settings; NULL: none. Sets detail, ERR_INVALID. */
	enum err (*validate)(const void *settings, struct err_detail *detail);
};

/* What main() does after conf_load(). */
enum conf_action {
	CONF_RUN,     /* start */
	CONF_CHECKED, /* --check: all is well, exit 0 */
	CONF_PRINTED  /* --print-config, --help, --version: exit 0 */
};

struct conf; /* owns every string of the settings struct and their sources */

/*
 * Fills `settings` (the struct made from the table). Unknown keys and flags,
 * bad values and unreadable files are ERR_INVALID / ERR_IO with file, line
 * and key in `detail`. Prints for --help, --version, --print-config.
 * The strings live until conf_free(), `table` lives longer. After --help and
 * --version `settings` is untouched and *conf_r is NULL; after an error
 * `settings` is all zero.
 */
enum err conf_load(const struct conf_table *table, int argc, char **argv,
    void *settings, struct conf **conf_r, enum conf_action *action_r,
    struct err_detail *detail) MUST_USE;

/* Name, value, default, source and meaning of each setting, as a file that
 * could be loaded again. */
void conf_print(const struct conf *conf, FILE *out);

void conf_free(struct conf *conf); /* NULL is fine */

/*
 * The items of a LIST value, one at a time: writes the next item, trimmed,
 * into `item_r` and moves `*cursor`. False at the end. Start at the value.
 * An item that does not fit comes out empty; CONF_ITEM_BYTES always does.
 */
bool conf_list_next(const char **cursor, char *item_r, size_t item_bytes);

#endif
