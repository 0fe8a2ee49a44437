/*
 * Opens and closes the store, hands out row numbers, and lets callers wait for
 * their operation. Not here: groups and commits (store_writer.c), the tables
 * (store_*.c). Runs on any thread of the gateway; open and close on the main
 * thread.
 */
#include "gateway/store/store.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/store/query.h"
#include "gateway/store/store_backup.h"
#include "gateway/store/store_file.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* Row numbers are SQLite's signed 64 bits; a file with larger ones is not
 * ours, and from here on the sequence cannot overflow. */
#define NUMBER_MAX (INT64_MAX / 2)

struct store {
	int lock_fd; /* holds the lock as long as the store is open */
	char *path;
	struct store_writer *writer;
	struct store_readers *readers;
	atomic_uint_fast64_t next_number[SEQUENCES];
};

/* ---- row numbers -------------------------------------------------------- */

/* NULL, of an empty table, reads as 0. */
static enum err
last_number(
    struct sqlite_connection *connection, enum statement which, int64_t *last_r)
{
	struct query query = query_of(connection, which);
	enum err err = query_row(&query);

	if (err == OK)
		*last_r = query_int(&query, 0);
	query_end(&query);
	return err;
}

/* The tokens of a revoked grant outlive its row: its number must not become
 * another grant's while they are there. */
static enum err
last_grant_number(struct sqlite_connection *connection, int64_t *last_r)
{
	int64_t of_grants = 0;
	int64_t of_tokens = 0;
	enum err err = last_number(connection, SQL_GRANT_LAST, &of_grants);

	if (err == OK)
		err = last_number(connection, SQL_TOKEN_GRANT_LAST, &of_tokens);
	if (err == OK)
		*last_r = of_grants > of_tokens ? of_grants : of_tokens;
	return err;
}

static enum err
last_of(struct sqlite_connection *connection, enum store_sequence sequence,
    int64_t *last_r)
{
	switch (sequence) {
	case SEQUENCE_TRANSACTION:
		return last_number(connection, SQL_TRANSACTION_LAST, last_r);
	case SEQUENCE_GRANT:
		return last_grant_number(connection, last_r);
	case SEQUENCE_TOKEN:
		return last_number(connection, SQL_TOKEN_LAST, last_r);
	case SEQUENCES:
		break;
	}
	return ERR_INVALID;
}

static enum err
start_sequences(struct store *store, struct err_detail *detail)
{
	for (int i = 0; i < SEQUENCES; i++) {
		int64_t last = 0;
		enum err err = last_of(store_writer_connection(store->writer),
		    (enum store_sequence)i, &last);

		if (err != OK)
			return err;
		if (last < 0 || last > NUMBER_MAX)
			return err_set(detail, ERR_CORRUPT,
			    "a row number is out of range");
		atomic_init(&store->next_number[i], (uint64_t)last + 1);
	}
	return OK;
}

uint64_t
store_next_number(struct store *store, enum store_sequence sequence)
{
	CHECK(sequence < SEQUENCES);
	return atomic_fetch_add(&store->next_number[sequence], 1);
}

/* ---- opening and closing ------------------------------------------------ */

static enum err
open_parts(struct store *store, const char *path, struct err_detail *detail)
{
	enum err err = store_file_lock(path, &store->lock_fd, detail);

	if (err == OK)
		err = store_file_make(path, detail);
	if (err == OK)
		err = store_backup_clear(path, detail);
	if (err == OK)
		err = store_writer_open(path, &store->writer, detail);
	if (err == OK)
		err = start_sequences(store, detail);
	if (err == OK)
		err = store_readers_open(path, &store->readers, detail);
	if (err == OK)
		err = store_writer_start(store->writer, detail);
	return err;
}

enum err
store_open(const char *path, struct store **store_r, struct err_detail *detail)
{
	struct store *store = calloc(1, sizeof *store);
	enum err err;

	if (store == NULL)
		return ERR_NOMEM;
	store->lock_fd = -1;
	store->path = strdup(path);
	err = store->path == NULL ? ERR_NOMEM : open_parts(store, path, detail);
	if (err != OK) {
		store_close(store);
		return err_prefix(detail, err, "store %s", path);
	}
	*store_r = store;
	return OK;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	/* The readers first: the last connection to close checkpoints, and
	 * only the writer's can. */
	if (store->writer != NULL)
		store_writer_stop(store->writer);
	store_readers_close(store->readers);
	store_writer_close(store->writer);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->path);
	free(store);
}

/* ---- operations --------------------------------------------------------- */

bool
store_is_writable(struct store *store)
{
	return store_writer_is_writable(store->writer);
}

void
store_submit(struct store *store, struct store_op *op)
{
	store_writer_submit(store->writer, op);
}

/* A caller that waits. A semaphore, since glibc's may be destroyed as soon as
 * sem_wait() has returned, while sem_post() still runs. */
struct waiter {
	sem_t done;
	enum err (*run)(struct store_writer *writer, void *user);
	void *user;
	enum err err;
};

static enum err
waiter_run(struct store_writer *writer, void *user)
{
	struct waiter *waiter = user;

	return waiter->run(writer, waiter->user);
}

static void
waiter_done(void *user, enum err err)
{
	struct waiter *waiter = user;

	waiter->err = err;
	sem_post(&waiter->done);
}

enum err
store_perform(struct store *store,
    enum err (*run)(struct store_writer *writer, void *user), void *user)
{
	struct waiter waiter = {.run = run, .user = user};
	struct store_op op = {waiter_run, waiter_done, &waiter, NULL};

	sem_init(&waiter.done, 0, 0);
	store_submit(store, &op);
	while (sem_wait(&waiter.done) != 0)
		CHECK(errno == EINTR);
	sem_destroy(&waiter.done);
	return waiter.err;
}

struct sqlite_connection *
store_reader_take(struct store *store)
{
	return store_readers_take(store->readers);
}

void
store_reader_give(struct store *store, struct sqlite_connection *connection)
{
	store_readers_give(store->readers, connection);
}

enum err
store_backup(struct store *store, int *fd_r, struct err_detail *detail)
{
	return store_backup_take(store->path, fd_r, detail);
}
