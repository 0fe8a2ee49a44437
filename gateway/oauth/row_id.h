/*
 * The public name of a stored row: 16 upper-case hex digits that tell neither
 * its number nor its neighbours. It names, it proves nothing.
 * Threads: any.
 */
#ifndef POSTERN_ROW_ID_H
#define POSTERN_ROW_ID_H

#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"

#define ROW_ID_BYTES 17 /* with the NUL */

/* A row of one kind never has the name of a row of the other. */
enum row_id_kind {
	ROW_ID_TOKEN, /* the jti of a JWT access token */
	ROW_ID_GRANT  /* the {tokenId} of a user's tokens */
};

void row_id_make(struct vault *vault, enum row_id_kind kind, uint64_t number,
    char id_r[ROW_ID_BYTES]);

/* ERR_SYNTAX: never a name of this kind. */
enum err row_id_parse(struct vault *vault, enum row_id_kind kind,
    struct span id, uint64_t *number_r) MUST_USE;

#endif
