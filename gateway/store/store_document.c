/*
 * The tables of documents, of property values and, where a change of the realm
 * writes it, of client secrets. Not here: what is in them (config/).
 * Reads on any thread, all else on the writer's.
 */
#include "gateway/store/store_document.h"

#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* ---- writing ------------------------------------------------------------- */

/* A row of a text key and a sealed value. */
static enum err
put_sealed(struct store_writer *writer, enum statement which, const char *key,
    struct span sealed)
{
	struct query query = query_of(store_writer_connection(writer), which);

	query_bind_text(&query, 1, key);
	query_bind_bytes(&query, 2, sealed);
	return query_run(&query);
}

static enum err
delete_row(struct store_writer *writer, enum statement which, const char *key,
    const char *second)
{
	struct query query = query_of(store_writer_connection(writer), which);

	query_bind_text(&query, 1, key);
	if (second != NULL)
		query_bind_text(&query, 2, second);
	return query_run(&query);
}

enum err
store_document_put(
    struct store_writer *writer, const char *path, struct span sealed)
{
	return put_sealed(writer, SQL_DOCUMENT_PUT, path, sealed);
}

enum err
store_document_delete(struct store_writer *writer, const char *path)
{
	return delete_row(writer, SQL_DOCUMENT_DELETE, path, NULL);
}

enum err
store_property_value_put(
    struct store_writer *writer, const char *id, struct span sealed)
{
	return put_sealed(writer, SQL_PROPERTY_VALUE_PUT, id, sealed);
}

enum err
store_property_value_delete(struct store_writer *writer, const char *id)
{
	return delete_row(writer, SQL_PROPERTY_VALUE_DELETE, id, NULL);
}

enum err
store_client_secret_set(struct store_writer *writer, const char *kind,
    const char *client_id, struct span digest, struct span sealed_phc)
{
	struct query query =
	    query_of(store_writer_connection(writer), SQL_CLIENT_SECRET_SET);

	query_bind_text(&query, 1, kind);
	query_bind_text(&query, 2, client_id);
	query_bind_bytes(&query, 3, digest);
	query_bind_bytes(&query, 4, sealed_phc);
	return query_run(&query);
}

enum err
store_client_secret_delete(
    struct store_writer *writer, const char *kind, const char *client_id)
{
	return delete_row(writer, SQL_CLIENT_SECRET_DELETE, kind, client_id);
}

/* ---- reading ------------------------------------------------------------- */

enum err
store_document_each(struct store *store,
    enum err (*each)(void *user, const char *path, struct span sealed),
    void *user)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_DOCUMENT_EACH);
	enum err stopped = OK;
	enum err err;

	while (stopped == OK && (err = query_row(&query)) == OK) {
		const char *path = query_text(&query, 0);

		stopped = path == NULL
			      ? ERR_NOMEM
			      : each(user, path, query_bytes(&query, 1));
	}
	query_end(&query);
	store_reader_give(store, connection);
	if (stopped != OK)
		return stopped;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* The first column of the one row. SQL NULL is as no row. */
static enum err
get_sealed(struct query *query, const char *key, const char *second,
    uint8_t **sealed_r, size_t *len_r)
{
	uint8_t *copy = NULL;
	size_t len = 0;
	enum err err;

	query_bind_text(query, 1, key);
	if (second != NULL)
		query_bind_text(query, 2, second);
	err = query_row(query);
	if (err == OK)
		err = query_copy(query, 0, &copy, &len);
	query_end(query);
	if (err == OK && copy == NULL)
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	*sealed_r = copy;
	*len_r = len;
	return OK;
}

enum err
store_property_value_get(
    struct store *store, const char *id, uint8_t **sealed_r, size_t *len_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_PROPERTY_VALUE_GET);
	enum err err = get_sealed(&query, id, NULL, sealed_r, len_r);

	store_reader_give(store, connection);
	return err;
}

enum err
store_client_phc_get(struct store *store, const char *kind,
    const char *client_id, uint8_t **sealed_r, size_t *len_r)
{
	struct sqlite_connection *connection = store_reader_take(store);
	struct query query = query_of(connection, SQL_CLIENT_PHC_GET);
	enum err err = get_sealed(&query, kind, client_id, sealed_r, len_r);

	store_reader_give(store, connection);
	return err;
}
