/* The file of engines' identity keys: read or refused, and a name that it has
 * can prove something. */
#include <stdint.h>

#include "common/check.h"
#include "gateway/keys/engine_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span name = span_str("one");
	uint8_t proof[ENGINE_PROOF_BYTES];
	struct err_detail detail = {{0}};
	struct engine_keys *keys;
	enum err err;

	err = engine_keys_parse(span_of(data, size), &keys, &detail);
	if (err != OK) {
		CHECK(err == ERR_INVALID && detail.text[0] != '\0');
		return 0;
	}
	err = engine_keys_prove(keys, name, span_of(data, size), proof);
	CHECK(err == (engine_keys_has(keys, name) ? OK : ERR_NOT_FOUND));
	CHECK(
	    engine_keys_agree(keys, keys, name) == engine_keys_has(keys, name));
	(void)engine_keys_allow(keys, name, span_of(data, size));
	engine_keys_free(keys);
	return 0;
}
