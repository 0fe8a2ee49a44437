/*
 * One run of a prepared statement. Binding errors are kept and come out of
 * query_row() or query_run(), so a caller checks once.
 *
 * Bound spans and strings must live until query_end(). Columns are borrowed
 * until the next query_row() or query_end(). Threads: the connection's.
 */
#ifndef POSTERN_QUERY_H
#define POSTERN_QUERY_H

#include "common/err.h"
#include "common/span.h"
#include "gateway/store/sqlite_connection.h"

struct query {
	struct sqlite_connection *connection;
	sqlite3_stmt *statement;
	int bind_code; /* the first that failed, else SQLITE_OK */
};

struct query
query_of(struct sqlite_connection *connection, enum statement which);

/* Indexes count from 1, as in the SQL text. Absent spans, NULL: SQL NULL. */
void query_bind_int(struct query *query, int index, int64_t value);
void query_bind_bytes(struct query *query, int index, struct span value);
void query_bind_text(struct query *query, int index, const char *value);

/* Steps to the next row; ERR_NOT_FOUND: there is none (any more). */
enum err query_row(struct query *query) MUST_USE;

/* Columns count from 0. Text is NULL for SQL NULL or without memory. */
int64_t query_int(struct query *query, int column);
struct span query_bytes(struct query *query, int column);
const char *query_text(struct query *query, int column);

/* ERR_CORRUPT: the column has another length. */
enum err
query_fixed(struct query *query, int column, void *out_r, size_t len) MUST_USE;

/* The column's bytes, malloc'd; SQL NULL gives NULL. */
enum err query_copy(
    struct query *query, int column, uint8_t **copy_r, size_t *len_r) MUST_USE;

/* Always: makes the statement ready for its next use. */
void query_end(struct query *query);

/* Runs a statement that has no rows, and ends it. */
enum err query_run(struct query *query) MUST_USE;

/* As query_run(); also says how many rows it changed. */
enum err query_run_counted(struct query *query, unsigned *changed_r) MUST_USE;

/* Runs a statement without parameters and rows. */
enum err query_plain(
    struct sqlite_connection *connection, enum statement which) MUST_USE;

#endif
