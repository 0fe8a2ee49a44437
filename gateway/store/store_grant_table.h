/*
 * Rows of grants and tokens, for the files of store/ that write them. Private
 * to store/. Threads: the writer's.
 */
#ifndef POSTERN_STORE_GRANT_TABLE_H
#define POSTERN_STORE_GRANT_TABLE_H

#include "gateway/store/sqlite_connection.h"
#include "gateway/store/store_grant.h"

enum err store_token_insert(struct sqlite_connection *connection,
    uint64_t grant, const struct store_token *token) MUST_USE;

/* The grant, and so every token of it; one that is not there is no error. */
enum err store_grant_delete_row(
    struct sqlite_connection *connection, uint64_t number) MUST_USE;

#endif
