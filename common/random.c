/*
 * Bytes from the kernel's generator. Not a generator of our own, and no
 * buffering, so nothing repeats after a fork. Any process, any thread.
 */
#include <errno.h>
#include <sys/random.h>

#include "common/check.h"
#include "common/random.h"

void
random_bytes(void *out_r, size_t len)
{
	uint8_t *out = out_r;

	while (len > 0) {
		ssize_t got = getrandom(out, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		CHECK(got > 0);
		out += got;
		len -= (size_t)got;
	}
}

uint64_t
random_u64(void)
{
	uint64_t number;

	random_bytes(&number, sizeof number);
	return number;
}
