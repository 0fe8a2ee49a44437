/*
 * The embedded store (SQLite): what must survive a crash.
 *
 * One read-write connection in one writer thread. Callers hand it operations;
 * it takes all that wait, runs each in a savepoint of its own inside one
 * transaction, commits (synchronous=FULL), then tells every caller: so
 * durability costs one fsync a group, and one operation's failure never fails
 * its neighbours. An operation that returned OK is on disk when its caller
 * hears of it. Reads that need no writer go through read-only connections.
 *
 * Failure: a full or failing disk fails operations with ERR_IO and the store
 * says it is not writable until a probe commit succeeds; a failed fsync
 * (ERR_DURABILITY) stops the process, since nobody can know what is on disk.
 *
 * Rows are keyed by numbers handed out in time order (store_next_number), so
 * neighbours in time are neighbours on a page; secrets are kept as digests,
 * values sealed: nothing in the file is useful without the master key.
 *
 * SQL lives in statements.def; each table has one file here.
 * Threads: any, for every function, unless it says "writer thread".
 */
#ifndef POSTERN_STORE_H
#define POSTERN_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

struct store;

/* Opens or creates the file (0600), checks schema version and integrity
 * markers, settles what a crash left (claimed transactions are spent), starts
 * the writer. */
enum err store_open(const char *path, struct store **store_r,
    struct err_detail *detail) MUST_USE;

/* Finishes what was handed over, checkpoints, stops the writer. */
void store_close(struct store *store);

/*
 * A consistent copy of all that is committed now, taken while the store serves:
 * a file without a name, open for reading, that holds no deleted row.
 * ERR_STATE: one is being taken; ERR_IO: no room for it. Takes as long as
 * copying does.
 */
enum err store_backup(
    struct store *store, int *fd_r, struct err_detail *detail) MUST_USE;

/* False while commits fail (full disk): checked before a script is started. */
bool store_is_writable(struct store *store);

/* The two tables whose rows clients name by number. */
enum store_sequence {
	SEQUENCE_TRANSACTION,
	SEQUENCE_GRANT,
	SEQUENCE_TOKEN,
	SEQUENCES
};

/* A number never handed out before in this process, greater than all stored. */
uint64_t store_next_number(struct store *store, enum store_sequence sequence);

/* ---- operations --------------------------------------------------------- */

struct store_writer; /* the writer's connection; only inside a run() */

/* One write: `run` executes on the writer thread inside a savepoint and may be
 * run again if the group has to be retried, so it must only depend on `user`
 * and write its results there. */
struct store_op {
	enum err (*run)(struct store_writer *writer, void *user);
	/* Called on the writer thread after the commit (or with the error);
	 * must not block. `op` and `user` belong to the caller again. */
	void (*done)(void *user, enum err err);
	void *user;
	struct store_op *next; /* the store's while it is queued */
};

/* Queues the operation; `op` stays valid until done(). When too many wait,
 * done() is called at once, on this thread, with ERR_FULL. */
void store_submit(struct store *store, struct store_op *op);

/* Submits and waits for the commit. */
enum err store_perform(struct store *store,
    enum err (*run)(struct store_writer *writer, void *user),
    void *user) MUST_USE;

#endif
