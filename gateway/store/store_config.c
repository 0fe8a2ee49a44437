/*
 * The tables that configuration fills: releases, client secrets, signing keys.
 * Not here: what these bytes mean; expiry (store_expire.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_config.h"

#include "common/clock.h"
#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* ---- releases ----------------------------------------------------------- */

struct release {
	const uint8_t *hash;
	const char *idp;
	struct span content;
	int64_t at;
};

enum err
store_release_keep(struct store_writer *writer,
    const uint8_t hash[STORE_HASH_BYTES], const char *idp, struct span content,
    int64_t at)
{
	struct query query =
	    query_of(store_writer_connection(writer), SQL_RELEASE_PUT);

	query_bind_bytes(&query, 1, span_of(hash, STORE_HASH_BYTES));
	query_bind_text(&query, 2, idp);
	query_bind_bytes(&query, 3, content);
	query_bind_int(&query, 4, at);
	return query_run(&query);
}

static enum err
run_release_put(struct store_writer *writer, void *user)
{
	const struct release *release = user;

	return store_release_keep(
	    writer, release->hash, release->idp, release->content, release->at);
}

enum err
store_release_put(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    const char *idp, struct span content)
{
	struct release release = {hash, idp, content, clock_wall_secs()};

	return store_perform(store, run_release_put, &release);
}

enum err
store_release_get(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    uint8_t **content_r, size_t *len_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_RELEASE_GET);
	enum err err;

	query_bind_bytes(&query, 1, span_of(hash, STORE_HASH_BYTES));
	err = query_row(&query);
	if (err == OK)
		err = query_copy(&query, 0, content_r, len_r);
	query_end(&query);
	store_reader_give(store, connection);
	return err;
}

/* ---- client secrets ----------------------------------------------------- */

struct client_secret {
	const char *kind;
	const char *client_id;
	const uint8_t *digest;
};

static enum err
run_client_secret_put(struct store_writer *writer, void *user)
{
	const struct client_secret *secret = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_CLIENT_SECRET_PUT);

	query_bind_text(&query, 1, secret->kind);
	query_bind_text(&query, 2, secret->client_id);
	query_bind_bytes(&query, 3, span_of(secret->digest, STORE_HASH_BYTES));
	return query_run(&query);
}

enum err
store_client_secret_put(struct store *store, const char *kind,
    const char *client_id, const uint8_t digest[STORE_HASH_BYTES])
{
	struct client_secret secret = {kind, client_id, digest};

	return store_perform(store, run_client_secret_put, &secret);
}

enum err
store_client_secret_get(struct store *store, const char *kind,
    const char *client_id, uint8_t digest_r[STORE_HASH_BYTES])
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_CLIENT_SECRET_GET);
	enum err err;

	query_bind_text(&query, 1, kind);
	query_bind_text(&query, 2, client_id);
	err = query_row(&query);
	if (err == OK)
		err = query_fixed(&query, 0, digest_r, STORE_HASH_BYTES);
	query_end(&query);
	store_reader_give(store, connection);
	return err;
}

/* ---- signing keys ------------------------------------------------------- */

static enum err
insert_signing_key(
    struct sqlite_connection *connection, const struct store_signing_key *key)
{
	struct query query = query_of(connection, SQL_SIGNING_KEY_PUT);

	query_bind_text(&query, 1, key->kid);
	query_bind_text(&query, 2, key->alg);
	query_bind_int(&query, 3, key->slot);
	query_bind_int(&query, 4, key->since);
	query_bind_bytes(&query, 5, key->sealed_private);
	return query_run(&query);
}

static enum err
run_signing_key_put(struct store_writer *writer, void *user)
{
	const struct store_signing_key *key = user;

	return insert_signing_key(store_writer_connection(writer), key);
}

enum err
store_signing_key_put(struct store *store, const struct store_signing_key *key)
{
	struct store_signing_key copy = *key;

	return store_perform(store, run_signing_key_put, &copy);
}

struct key_rotation {
	const struct store_signing_key *keys;
	unsigned count;
	int64_t now;
};

static enum err
run_signing_keys_rotate(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct query move = query_of(connection, SQL_SIGNING_KEYS_MOVE);
	const struct key_rotation *rotation = user;
	enum err err = query_plain(connection, SQL_SIGNING_KEYS_FORGET);

	query_bind_int(&move, 1, rotation->now);
	if (err == OK)
		err = query_run(&move);
	for (unsigned i = 0; i < rotation->count && err == OK; i++)
		err = insert_signing_key(connection, &rotation->keys[i]);
	return err;
}

enum err
store_signing_keys_rotate(struct store *store,
    const struct store_signing_key *keys, unsigned count, int64_t now)
{
	struct key_rotation rotation = {keys, count, now};

	return store_perform(store, run_signing_keys_rotate, &rotation);
}

/* The columns of SQL_SIGNING_KEY_EACH. */
enum { COLUMN_KID, COLUMN_ALG, COLUMN_SLOT, COLUMN_SINCE, COLUMN_SEALED };

enum err
store_signing_key_each(struct store *store,
    enum err (*each)(void *user, const struct store_signing_key *key),
    void *user)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_SIGNING_KEY_EACH);
	enum err stopped = OK;
	enum err err;

	while (stopped == OK && (err = query_row(&query)) == OK) {
		const struct store_signing_key key = {
		    .kid = query_text(&query, COLUMN_KID),
		    .alg = query_text(&query, COLUMN_ALG),
		    .slot = query_int(&query, COLUMN_SLOT),
		    .since = query_int(&query, COLUMN_SINCE),
		    .sealed_private = query_bytes(&query, COLUMN_SEALED)};

		stopped = key.kid == NULL || key.alg == NULL ? ERR_NOMEM
							     : each(user, &key);
	}
	query_end(&query);
	store_reader_give(store, connection);
	if (stopped != OK)
		return stopped;
	return err == ERR_NOT_FOUND ? OK : err;
}
