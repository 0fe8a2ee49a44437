/*
 * The table behind CACHE. Every action runs on the writer, so they are in
 * order and take and increment are atomic.
 * Not here: encryption (the caller's codec), limits of a script.
 * Submitted on any thread; the rest runs on the writer's.
 *
 * cache_counts counts the rows of a namespace, expired ones too, so that the
 * limit costs one look-up; only at the limit are expired rows looked for.
 */
#include "gateway/store/store_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/query.h"
#include "gateway/store/store_cache_table.h"
#include "gateway/store/store_writer.h"

/* "-9223372036854775808" and the NUL. */
#define NUMBER_TEXT_BYTES 21

static struct span
key_of(const struct store_cache_call *call)
{
	return span_of(call->key, STORE_HASH_BYTES);
}

/* A query with the entry's namespace and key bound as ?1 and ?2. */
static struct query
entry_query(struct sqlite_connection *connection, enum statement which,
    const struct store_cache_call *call)
{
	struct query query = query_of(connection, which);

	query_bind_text(&query, 1, call->ns);
	query_bind_bytes(&query, 2, key_of(call));
	return query;
}

/* ---- counting ----------------------------------------------------------- */

static enum err
count_add(
    struct sqlite_connection *connection, const char *ns, int64_t difference)
{
	struct query query = query_of(connection, SQL_CACHE_COUNT_ADD);

	query_bind_text(&query, 1, ns);
	query_bind_int(&query, 2, difference);
	return query_run(&query);
}

static enum err
count_get(
    struct sqlite_connection *connection, const char *ns, int64_t *entries_r)
{
	struct query query = query_of(connection, SQL_CACHE_COUNT);
	enum err err;

	query_bind_text(&query, 1, ns);
	err = query_row(&query);
	*entries_r = err == OK ? query_int(&query, 0) : 0;
	query_end(&query);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
store_cache_drop_expired(struct sqlite_connection *connection, const char *ns,
    int64_t now, unsigned limit, unsigned *dropped_r)
{
	struct query query = query_of(connection, SQL_CACHE_EXPIRE);
	enum err err;

	query_bind_text(&query, 1, ns);
	query_bind_int(&query, 2, now);
	query_bind_int(&query, 3, limit);
	err = query_run_counted(&query, dropped_r);
	if (err == OK && *dropped_r > 0)
		err = count_add(connection, ns, -(int64_t)*dropped_r);
	return err;
}

/* ERR_LIMIT: the namespace is full of live entries. */
static enum err
make_room(
    struct sqlite_connection *connection, const struct store_cache_call *call)
{
	int64_t entries;
	unsigned dropped = 0;
	enum err err = count_get(connection, call->ns, &entries);

