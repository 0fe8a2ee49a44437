/*
 * Opens and sets up connections to the store's file, and reads SQLite's
 * result codes.
 * Not here: the schema (store_schema.c), running statements (query.c).
 * Runs on the thread that opens the store; connections are used elsewhere.
 */
#include "gateway/store/sqlite_connection.h"

#include <stdbool.h>
#include <string.h>

/* Only a foreign process (a person with sqlite3) can make us wait at all. */
#define BUSY_TIMEOUT_MS 2000

/* No row is larger: a release has at most three sources of 256 KiB, UTF-8. */
#define ROW_MAX_BYTES (8 << 20)

static const char *const statement_texts[STATEMENT_COUNT] = {
#define STATEMENT(symbol, sql, doc) [symbol] = sql,
#include "gateway/store/statements.def"
#undef STATEMENT
};

/* A mapped file turns a disk error into SIGBUS, hence mmap_size. Savepoints
 * and sub-queries need temporary files, which stay in memory. */
static const char common_pragmas[] = "PRAGMA cell_size_check = ON;"
				     "PRAGMA mmap_size = 0;"
				     "PRAGMA temp_store = MEMORY;"
				     "PRAGMA trusted_schema = OFF;";

/* The writer checkpoints when it suits it. The WAL is cut back to the limit
 * when it starts anew, so that a burst does not hold disk for ever. */
static const char writer_pragmas[] = "PRAGMA synchronous = FULL;"
				     "PRAGMA wal_autocheckpoint = 0;"
				     "PRAGMA journal_size_limit = 67108864;"
				     "PRAGMA cache_size = -8192;";

static const char reader_pragmas[] = "PRAGMA query_only = ON;"
				     "PRAGMA cache_size = -1024;";

enum err
sqlite_err(int extended_code)
{
	switch (extended_code) {
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
		return ERR_DURABILITY;
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_EXISTS;
	default:
		break;
	}
	switch (extended_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return OK;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return ERR_INVALID;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	default:
		return ERR_IO;
	}
}

static enum err
connection_failed(
    struct sqlite_connection *connection, int code, struct err_detail *detail)
{
	const char *text = connection->db == NULL
			       ? sqlite3_errstr(code)
			       : sqlite3_errmsg(connection->db);

	return err_set(detail, sqlite_err(code), "SQLite: %s", text);
}

/* What a file made by somebody else could do to us is switched off. */
static int
harden(sqlite3 *db)
{
	static const struct {
		int option;
		int on;
	} settings[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	};
	int code = SQLITE_OK;

	for (size_t i = 0;
	     i < sizeof settings / sizeof settings[0] && code == SQLITE_OK; i++)
		code = sqlite3_db_config(
		    db, settings[i].option, settings[i].on, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MAX_BYTES);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	return code;
}

enum err
sqlite_connection_exec(struct sqlite_connection *connection, const char *sql,
    struct err_detail *detail)
{
	int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? OK
				 : connection_failed(connection, code, detail);
}

enum err
sqlite_connection_number(struct sqlite_connection *connection, const char *sql,
    int64_t *number_r, struct err_detail *detail)
{
	sqlite3_stmt *statement;
	int code;

	code = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*number_r = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	if (code == SQLITE_DONE)
		return err_set(detail, ERR_CORRUPT, "%s gave no row", sql);
	return code == SQLITE_ROW ? OK
				  : connection_failed(connection, code, detail);
}

/* A file system without shared memory would silently stay in another mode. */
static enum err
set_wal(struct sqlite_connection *connection, struct err_detail *detail)
{
	sqlite3_stmt *statement;
	bool is_wal = false;
	int code;

	code = sqlite3_prepare_v2(
	    connection->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		const char *mode =
		    (const char *)sqlite3_column_text(statement, 0);

		is_wal = mode != NULL && strcmp(mode, "wal") == 0;
	}
	sqlite3_finalize(statement);
	if (code != SQLITE_ROW)
		return connection_failed(connection, code, detail);
	return is_wal ? OK
		      : err_set(detail, ERR_INVALID,
			    "the file system cannot do write-ahead logging; "
			    "use a local one");
}

enum err
sqlite_connection_open(struct sqlite_connection *connection, const char *path,
    enum connection_mode mode, struct err_detail *detail)
{
	bool writes = mode == CONNECTION_READ_WRITE;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE |
		    (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	enum err err;
	int code;

	code = sqlite3_open_v2(path, &connection->db, flags, NULL);
	if (code == SQLITE_OK)
		code = harden(connection->db);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(connection->db, BUSY_TIMEOUT_MS);
	if (code != SQLITE_OK)
		return connection_failed(connection, code, detail);
	err = sqlite_connection_exec(connection, common_pragmas, detail);
	if (err == OK && writes)
		err = set_wal(connection, detail);
	if (err != OK)
		return err;
	return sqlite_connection_exec(
	    connection, writes ? writer_pragmas : reader_pragmas, detail);
}

enum err
sqlite_connection_prepare(
    struct sqlite_connection *connection, struct err_detail *detail)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int code = sqlite3_prepare_v3(connection->db,
		    statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &connection->statements[i], NULL);

		if (code != SQLITE_OK)
			return connection_failed(connection, code, detail);
	}
	return OK;
}

void
sqlite_connection_close(struct sqlite_connection *connection)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(connection->statements[i]);
	sqlite3_close(connection->db);
	*connection = (struct sqlite_connection){0};
}
