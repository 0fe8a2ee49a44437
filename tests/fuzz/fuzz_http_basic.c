/* HTTP Basic credentials: both halves decoded and clean, or an error. */
#include <stdint.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(1 << 20);
	struct span id, secret;
	enum err err;

	CHECK(arena != NULL);
	err = http_basic_parse(span_of(data, size), arena, &id, &secret);
	if (err == OK) {
		CHECK(utf8_is_valid(id) && utf8_is_valid(secret));
		CHECK(id.len == 0 || memchr(id.data, '\0', id.len) == NULL);
		CHECK(id.len + secret.len < size);
	} else {
		CHECK(err == ERR_NOT_FOUND || err == ERR_SYNTAX);
	}
	arena_free(arena);
	return 0;
}
