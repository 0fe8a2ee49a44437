/*
 * A small pool of read-only connections. Private to store/.
 * Threads: any.
 */
#ifndef POSTERN_STORE_READERS_H
#define POSTERN_STORE_READERS_H

#include "gateway/store/sqlite_connection.h"
#include "gateway/store/store.h"

struct store_readers;

/* The file must be open for writing already (WAL needs its index). */
enum err store_readers_open(const char *path, struct store_readers **readers_r,
    struct err_detail *detail) MUST_USE;
void store_readers_close(struct store_readers *readers); /* NULL is fine */

/* Waits for a free one. Give it back soon and on the same path. */
struct sqlite_connection *store_reader_take(struct store *store);
void
store_reader_give(struct store *store, struct sqlite_connection *connection);

/* What the two above do to the store's pool. */
struct sqlite_connection *store_readers_take(struct store_readers *readers);
void store_readers_give(
    struct store_readers *readers, struct sqlite_connection *connection);

#endif
