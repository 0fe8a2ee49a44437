/*
 * Runs prepared statements. Not here: their text (statements.def), or what
 * their rows mean.
 * Runs on the thread that has the connection.
 */
#include "gateway/store/query.h"

#include <stdlib.h>

struct query
query_of(struct sqlite_connection *connection, enum statement which)
{
	return (struct query){
	    connection, connection->statements[which], SQLITE_OK};
}

static void
note_bind(struct query *query, int code)
{
	if (query->bind_code == SQLITE_OK)
		query->bind_code = code;
}

void
query_bind_int(struct query *query, int index, int64_t value)
{
	note_bind(query, sqlite3_bind_int64(query->statement, index, value));
}

void
query_bind_bytes(struct query *query, int index, struct span value)
{
	note_bind(query, sqlite3_bind_blob64(query->statement, index,
			     value.data, value.len, SQLITE_STATIC));
}

void
query_bind_text(struct query *query, int index, const char *value)
{
	note_bind(query, sqlite3_bind_text(query->statement, index, value, -1,
			     SQLITE_STATIC));
}

enum err
query_row(struct query *query)
{
	int code;

	if (query->bind_code != SQLITE_OK)
		return sqlite_err(query->bind_code);
	code = sqlite3_step(query->statement);
	return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

int64_t
query_int(struct query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

struct span
query_bytes(struct query *query, int column)
{
	static const uint8_t empty[1];
	const void *data = sqlite3_column_blob(query->statement, column);
	int len = sqlite3_column_bytes(query->statement, column);

	if (data == NULL &&
	    sqlite3_column_type(query->statement, column) != SQLITE_NULL)
		data = empty; /* SQLite says NULL for an empty blob, too */
	return span_of(data, (size_t)len);
}

const char *
query_text(struct query *query, int column)
{
	return (const char *)sqlite3_column_text(query->statement, column);
}

enum err
query_fixed(struct query *query, int column, void *out_r, size_t len)
{
	struct span bytes = query_bytes(query, column);

	if (bytes.data == NULL || bytes.len != len)
		return ERR_CORRUPT;
	memcpy(out_r, bytes.data, len);
	return OK;
}

enum err
query_copy(struct query *query, int column, uint8_t **copy_r, size_t *len_r)
{
	struct span bytes = query_bytes(query, column);
	uint8_t *copy = NULL;

	if (span_present(bytes)) {
		copy = malloc(bytes.len > 0 ? bytes.len : 1);
		if (copy == NULL)
			return ERR_NOMEM;
		memcpy(copy, bytes.data, bytes.len);
	}
	*copy_r = copy;
	*len_r = bytes.len;
	return OK;
}

void
query_end(struct query *query)
{
	/* Both only repeat what query_row() has said. */
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
}

enum err
query_run(struct query *query)
{
	enum err err = query_row(query);

	query_end(query);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
query_run_counted(struct query *query, unsigned *changed_r)
{
	enum err err = query_run(query);

	if (err == OK)
		*changed_r = (unsigned)sqlite3_changes(query->connection->db);
	return err;
}

enum err
query_plain(struct sqlite_connection *connection, enum statement which)
{
	struct query query = query_of(connection, which);

	return query_run(&query);
}
