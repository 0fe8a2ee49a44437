/*
 * One connection to the store's file with its prepared statements.
 *
 * Ownership: the opener's. Threads: one at a time.
 */
#ifndef POSTERN_SQLITE_CONNECTION_H
#define POSTERN_SQLITE_CONNECTION_H

#include <stdint.h>

#include <sqlite3.h>

#include "common/err.h"

enum statement {
#define STATEMENT(symbol, sql, doc) symbol,
#include "gateway/store/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

struct sqlite_connection {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT]; /* after ..._prepare() */
};

enum connection_mode { CONNECTION_READ_ONLY, CONNECTION_READ_WRITE };

/* Opens an existing file and sets it up; zero the struct before. Close it
 * also after a failure. */
enum err
sqlite_connection_open(struct sqlite_connection *connection, const char *path,
    enum connection_mode mode, struct err_detail *detail) MUST_USE;

/* Prepares every statement; the schema must be there. */
enum err sqlite_connection_prepare(
    struct sqlite_connection *connection, struct err_detail *detail) MUST_USE;

void sqlite_connection_close(struct sqlite_connection *connection);

/* Runs SQL text that has no parameters and no rows of interest. */
enum err sqlite_connection_exec(struct sqlite_connection *connection,
    const char *sql, struct err_detail *detail) MUST_USE;

/* The one row's one number, as of a PRAGMA. */
enum err sqlite_connection_number(struct sqlite_connection *connection,
    const char *sql, int64_t *number_r, struct err_detail *detail) MUST_USE;

/*
 * The error that an SQLite result code is to us. ERR_DURABILITY: an fsync
 * failed. ERR_IO: the disk is full or failing, or the file is locked.
 */
enum err sqlite_err(int extended_code) MUST_USE;

#endif