	if (err != OK || entries < (int64_t)call->max_entries)
		return err;
	err = store_cache_drop_expired(
	    connection, call->ns, call->now, call->max_entries, &dropped);
	if (err == OK && entries - dropped >= (int64_t)call->max_entries)
		err = ERR_LIMIT;
	return err;
}

/* ---- reading and writing an entry --------------------------------------- */

/* Reads the live entry into the call; an absent one is no error. */
static enum err
entry_get(struct sqlite_connection *connection, struct store_cache_call *call,
    int64_t *expires_at_r)
{
	struct query query = entry_query(connection, SQL_CACHE_GET, call);
	enum err err = query_row(&query);

	if (err == OK && query_int(&query, 1) <= call->now)
		err = ERR_NOT_FOUND;
	if (err == OK) {
		*expires_at_r = query_int(&query, 1);
		err = query_copy(
		    &query, 0, &call->found_value, &call->found_value_len);
		call->found = err == OK;
	}
	query_end(&query);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
entry_put(struct sqlite_connection *connection,
    const struct store_cache_call *call, struct span value, int64_t expires_at)
{
	struct query replace = entry_query(connection, SQL_CACHE_REPLACE, call);
	struct query insert;
	unsigned replaced;
	enum err err;

	query_bind_bytes(&replace, 3, value);
	query_bind_int(&replace, 4, expires_at);
	err = query_run_counted(&replace, &replaced);
	if (err != OK || replaced == 1)
		return err;
	err = make_room(connection, call);
	if (err != OK)
		return err;
	insert = entry_query(connection, SQL_CACHE_INSERT, call);
	query_bind_bytes(&insert, 3, value);
	query_bind_int(&insert, 4, expires_at);
	err = query_run(&insert);
	return err == OK ? count_add(connection, call->ns, 1) : err;
}

static enum err
entry_delete(
    struct sqlite_connection *connection, const struct store_cache_call *call)
{
	struct query query = entry_query(connection, SQL_CACHE_DELETE, call);
	unsigned deleted;
	enum err err = query_run_counted(&query, &deleted);

	if (err == OK && deleted == 1)
		err = count_add(connection, call->ns, -1);
	return err;
}

/* ---- actions ------------------------------------------------------------ */

static void
forget_found(struct store_cache_call *call)
{
	free(call->found_value);
	call->found_value = NULL;
	call->found_value_len = 0;
	call->found = false;
}

/* Strict: a decimal integer and nothing else, as increment itself writes. */
static enum err
parse_number(const char *text, int64_t *number_r)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	long long number;

	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return ERR_INVALID;
	errno = 0;
	number = strtoll(text, NULL, 10);
	if (errno != 0)
		return ERR_INVALID;
	*number_r = number;
	return OK;
}

static enum err
number_of_found(struct store_cache_call *call, int64_t *number_r)
{
	char *text;
	enum err err;

	err = call->codec->unseal(call->codec->user, call->key,
	    span_of(call->found_value, call->found_value_len), &text);
	if (err != OK)
		return err;
	err = parse_number(text, number_r);
	free(text);
	return err;
}

static enum err
increment(struct sqlite_connection *connection, struct store_cache_call *call)
{
	char text[NUMBER_TEXT_BYTES];
	int64_t expires_at = call->expires_at;
	int64_t number = 0;
	uint8_t *sealed;
	size_t len;
	enum err err;

	err = entry_get(connection, call, &expires_at);
	if (err == OK && call->found)
		err = number_of_found(call, &number);
	if (err == OK && number == INT64_MAX)
		err = ERR_INVALID;
	if (err != OK)
		return err;
	number++;
	snprintf(text, sizeof text, "%" PRId64, number);
	err = call->codec->seal(
	    call->codec->user, call->key, text, &sealed, &len);
	if (err != OK)
		return err;
	err = entry_put(connection, call, span_of(sealed, len), expires_at);
	free(sealed);
	if (err == OK)
		call->number = number;
	return err;
}

static enum err
run_call(struct store_writer *writer, void *user)
{
	struct sqlite_connection *connection = store_writer_connection(writer);
	struct store_cache_call *call = user;
	int64_t expires_at;
	enum err err;

	forget_found(call); /* of an earlier try */
	switch (call->action) {
	case CACHE_STORE:
		return entry_put(connection, call,
		    span_of(call->value, call->value_len), call->expires_at);
	case CACHE_FETCH:
		return entry_get(connection, call, &expires_at);
	case CACHE_DELETE:
	case CACHE_TAKE:
		err = entry_get(connection, call, &expires_at);
		return err == OK ? entry_delete(connection, call) : err;
	case CACHE_INCREMENT:
		return increment(connection, call);
	}
	return ERR_INVALID;
}

static void
call_done(void *user, enum err err)
{
	struct store_cache_call *call = user;

	/* A value may be seen only once its removal is durable. */
	if (err != OK)
		forget_found(call);
	call->done(call, err);
}

void
store_cache_submit(struct store *store, struct store_cache_call *call)
{
	call->op = (struct store_op){run_call, call_done, call, NULL};
	store_submit(store, &call->op);
}

void
store_cache_call_free(struct store_cache_call *call)
{
	if (call == NULL)
		return;
	free(call->value);
	free(call->found_value);
	free(call);
}
