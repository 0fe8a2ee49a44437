/*
 * The tables that configuration fills: releases, client secrets, signing keys.
 * Not here: what these bytes mean; expiry (store_expire.c).
 * Callers on any thread; the run_ functions on the writer's.
 */
#include "gateway/store/store_config.h"

#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* ---- releases ----------------------------------------------------------- */

struct release {
	const uint8_t *hash;
	const char *idp;
	struct span content;
};

static enum err
run_release_put(struct store_writer *writer, void *user)
{
	const struct release *release = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_RELEASE_PUT);

	query_bind_bytes(&query, 1, span_of(release->hash, STORE_HASH_BYTES));
	query_bind_text(&query, 2, release->idp);
	query_bind_bytes(&query, 3, release->content);
	return query_run(&query);
}

enum err
store_release_put(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    const char *idp, struct span content)
{
	struct release release = {hash, idp, content};

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

struct signing_key {
	const char *kid;
	const char *alg;
	struct span sealed_private;
};

static enum err
run_signing_key_put(struct store_writer *writer, void *user)
{
	const struct signing_key *key = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_SIGNING_KEY_PUT);

	query_bind_text(&query, 1, key->kid);
	query_bind_text(&query, 2, key->alg);
	query_bind_bytes(&query, 3, key->sealed_private);
	return query_run(&query);
}

enum err
store_signing_key_put(struct store *store, const char *kid, const char *alg,
    struct span sealed_private)
{
	struct signing_key key = {kid, alg, sealed_private};

	return store_perform(store, run_signing_key_put, &key);
}

enum err
store_signing_key_each(struct store *store,
    enum err (*each)(void *user, const char *kid, const char *alg,
	struct span sealed_private),
    void *user)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_SIGNING_KEY_EACH);
	enum err stopped = OK;
	enum err err;

	while (stopped == OK && (err = query_row(&query)) == OK) {
		const char *kid = query_text(&query, 0);
		const char *alg = query_text(&query, 1);

		stopped = kid == NULL || alg == NULL
			      ? ERR_NOMEM
			      : each(user, kid, alg, query_bytes(&query, 2));
	}
	query_end(&query);
	store_reader_give(store, connection);
	if (stopped != OK)
		return stopped;
	return err == ERR_NOT_FOUND ? OK : err;
}
