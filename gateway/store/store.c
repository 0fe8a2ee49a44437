/*
 * Opens and closes the store, guards its file against a second gateway, hands
 * out row numbers, and lets callers wait for their operation.
 * Not here: groups and commits (store_writer.c), the tables (store_*.c).
 * Runs on any thread of the gateway; open and close on the main thread.
 */
#include "gateway/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/store/query.h"
#include "gateway/store/store_readers.h"
#include "gateway/store/store_writer.h"

/* Row numbers are SQLite's signed 64 bits; a file with larger ones is not
 * ours, and from here on the sequence cannot overflow. */
#define NUMBER_MAX (INT64_MAX / 2)

struct store {
	int lock_fd; /* holds flock() as long as the store is open */
	struct store_writer *writer;
	struct store_readers *readers;
	atomic_uint_fast64_t next_number[SEQUENCES];
};

/* ---- the file ----------------------------------------------------------- */

/*
 * A file beside the database, because closing any descriptor of the database
 * itself would drop SQLite's own (POSIX) locks. The lock ends with the process,
 * however that ends, and is not inherited by children (O_CLOEXEC).
 */
static enum err
lock_file(const char *path, int *fd_r, struct err_detail *detail)
{
	char lock_path[PATH_MAX];
	int len = snprintf(lock_path, sizeof lock_path, "%s.lock", path);
	enum err err;
	int fd;

	if (len < 0 || (size_t)len >= sizeof lock_path)
		return err_set(
		    detail, ERR_LIMIT, "the store's path is too long");
	fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set_errno(
		    detail, ERR_IO, "cannot open %s", lock_path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*fd_r = fd;
		return OK;
	}
	err = errno == EWOULDBLOCK
		  ? err_set(detail, ERR_STATE,
			"another gateway uses it (it holds %s)", lock_path)
		  : err_set_errno(detail, ERR_IO, "cannot lock %s", lock_path);
	close(fd);
	return err;
}

/* Makes the file's name durable; SQLite does so for its other files. */
static enum err
sync_directory(const char *path, struct err_detail *detail)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	int fd;
	enum err err = OK;

	if (len >= sizeof directory)
		return err_set(
		    detail, ERR_LIMIT, "the store's path is too long");
	memcpy(directory, path, len);
	directory[len] = '\0';
	fd = open(
	    len == 0 ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		err = err_set_errno(
		    detail, ERR_IO, "cannot sync the folder of %s", path);
	if (fd >= 0)
		close(fd);
	return err;
}

/* SQLite would make it readable by all that the umask lets; the WAL and its
 * index take the mode of the database. */
static enum err
make_file(const char *path, struct err_detail *detail)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return OK;
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "cannot make %s", path);
	close(fd);
	return sync_directory(path, detail);
}

/* ---- row numbers -------------------------------------------------------- */

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

static enum err
start_sequences(struct store *store, struct err_detail *detail)
{
	static const enum statement lasts[SEQUENCES] = {
	    [SEQUENCE_TRANSACTION] = SQL_TRANSACTION_LAST,
	    [SEQUENCE_GRANT] = SQL_GRANT_LAST,
	    [SEQUENCE_TOKEN] = SQL_TOKEN_LAST,
	};

	for (int i = 0; i < SEQUENCES; i++) {
		int64_t last = 0;
		enum err err = last_number(
		    store_writer_connection(store->writer), lasts[i], &last);

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
	enum err err = lock_file(path, &store->lock_fd, detail);

	if (err == OK)
		err = make_file(path, detail);
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
	err = open_parts(store, path, detail);
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
