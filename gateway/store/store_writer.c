/*
 * Commits operations in groups, notices when the disk stops taking them and
 * when it takes them again, and checkpoints.
 * Not here: what operations do; reads that need no writer (store_readers.c).
 * One thread of its own; the queue is filled by any.
 */
#include "gateway/store/store_writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/store/query.h"
#include "gateway/store/store_gather.h"
#include "gateway/store/store_schema.h"

/* A group's operations wait for each other: 512 take about 10 ms. */
#define GROUP_MAX 512

/* Beyond this, waiting would outlast the callers' deadlines. */
#define QUEUE_MAX 8192

/* How often a disk that failed is asked again. */
#define PROBE_INTERVAL_MS 500

/* SQLite's default, which the store's file has. */
#define PAGE_BYTES 4096

/* In pages: a checkpoint pays when it writes pages that changed many
 * times once; reads slow down as the WAL grows. */
#define CHECKPOINT_WHEN_EMPTY_PAGES 4000  /* with nobody waiting */
#define CHECKPOINT_ANYWAY_PAGES     16000 /* even with callers waiting */

/* After so long without work, whatever is in the WAL is checkpointed. */
#define IDLE_MS 250

/* A checkpoint that a reader or the disk stopped is not tried at once again. */
#define CHECKPOINT_RETRY_MS 1000

/* sysexits.h EX_SOFTWARE: systemd restarts us, and the file is read anew. */
#define EXIT_NOT_DURABLE 70

struct store_writer {
	struct sqlite_connection connection; /* the thread's, once started */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* guards the six below */
	pthread_cond_t work;  /* enough was queued, or stopping was set */
	struct store_op *head;
	struct store_op **tail;
	unsigned queued;
	unsigned wake_at; /* the thread sleeps until so many are queued; or 0 */
	bool stopping;

	atomic_bool writable;

	/* The thread's own. */
	struct store_gather gather;
	enum err results[GROUP_MAX];
	int wal_pages;            /* after the last commit */
	int64_t checkpoint_at_ms; /* not before */
	int64_t probe_at_ms;      /* the next, while not writable */
};

/* ---- failure ------------------------------------------------------------ */

/*
 * After a failed fsync the kernel may have dropped the pages and will call the
 * next fsync a success, so neither what was answered nor what will be is
 * certain. Only reading the file anew tells what it holds.
 */
static void
stop_if_not_durable(enum err err)
{
	if (err != ERR_DURABILITY)
		return;
	log_error("the disk did not confirm a write; stopping, since it is "
		  "unknown what it holds");
	_exit(EXIT_NOT_DURABLE);
}

static void
set_writable(struct store_writer *writer, bool writable)
{
	if (atomic_exchange(&writer->writable, writable) == writable)
		return;
	if (writable)
		log_info("the store takes writes again");
	else
		log_error("the store takes no writes",
		    LOG_STR("sqlite", sqlite3_errmsg(writer->connection.db)));
	writer->probe_at_ms = clock_mono_ms() + PROBE_INTERVAL_MS;
}

/* ---- groups ------------------------------------------------------------- */

/* SQLite gives a transaction up by itself on some errors (full disk, I/O,
 * memory); then nothing of the group is left, whoever's fault it was. */
static bool
group_is_lost(struct store_writer *writer)
{
	return sqlite3_get_autocommit(writer->connection.db) != 0;
}

/* Runs one operation in its savepoint. */
static enum err
run_op(struct store_writer *writer, struct store_op *op)
{
	struct sqlite_connection *connection = &writer->connection;
	enum err err = query_plain(connection, SQL_SAVEPOINT);
	enum err undone = OK;

	if (err != OK)
		return err;
	err = op->run(writer, op->user);
	if (err != OK && !group_is_lost(writer))
		undone = query_plain(connection, SQL_ROLLBACK_TO);
	if (!group_is_lost(writer) && undone == OK)
		undone = query_plain(connection, SQL_RELEASE);
	/* What cannot be undone must not be committed: the group fails. */
	return undone == OK ? err : undone == ERR_DURABILITY ? undone : ERR_IO;
}

/* OK: the group's writes are on disk. */
static enum err
run_ops(struct store_writer *writer, struct store_op *ops)
{
	enum err err = query_plain(&writer->connection, SQL_BEGIN);
	unsigned i = 0;

	if (err != OK)
		return err;
	for (struct store_op *op = ops; op != NULL; op = op->next, i++) {
		writer->results[i] = run_op(writer, op);
		stop_if_not_durable(writer->results[i]);
		if (writer->results[i] == ERR_IO || group_is_lost(writer))
			return ERR_IO;
	}
	return query_plain(&writer->connection, SQL_COMMIT);
}

