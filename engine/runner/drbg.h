/*
 * Random bytes inside the script's process, which cannot ask the kernel:
 * ChaCha20 keyed with the 32 bytes the engine drew for this execution. The
 * key is replaced from each block's own output, so a later leak of the state
 * does not reveal earlier bytes. Threads: one.
 */
#ifndef POSTERN_DRBG_H
#define POSTERN_DRBG_H

#include <stddef.h>
#include <stdint.h>

#define DRBG_SEED_BYTES  32
#define DRBG_BLOCK_BYTES 512

struct drbg {
	uint8_t key[DRBG_SEED_BYTES];
	uint8_t block[DRBG_BLOCK_BYTES]; /* given bytes are wiped */
	size_t given;                    /* of the block */
};

void drbg_seed(struct drbg *drbg, const uint8_t seed[DRBG_SEED_BYTES]);
void drbg_bytes(struct drbg *drbg, void *out_r, size_t len);

/* Uniform in [0, 1), 53 bits. */
double drbg_unit(struct drbg *drbg);

#endif
