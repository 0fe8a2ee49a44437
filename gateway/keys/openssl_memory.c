/*
 * Memory for OpenSSL; see openssl_memory.h. malloc() as long as it gives any,
 * then slots of a fixed size, set aside at the start: enough for what small
 * contexts are made of, in every thread. Larger wishes fail as ever: whoever
 * signs or verifies hears of it. Runs on any thread.
 */
#include "gateway/keys/openssl_memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* SHA-256's context has 112 bytes, a HMAC's key 32. A thread holds up to four
 * slots from one use to the next; the public listener has up to 1024. */
#define SLOT_BYTES 256
#define SLOTS      4608

static _Alignas(16) uint8_t slots[SLOTS][SLOT_BYTES];

static struct {
	pthread_mutex_t lock; /* guards the others */
	unsigned free[SLOTS]; /* numbers of slots that were given back */
	unsigned free_count;
	unsigned used; /* slots above this were never given */
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool
is_slot(const void *memory)
{
	uintptr_t at = (uintptr_t)memory;
	uintptr_t begin = (uintptr_t)slots;

	return at >= begin && at < begin + sizeof slots;
}

static void *
take_slot(size_t size)
{
	void *slot = NULL;

	if (size > SLOT_BYTES)
		return NULL;
	pthread_mutex_lock(&spare.lock);
	if (spare.free_count > 0)
		slot = slots[spare.free[--spare.free_count]];
	else if (spare.used < SLOTS)
		slot = slots[spare.used++];
	pthread_mutex_unlock(&spare.lock);
	return slot;
}

static void
give_slot(const void *slot)
{
	size_t number = ((uintptr_t)slot - (uintptr_t)slots) / SLOT_BYTES;

	pthread_mutex_lock(&spare.lock);
	spare.free[spare.free_count++] = (unsigned)number;
	pthread_mutex_unlock(&spare.lock);
}

static void *
openssl_malloc(size_t size, const char *file, int line)
{
	void *memory = malloc(size);

	(void)file;
	(void)line;
	if (memory == NULL)
		memory = take_slot(size);
	return memory;
}

static void
openssl_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	if (is_slot(memory))
		give_slot(memory);
	else
		free(memory);
}

static void *
openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	void *moved;

	if (!is_slot(memory))
		return realloc(memory, size);
	if (size <= SLOT_BYTES)
		return memory;
	moved = malloc(size);
	if (moved == NULL)
		return NULL;
	memcpy(moved, memory, SLOT_BYTES);
	openssl_free(memory, file, line);
	return moved;
}

void
openssl_memory_set(void)
{
	(void)CRYPTO_set_mem_functions(
	    openssl_malloc, openssl_realloc, openssl_free);
}
