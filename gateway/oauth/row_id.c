/*
 * Names of rows under the keyed permutation; see row_id.h. Not the front of an
 * opaque token, which is a token's number too (tokens.c).
 */
#include "gateway/oauth/row_id.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/encoding.h"

/* Row numbers stay below it (SQLite's are signed), so it tells the kinds
 * apart. */
#define GRANT_BIT (UINT64_C(1) << 63)

void
row_id_make(struct vault *vault, enum row_id_kind kind, uint64_t number,
    char id_r[ROW_ID_BYTES])
{
	uint64_t named = kind == ROW_ID_GRANT ? number | GRANT_BIT : number;

	snprintf(
	    id_r, ROW_ID_BYTES, "%016" PRIX64, vault_permute(vault, named));
}

enum err
row_id_parse(struct vault *vault, enum row_id_kind kind, struct span id,
    uint64_t *number_r)
{
	uint64_t permuted = 0, named;
	uint8_t bytes[8];

	if (hex_decode(id, bytes, sizeof bytes) != OK)
		return ERR_SYNTAX;
	for (size_t i = 0; i < sizeof bytes; i++)
		permuted = permuted << 8 | bytes[i];
	named = vault_unpermute(vault, permuted);
	if ((kind == ROW_ID_GRANT) != ((named & GRANT_BIT) != 0))
		return ERR_SYNTAX;
	*number_r = named & ~GRANT_BIT;
	return OK;
}
