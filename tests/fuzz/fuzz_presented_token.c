/* A presented token: a row below the sign bit, or an error. */
#include <stdint.h>

#include "common/check.h"
#include "gateway/oauth/presented_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vault *vault;
	struct token_place place;
	enum err err;

	if (vault == NULL)
		CHECK(vault_open_passing(&vault, NULL) == OK);
	err = presented_token_place(vault, span_of(data, size), &place);
	if (err == OK) {
		CHECK(!place.is_jwt || place.number <= INT64_MAX);
		CHECK(place.is_jwt == (size != 2 * TOKEN_BYTES));
	} else {
		CHECK(err == ERR_SYNTAX || err == ERR_NOMEM);
	}
	return 0;
}
