/*
 * The script process's random generator (see drbg.h). Not the source of
 * seeds: those come from the engine's kernel, one for each execution.
 */
#include "engine/runner/drbg.h"

#include <nettle/chacha.h>
#include <string.h>

/* A new key and a block from the present key; the nonce may be constant
 * because no key is used twice. */
static void
refill(struct drbg *drbg)
{
	static const uint8_t nonce[CHACHA_NONCE_SIZE];
	struct chacha_ctx chacha;

	chacha_set_key(&chacha, drbg->key);
	chacha_set_nonce(&chacha, nonce);
	memset(drbg->key, 0, sizeof drbg->key);
	memset(drbg->block, 0, sizeof drbg->block);
	chacha_crypt(&chacha, sizeof drbg->key, drbg->key, drbg->key);
	/* Each call starts at a block of the cipher: 32 bytes used half of
	 * the first one, the rest of it is dropped. */
	chacha_crypt(&chacha, sizeof drbg->block, drbg->block, drbg->block);
	explicit_bzero(&chacha, sizeof chacha);
	drbg->given = 0;
}

void
drbg_seed(struct drbg *drbg, const uint8_t seed[DRBG_SEED_BYTES])
{
	memcpy(drbg->key, seed, sizeof drbg->key);
	refill(drbg);
}

void
drbg_bytes(struct drbg *drbg, void *out_r, size_t len)
{
	uint8_t *out = out_r;

	while (len > 0) {
		size_t n = sizeof drbg->block - drbg->given;

		if (n == 0) {
			refill(drbg);
			continue;
		}
		if (n > len)
			n = len;
		memcpy(out, drbg->block + drbg->given, n);
		explicit_bzero(drbg->block + drbg->given, n);
		drbg->given += n;
		out += n;
		len -= n;
	}
}

double
drbg_unit(struct drbg *drbg)
{
	uint64_t bits;

	drbg_bytes(drbg, &bits, sizeof bits);
	return (double)(bits >> 11) * 0x1p-53;
}