static void
commit_group(struct store_writer *writer, struct store_op *ops)
{
	sqlite3 *db = writer->connection.db;
	sqlite3_int64 changes = sqlite3_total_changes64(db);
	int64_t start_us = clock_mono_us();
	enum err err = run_ops(writer, ops);
	unsigned count = 0;

	stop_if_not_durable(err);
	if (err != OK) {
		set_writable(writer, false);
		if (!group_is_lost(writer))
			err = query_plain(&writer->connection, SQL_ROLLBACK);
		stop_if_not_durable(err);
		err = ERR_IO;
	} else if (sqlite3_total_changes64(db) != changes) {
		/* Not for a group that only read: it asked the disk nothing. */
		set_writable(writer, true);
	}
	metric_count(M_STORE_COMMITS, err == OK ? "ok" : "failed", NULL);
	metric_observe_us(
	    M_STORE_COMMIT_SECONDS, NULL, NULL, clock_mono_us() - start_us);
	while (ops != NULL) {
		struct store_op *op = ops;

		ops = op->next; /* after done() the op is its caller's */
		op->done(op->user, err == OK ? writer->results[count] : err);
		count++;
	}
	metric_add(M_STORE_OPERATIONS, NULL, NULL, count);
	metric_observe_size(M_STORE_BATCH, NULL, count);
}

/* ---- what time brings --------------------------------------------------- */

static void
probe(struct store_writer *writer)
{
	enum err err = query_plain(&writer->connection, SQL_BEGIN);

	if (err == OK)
		err = query_plain(&writer->connection, SQL_PROBE);
	if (err == OK)
		err = query_plain(&writer->connection, SQL_COMMIT);
	stop_if_not_durable(err);
	if (err == OK) {
		set_writable(writer, true);
		return;
	}
	if (!group_is_lost(writer))
		stop_if_not_durable(
		    query_plain(&writer->connection, SQL_ROLLBACK));
	writer->probe_at_ms = clock_mono_ms() + PROBE_INTERVAL_MS;
}

/* sqlite3_wal_hook: only notes how long the WAL is. */
static int
note_wal_pages(void *user, sqlite3 *db, const char *name, int pages)
{
	struct store_writer *writer = user;

	(void)db;
	(void)name;
	writer->wal_pages = pages;
	metric_set(M_STORE_WAL, NULL, (int64_t)pages * PAGE_BYTES);
	return SQLITE_OK;
}

static void
checkpoint(struct store_writer *writer)
{
	int in_wal = 0;
	int moved = 0;
	int code = sqlite3_wal_checkpoint_v2(writer->connection.db, NULL,
	    SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);

	stop_if_not_durable(sqlite_err(code));
	if (code == SQLITE_OK && moved == in_wal) {
		writer->wal_pages = 0; /* the next commit starts it anew */
		metric_set(M_STORE_WAL, NULL, 0);
		return;
	}
	if (code != SQLITE_OK)
		log_warn("cannot checkpoint the store; it will be tried again",
		    LOG_STR("sqlite", sqlite3_errmsg(writer->connection.db)));
	writer->checkpoint_at_ms = clock_mono_ms() + CHECKPOINT_RETRY_MS;
}

static bool
checkpoint_is_due(const struct store_writer *writer, bool idle, bool waiting)
{
	if (writer->wal_pages == 0 ||
	    clock_mono_ms() < writer->checkpoint_at_ms)
		return false;
	return idle || writer->wal_pages >= CHECKPOINT_ANYWAY_PAGES ||
	       (!waiting && writer->wal_pages >= CHECKPOINT_WHEN_EMPTY_PAGES);
}

/* ---- the thread --------------------------------------------------------- */

/* Monotonic microseconds until which a thread without work may sleep. */
static int64_t
sleep_until_us(const struct store_writer *writer)
{
	int64_t now_ms = clock_mono_ms();
	int64_t until_ms = INT64_MAX / 1000;

	if (writer->wal_pages > 0)
		until_ms = writer->checkpoint_at_ms > now_ms + IDLE_MS
			       ? writer->checkpoint_at_ms
			       : now_ms + IDLE_MS;
	if (!atomic_load(&writer->writable) && writer->probe_at_ms < until_ms)
		until_ms = writer->probe_at_ms;
	return until_ms * 1000;
}

/* Under the lock. False: time has come, and fewer than `count` are queued. */
static bool
wait_for_queued(struct store_writer *writer, unsigned count, int64_t until_us)
{
	struct timespec until = clock_timespec_of_us(until_us);
	int waited = 0;

	while (writer->queued < count && !writer->stopping && waited == 0) {
		writer->wake_at = count; /* those before it wake nobody */
		if (until_us == INT64_MAX / 1000 * 1000)
			pthread_cond_wait(&writer->work, &writer->lock);
		else
			waited = pthread_cond_timedwait(
			    &writer->work, &writer->lock, &until);
	}
	writer->wake_at = 0;
	return writer->queued >= count || writer->stopping;
}

