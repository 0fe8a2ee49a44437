/*
 * The schema of the store: makes it in an empty file, refuses other files.
 * Not here: statements that run later (statements.def).
 * Runs on the thread that opens the store, before the writer starts.
 *
 * Rows are keyed by numbers that grow with time, so neighbours in time share a
 * page and a group of inserts dirties few of them (6 us a row; with random
 * keys 33). expires_at grows nearly with time too, so its indexes cost little.
 * Nothing is indexed by hash: rows are found by number, then compared.
 */
#include "gateway/store/store_schema.h"

#define SCHEMA_VERSION 1

/* "Post" in ASCII; file(1) and we know the file by it. */
#define APPLICATION_ID 0x506f7374

#define TEXT_OF(number)       #number
#define TEXT_OF_VALUE(number) TEXT_OF(number)

static const char schema[] =
    "BEGIN IMMEDIATE;"

    "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1),"
    " probe INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES (1, 0);"

    /* A spent transaction has no row. claimed: 0 open, 1 claimed. */
    "CREATE TABLE transactions (number INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL, client_id TEXT NOT NULL, idp TEXT NOT NULL,"
    " release BLOB NOT NULL, expires_at INTEGER NOT NULL,"
    " attempts_left INTEGER NOT NULL, claimed INTEGER NOT NULL,"
    " registration_data BLOB) STRICT;"
    "CREATE INDEX transactions_by_expiry ON transactions (expires_at);"

    /* expires_at: that of its last token. */
    "CREATE TABLE grants (number INTEGER PRIMARY KEY,"
    " client_id TEXT NOT NULL, idp TEXT NOT NULL, sub TEXT NOT NULL,"
    " scope TEXT NOT NULL, profile TEXT, release BLOB NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " snapshot BLOB) STRICT;"
    "CREATE INDEX grants_by_expiry ON grants (expires_at);"

    /* kind: 1 access, 2 refresh (store_grant.h). */
    "CREATE TABLE tokens (number INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL, grant_number INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " idle_secs INTEGER NOT NULL) STRICT;"
    "CREATE INDEX tokens_by_expiry ON tokens (expires_at);"

    /* Keys are MACs, so random whatever we do. cache_counts has the number of
     * rows of each namespace, so that the limit costs no count(). */
    "CREATE TABLE cache (ns TEXT NOT NULL, key BLOB NOT NULL,"
    " value BLOB NOT NULL, expires_at INTEGER NOT NULL,"
    " PRIMARY KEY (ns, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX cache_by_expiry ON cache (ns, expires_at);"
    "CREATE TABLE cache_counts (ns TEXT PRIMARY KEY,"
    " entries INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE releases (number INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL UNIQUE, idp TEXT NOT NULL,"
    " content BLOB NOT NULL) STRICT;"
    "CREATE TABLE client_secrets (kind TEXT NOT NULL,"
    " client_id TEXT NOT NULL, digest BLOB NOT NULL,"
    " PRIMARY KEY (kind, client_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE signing_keys (number INTEGER PRIMARY KEY,"
    " kid TEXT NOT NULL UNIQUE, alg TEXT NOT NULL,"
    " sealed_private BLOB NOT NULL) STRICT;"

    "PRAGMA application_id = " TEXT_OF_VALUE(
	APPLICATION_ID) ";"
			"PRAGMA user_version = " TEXT_OF_VALUE(
			    SCHEMA_VERSION) ";"
					    "COMMIT";

static enum err
make_schema(struct sqlite_connection *connection, struct err_detail *detail)
{
	int64_t tables;
	enum err err;

	err = sqlite_connection_number(
	    connection, "SELECT count(*) FROM sqlite_schema", &tables, detail);
	if (err != OK)
		return err;
	if (tables != 0)
		return err_set(detail, ERR_INVALID,
		    "the file is a database of something else");
	return sqlite_connection_exec(connection, schema, detail);
}

enum err
store_schema_ready(
    struct sqlite_connection *connection, struct err_detail *detail)
{
	int64_t application = 0;
	int64_t version = 0;
	enum err err;

	err = sqlite_connection_number(
	    connection, "PRAGMA application_id", &application, detail);
	if (err == OK)
		err = sqlite_connection_number(
		    connection, "PRAGMA user_version", &version, detail);
	if (err != OK)
		return err;
	if (application == 0 && version == 0)
		return make_schema(connection, detail);
	if (application != APPLICATION_ID)
		return err_set(detail, ERR_INVALID,
		    "the file is a database of something else");
	if (version != SCHEMA_VERSION)
		return err_set(detail, ERR_VERSION,
		    "the store has schema version %lld, this gateway knows %d",
		    (long long)version, SCHEMA_VERSION);
	return OK;
}
