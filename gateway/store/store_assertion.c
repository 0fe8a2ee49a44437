/*
 * The table of used client assertions.
 * Not here: expiry (store_expire.c), what an assertion must say.
 * Callers on any thread; run_use() on the writer's.
 */
#include "gateway/store/store_assertion.h"

#include "gateway/store/query.h"
#include "gateway/store/store_writer.h"

struct used_assertion {
	const uint8_t *hash;
	int64_t expires_at;
};

static enum err
run_use(struct store_writer *writer, void *user)
{
	const struct used_assertion *used = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_ASSERTION_USE);
	unsigned inserted;
	enum err err;

	query_bind_bytes(&query, 1, span_of(used->hash, STORE_HASH_BYTES));
	query_bind_int(&query, 2, used->expires_at);
	err = query_run_counted(&query, &inserted);
	if (err == OK && inserted != 1)
		err = ERR_EXISTS;
	return err;
}

enum err
store_assertion_use(struct store *store, const uint8_t hash[STORE_HASH_BYTES],
    int64_t expires_at)
{
	struct used_assertion used = {hash, expires_at};

	return store_perform(store, run_use, &used);
}
