/*
 * What is known of every setting while and after loading. Private to conf*.c.
 * Threads: as conf.h.
 */
#ifndef POSTERN_CONF_STATE_H
#define POSTERN_CONF_STATE_H

#include "common/conf.h"

/* In the order of who beats whom. */
enum conf_source {
	CONF_FROM_NOWHERE, /* not even its default was looked at */
	CONF_FROM_DEFAULT,
	CONF_FROM_FILE,
	CONF_FROM_ENV,
	CONF_FROM_FLAG
};

struct conf_setting {
	char *text;     /* owned; what the settings struct points to */
	char *where;    /* owned; "FILE:LINE", the variable or the flag */
	int64_t number; /* of an INT, SIZE or BOOL */
	enum conf_source source;
};

struct conf {
	const struct conf_table *table;
	struct conf_setting *settings; /* one a row, in the rows' order */
};

/* Longest environment variable and flag that a row's name can make. */
#define CONF_NAME_BYTES 128

/* "POSTERN_GATEWAY_LISTEN_PUBLIC" */
void conf_env_name(const struct conf_table *table, const struct conf_row *row,
    char out_r[CONF_NAME_BYTES]);

/* "--listen-public" */
void conf_flag_name(const struct conf_row *row, char out_r[CONF_NAME_BYTES]);

/* All that --help prints. */
void conf_print_help(const struct conf_table *table, FILE *out);

#endif
