/*
 * Fuzz target: a release's content as the database might give it back, under
 * a hash that fits. What decodes encodes to the same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/check.h"
#include "gateway/realm/realm_load.h"
#include "gateway/realm/release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span content = span_of(data, size);
	struct release *release = NULL;
	uint8_t hash[DIGEST_BYTES];
	struct buf again;

	digest_sha256(content, hash);
	if (release_decode(hash, content, &release) != OK)
		return 0;
	buf_init(&again, RELEASE_CONTENT_BYTES);
	release_encode(release, &again);
	CHECK(!again.failed);
	CHECK(span_equal(buf_span(&again), content));
	buf_fini(&again);
	free(release);
	return 0;
}