/* Lets the group grow where that pays. Under the lock. */
static void
gather(struct store_writer *writer)
{
	unsigned before = writer->queued;
	unsigned wanted;

	if (before == 0 || writer->stopping)
		return;
	wanted = store_gather_until(&writer->gather, before);
	if (wanted > before) {
		(void)wait_for_queued(
		    writer, wanted, clock_mono_us() + GATHER_US);
		store_gather_waited(&writer->gather, before, writer->queued);
	}
	store_gather_taken(&writer->gather, writer->queued);
}

/* Under the lock: cuts the first GROUP_MAX operations off the queue. */
static struct store_op *
take_group(struct store_writer *writer)
{
	struct store_op *group = writer->head;
	struct store_op *last = group;
	unsigned count = 1;

	if (group == NULL)
		return NULL;
	for (; last->next != NULL && count < GROUP_MAX; count++)
		last = last->next;
	writer->head = last->next;
	if (writer->head == NULL)
		writer->tail = &writer->head;
	last->next = NULL;
	writer->queued -= count;
	return group;
}

static void *
writer_main(void *argument)
{
	struct store_writer *writer = argument;
	bool stop = false;

	while (!stop) {
		struct store_op *group;
		bool idle;
		bool waiting;

		pthread_mutex_lock(&writer->lock);
		idle = !wait_for_queued(writer, 1, sleep_until_us(writer));
		gather(writer);
		group = take_group(writer);
		waiting = writer->head != NULL;
		stop = writer->stopping && !waiting;
		pthread_mutex_unlock(&writer->lock);

		if (group != NULL)
			commit_group(writer, group);
		if (!atomic_load(&writer->writable) &&
		    clock_mono_ms() >= writer->probe_at_ms)
			probe(writer);
		if (checkpoint_is_due(writer, idle, waiting))
			checkpoint(writer);
	}
	return NULL;
}

/* ---- opening, queueing, closing ----------------------------------------- */

static struct store_writer *
writer_new(void)
{
	struct store_writer *writer = calloc(1, sizeof *writer);
	pthread_condattr_t attributes;

	if (writer == NULL)
		return NULL;
	writer->tail = &writer->head;
	atomic_init(&writer->writable, true);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer->work, &attributes);
	pthread_condattr_destroy(&attributes);
	return writer;
}

enum err
store_writer_open(
    const char *path, struct store_writer **writer_r, struct err_detail *detail)
{
	struct store_writer *writer = writer_new();
	enum err err;

	if (writer == NULL)
		return ERR_NOMEM;
	err = sqlite_connection_open(
	    &writer->connection, path, CONNECTION_READ_WRITE, detail);
	if (err == OK)
		err = store_schema_ready(&writer->connection, path, detail);
	if (err == OK)
		err = sqlite_connection_prepare(&writer->connection, detail);
	if (err == OK)
		err = query_plain(
		    &writer->connection, SQL_TRANSACTIONS_SETTLE_CRASHED);
	if (err != OK) {
		store_writer_close(writer);
		return err;
	}
	sqlite3_wal_hook(writer->connection.db, note_wal_pages, writer);
	*writer_r = writer;
	return OK;
}

enum err
store_writer_start(struct store_writer *writer, struct err_detail *detail)
{
	if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0)
		return err_set(detail, ERR_NOMEM,
		    "cannot start the store's writer thread");
	writer->started = true;
	return OK;
}

void
store_writer_stop(struct store_writer *writer)
{
	if (!writer->started)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer->started = false;
}

void
store_writer_close(struct store_writer *writer)
{
	if (writer == NULL)
		return;
	store_writer_stop(writer);
	/* The last connection checkpoints and removes the WAL by itself. */
	sqlite_connection_close(&writer->connection);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

void
store_writer_submit(struct store_writer *writer, struct store_op *op)
{
	bool queued;
	bool wake;

	op->next = NULL;
	pthread_mutex_lock(&writer->lock);
	queued = writer->queued < QUEUE_MAX && !writer->stopping;
	if (queued) {
		*writer->tail = op;
		writer->tail = &op->next;
		writer->queued++;
	}
	wake = writer->wake_at != 0 && writer->queued >= writer->wake_at;
	if (wake)
		writer->wake_at = 0; /* once is enough */
	pthread_mutex_unlock(&writer->lock);
	/* Not under the lock, which it would have to wait for. */
	if (wake)
		pthread_cond_signal(&writer->work);
	if (!queued)
		op->done(op->user, ERR_FULL);
}

bool
store_writer_is_writable(struct store_writer *writer)
{
	return atomic_load(&writer->writable);
}

struct sqlite_connection *
store_writer_connection(struct store_writer *writer)
{
	return &writer->connection;
}
