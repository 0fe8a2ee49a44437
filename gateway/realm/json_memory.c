/*
 * Reading JSON where memory may end; see json_memory.h. While a text is read, a
 * reserve stands by: where malloc() gives nothing jansson gets of that, so that
 * it comes to an end in good order, and what it read is thrown away. Runs on
 * any thread of the gateway.
 */
#include "gateway/realm/json_memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* What jansson makes of a byte at most: of "{}," more than 250 bytes. Most of
 * it is never touched. */
#define RESERVE_PER_BYTE 128
#define RESERVE_BYTES    ((size_t)16 * 1024)

/* Texts of over 512 KiB are whole realms: those are not read on the public
 * listener, and end before they use it up unless they are made for that. */
#define RESERVE_MAX_BYTES ((size_t)64 * 1024 * 1024)

#define RESERVE_ALIGN 16U

/* Of the text that this thread reads. */
static _Thread_local struct {
	uint8_t *bytes; /* NULL: it reads none */
	size_t size;
	size_t used; /* 0: memory has not ended */
} reserve;

static pthread_once_t watched_once = PTHREAD_ONCE_INIT;

static void *
take_reserved(size_t size)
{
	size_t at = reserve.used;

	if (size > reserve.size - at - RESERVE_ALIGN)
		return NULL;
	reserve.used += (size + RESERVE_ALIGN) & ~(size_t)(RESERVE_ALIGN - 1);
	if (reserve.used > reserve.size)
		reserve.used = reserve.size;
	return reserve.bytes + at;
}

static void *
watched_malloc(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL && reserve.bytes != NULL &&
	    reserve.size - reserve.used > RESERVE_ALIGN)
		memory = take_reserved(size);
	return memory;
}

static void
watched_free(void *memory)
{
	uintptr_t at = (uintptr_t)memory;
	uintptr_t begin = (uintptr_t)reserve.bytes;

	if (reserve.bytes == NULL || at < begin || at >= begin + reserve.size)
		free(memory);
}

static void
watch(void)
{
	/* What jansson allocated before is malloc()'s too. */
	json_set_alloc_funcs(watched_malloc, watched_free);
}

static bool
begin_reserve(size_t text_len)
{
	size_t size = RESERVE_MAX_BYTES;

	if (text_len < (size - RESERVE_BYTES) / RESERVE_PER_BYTE)
		size = RESERVE_BYTES + text_len * RESERVE_PER_BYTE;
	reserve.bytes = malloc(size);
	reserve.size = size;
	reserve.used = 0;
	return reserve.bytes != NULL;
}

json_t *
json_memory_load(
    struct span text, size_t flags, json_error_t *error, bool *no_memory_r)
{
	json_t *tree = NULL;
	bool ended = true;

	pthread_once(&watched_once, watch);
	if (begin_reserve(text.len)) {
		tree =
		    json_loadb((const char *)text.data, text.len, flags, error);
		ended = reserve.used > 0;
		if (ended) {
			json_decref(tree);
			tree = NULL;
		}
		free(reserve.bytes);
		reserve.bytes = NULL;
	}
	if (no_memory_r != NULL)
		*no_memory_r = ended;
	return tree;
}
