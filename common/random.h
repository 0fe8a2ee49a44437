/*
 * Bytes from the kernel's generator. Dies (CHECK) if the kernel gives none:
 * there is no safe way to go on. Threads: any.
 */
#ifndef POSTERN_RANDOM_H
#define POSTERN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out_r, size_t len);
uint64_t random_u64(void);

#endif
