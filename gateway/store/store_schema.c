/*
 * The schema of the store: makes it in an empty file, says how older versions
 * become this one, refuses other files.
 * Not here: statements that run later (statements.def).
 * Runs on the thread that opens the store, before the writer starts.
 *
 * Rows are keyed by numbers that grow with time, so neighbours in time share a
 * page and a group of inserts dirties few of them (6 us a row; with random
 * keys 33). expires_at grows nearly with time too, so its indexes cost little.
 * Nothing is indexed by hash: rows are found by number, then compared. Subjects
 * come in any order, so their index is cut into stretches of 4096 grants: only
 * the last one is written to (one index over all cost as much as the rest of a
 * grant), and looking a user up asks each stretch, 4 us apiece.
 */
#include "gateway/store/store_schema.h"

#include "gateway/store/store_migrate.h"

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

    /* expires_at: that of its last token. refresh_until: 0 where nothing can
     * be refreshed. idp: '' where a client has the grant for itself; those are
     * nobody's in the index by subject. */
    "CREATE TABLE grants (number INTEGER PRIMARY KEY,"
    " client_id TEXT NOT NULL, idp TEXT NOT NULL, sub TEXT NOT NULL,"
    " scope TEXT NOT NULL, profile TEXT, release BLOB NOT NULL,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    " refresh_until INTEGER NOT NULL, stateless INTEGER NOT NULL,"
    " snapshot BLOB) STRICT;"
    "CREATE INDEX grants_by_expiry ON grants (expires_at);"
    "CREATE INDEX grants_by_sub ON grants (number >> 12, sub) WHERE idp <> '';"

    /* kind: 1 access, 2 refresh (store_grant.h). scope: NULL as granted.
     * successor, used_at: NULL until a refresh token is used. */
    "CREATE TABLE tokens (number INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL, grant_number INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, issued_at INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, scope TEXT,"
    " successor INTEGER, used_at INTEGER) STRICT;"
    "CREATE INDEX tokens_by_expiry ON tokens (expires_at);"

    /* A client's profile belongs to one user. */
    "CREATE TABLE profiles (client_id TEXT NOT NULL,"
    " profile TEXT NOT NULL, sub TEXT NOT NULL,"
    " PRIMARY KEY (client_id, profile)) STRICT, WITHOUT ROWID;"

    /* Keys are MACs, so random whatever we do. cache_counts has the number of
     * rows of each namespace, so that the limit costs no count(). */
    "CREATE TABLE cache (ns TEXT NOT NULL, key BLOB NOT NULL,"
    " value BLOB NOT NULL, expires_at INTEGER NOT NULL,"
    " PRIMARY KEY (ns, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX cache_by_expiry ON cache (ns, expires_at);"
    "CREATE TABLE cache_counts (ns TEXT PRIMARY KEY,"
    " entries INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    /* unused_at: since when no history has it; NULL while one does. Before
     * content, so that a search for it reads no long rows. */
    "CREATE TABLE releases (number INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL UNIQUE, idp TEXT NOT NULL, unused_at INTEGER,"
    " content BLOB NOT NULL) STRICT;"
    "CREATE INDEX releases_by_idp ON releases (idp);"
    "CREATE INDEX releases_unused ON releases (unused_at)"
    " WHERE unused_at IS NOT NULL;"

    /* A row a draft, and one each time a release came into force. state: 0
     * draft, 1 live, 2 past (store_release.h). origin: the row whose place in
     * the history a roll back took, else its own number; NULL for a draft. */
    "CREATE TABLE release_history ("
    "number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " idp TEXT NOT NULL, release BLOB NOT NULL, state INTEGER NOT NULL,"
    " origin INTEGER, created_at INTEGER NOT NULL, created_by TEXT,"
    " created_why TEXT, published_at INTEGER, published_by TEXT,"
    " published_why TEXT) STRICT;"
    "CREATE INDEX release_history_by_idp ON release_history (idp);"
    "CREATE INDEX release_history_by_release ON release_history (release);"

    /* The one or the other: a digest, or an imported hash. */
    "CREATE TABLE client_secrets (kind TEXT NOT NULL,"
    " client_id TEXT NOT NULL, digest BLOB, sealed_phc BLOB,"
    " PRIMARY KEY (kind, client_id),"
    " CHECK ((digest IS NULL) <> (sealed_phc IS NULL)))"
    " STRICT, WITHOUT ROWID;"

    /* The realm where the store rules: its files, and the values of its
     * properties that are in none. */
    "CREATE TABLE documents (number INTEGER PRIMARY KEY,"
    " path TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;"
    "CREATE TABLE property_values (number INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL) STRICT;"

    "CREATE TABLE signing_keys (number INTEGER PRIMARY KEY,"
    " kid TEXT NOT NULL UNIQUE, alg TEXT NOT NULL,"
    " slot INTEGER NOT NULL, since INTEGER NOT NULL,"
    " sealed_private BLOB NOT NULL) STRICT;"

    /* AUTOINCREMENT: readers go on after a number, so none comes twice. */
    "CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at INTEGER NOT NULL, type TEXT NOT NULL, correlation_id TEXT,"
    " client_id TEXT, sub TEXT, idp TEXT, source TEXT, detail TEXT,"
    " release BLOB) STRICT;"

    /* Of failed executions; both sealed. recording: NULL where there is
     * none. */
    "CREATE TABLE recordings (number INTEGER PRIMARY KEY,"
    " correlation_id TEXT NOT NULL, idp TEXT NOT NULL,"
    " release BLOB NOT NULL, kind INTEGER NOT NULL,"
    " summary_len INTEGER NOT NULL, record BLOB NOT NULL,"
    " recording BLOB) STRICT;"

    /* Hashes of client id and jti of used client assertions. */
    "CREATE TABLE assertions (hash BLOB PRIMARY KEY,"
    " expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX assertions_by_expiry ON assertions (expires_at);"

    "PRAGMA application_id = " TEXT_OF_VALUE(
	APPLICATION_ID) ";"
			"PRAGMA user_version = " TEXT_OF_VALUE(
			    SCHEMA_VERSION) ";"
					    "COMMIT";

/* What a version changed, as a step from the one before: {1, "ALTER ..."}.
 * Version 1 is the first, so there is none. */
static const struct store_migrations migrations = {SCHEMA_VERSION, NULL, 0};

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
store_schema_ready(struct sqlite_connection *connection, const char *path,
    struct err_detail *detail)
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
	return store_migrate(connection, path, &migrations, detail);
}
