/*
 * The writer: one thread, the only read-write connection, the queue of
 * operations and the groups they are committed in. Private to store/.
 *
 * Threads: submit and is_writable any; open, start and close the store's.
 */
#ifndef POSTERN_STORE_WRITER_H
#define POSTERN_STORE_WRITER_H

#include "gateway/store/sqlite_connection.h"
#include "gateway/store/store.h"

/* Opens the file, readies the schema, spends what a crash left claimed. */
enum err store_writer_open(const char *path, struct store_writer **writer_r,
    struct err_detail *detail) MUST_USE;

enum err store_writer_start(
    struct store_writer *writer, struct err_detail *detail) MUST_USE;

/* Ends the thread, if started, after all that was submitted. */
void store_writer_stop(struct store_writer *writer);

/* Stops it, then closes the file; NULL is fine. */
void store_writer_close(struct store_writer *writer);

void store_writer_submit(struct store_writer *writer, struct store_op *op);

bool store_writer_is_writable(struct store_writer *writer);

/* For an operation's run(), on the writer thread; and before start. */
struct sqlite_connection *store_writer_connection(struct store_writer *writer);

#endif
