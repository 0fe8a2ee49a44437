/*
 * Deletes what time has made worthless, a few rows an operation so that nobody
 * waits long behind it.
 * Not here: when it is called (the gateway's housekeeping thread).
 * Called on one thread; run_expire() on the writer's.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/store/query.h"
#include "gateway/store/store_cache.h"
#include "gateway/store/store_cache_table.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_release.h"
#include "gateway/store/store_writer.h"

/* A claimed transaction belongs to a request that still runs (8 s by default)
 * and settles it; one so old was forgotten. */
#define CLAIM_FORGOTTEN_SECS 3600

struct expire {
	int64_t now;
	unsigned batch;
	unsigned deleted;
};

static unsigned
room_left(const struct expire *expire)
{
	return expire->batch - expire->deleted;
}

static enum err
expire_transactions(struct sqlite_connection *connection, struct expire *expire)
{
	struct query query = query_of(connection, SQL_TRANSACTIONS_EXPIRE);
	unsigned deleted;
	enum err err;

	query_bind_int(&query, 1, expire->now);
	query_bind_int(&query, 2, expire->now - CLAIM_FORGOTTEN_SECS);
	query_bind_int(&query, 3, room_left(expire));
	err = query_run_counted(&query, &deleted);
	if (err == OK)
		expire->deleted += deleted;
	return err;
}

static enum err
expire_table(struct sqlite_connection *connection, enum statement which,
    struct expire *expire)
{
	struct query query = query_of(connection, which);
	unsigned deleted;
	enum err err;

	query_bind_int(&query, 1, expire->now);
	query_bind_int(&query, 2, room_left(expire));
	err = query_run_counted(&query, &deleted);
	if (err == OK)
		expire->deleted += deleted;
	return err;
}

static enum err
expire_releases(struct sqlite_connection *connection, struct expire *expire)
{
	int64_t now = expire->now;
	enum err err;

	expire->now -= STORE_RELEASE_UNUSED_SECS;
	err = expire_table(connection, SQL_RELEASES_EXPIRE, expire);
	expire->now = now;
	return err;
}

/* The namespace after `ns` in order, the first after NULL. */
static enum err
next_namespace(struct sqlite_connection *connection, const char *after,
    char *ns_r, size_t bytes)
{
	struct query query = query_of(
	    connection, after == NULL ? SQL_CACHE_FIRST_NS : SQL_CACHE_NEXT_NS);
	const char *ns;
	enum err err;

	if (after != NULL)
		query_bind_text(&query, 1, after);
	err = query_row(&query);
	if (err == OK) {
		ns = query_text(&query, 0);
		if (ns == NULL || strlen(ns) >= bytes)
			err = ERR_CORRUPT;
		else
			snprintf(ns_r, bytes, "%s", ns);
	}
	query_end(&query);
	return err;
}

static enum err
forget_if_empty(struct sqlite_connection *connection, const char *ns)
{
	struct query query = query_of(connection, SQL_CACHE_COUNT_FORGET);

	query_bind_text(&query, 1, ns);
	return query_run(&query);
}

static enum err
expire_cache(struct sqlite_connection *connection, struct expire *expire)
{
	char ns[sizeof((struct store_cache_call *)NULL)->ns];
	char after[sizeof ns];
	enum err err = next_namespace(connection, NULL, ns, sizeof ns);

	while (err == OK && room_left(expire) > 0) {
		unsigned dropped;

		err = store_cache_drop_expired(
		    connection, ns, expire->now, room_left(expire), &dropped);
		if (err == OK)
			err = forget_if_empty(connection, ns);
		if (err != OK)
			return err;
		expire->deleted += dropped;
		memcpy(after, ns, sizeof after);
		err = next_namespace(connection, after, ns, sizeof ns);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
run_expire(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct expire *expire = user;
	enum err err;

	expire->deleted = 0;
	err = expire_transactions(connection, expire);
	/* Grants after tokens: a grant goes when its last token is gone. */
	if (err == OK)
		err = expire_table(connection, SQL_TOKENS_EXPIRE, expire);
	if (err == OK && room_left(expire) > 0)
		err = expire_table(connection, SQL_GRANTS_EXPIRE, expire);
	if (err == OK && room_left(expire) > 0)
		err = expire_table(connection, SQL_ASSERTIONS_EXPIRE, expire);
	if (err == OK && room_left(expire) > 0)
		err = expire_releases(connection, expire);
	if (err == OK)
		err = expire_cache(connection, expire);
	return err;
}

enum err
store_expire(
    struct store *store, int64_t now, unsigned batch, unsigned *deleted_r)
{
	struct expire expire = {.now = now, .batch = batch};
	enum err err = store_perform(store, run_expire, &expire);

	if (err == OK)
		*deleted_r = expire.deleted;
	return err;
}
