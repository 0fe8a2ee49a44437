/*
 * The command line of a process with settings. Private to conf*.c.
 * Threads: as conf.h.
 */
#ifndef POSTERN_CONF_FLAGS_H
#define POSTERN_CONF_FLAGS_H

#include "common/conf.h"

/* The command line, taken apart before anything is loaded. The caller
 * sets table, argc, argv and next = 1; all values are borrowed from argv. */
struct conf_flags {
	const struct conf_table *table;
	int argc;
	char **argv;
	int next;            /* index of the first argument not looked at */
	const char **values; /* one a row; NULL: no such flag */
	const char *file;    /* of --config */
	bool check;
	bool print;
	bool help;
	bool version;
};

/* ERR_INVALID names the flag in detail. Values are not validated. */
enum err
conf_flags_parse(struct conf_flags *flags, struct err_detail *detail) MUST_USE;

void conf_flags_fini(struct conf_flags *flags);

#endif
