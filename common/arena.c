/*
 * Request lifetime: a chain of blocks that are freed together. Not a general
 * allocator: nothing in it is freed alone. Runs in any process; an arena
 * belongs to one thread at a time.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

#define ARENA_ALIGN 16U

/* Most requests fit in the first block, which a reset keeps. */
#define ARENA_BLOCK_BYTES 4096U

struct block {
	_Alignas(ARENA_ALIGN) struct block *next;
	size_t used;
	size_t capacity;
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

struct arena {
	struct block *first;
	struct block *last; /* the one allocated from */
	size_t used;        /* over all blocks, never above max_bytes */
	size_t max_bytes;
};

static struct block *
block_new(size_t capacity)
{
	struct block *block;

	if (capacity > SIZE_MAX - sizeof *block)
		return NULL;
	block = malloc(sizeof *block + capacity);
	if (block == NULL)
		return NULL;
	block->next = NULL;
	block->used = 0;
	block->capacity = capacity;
	return block;
}

static void
blocks_free(struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

struct arena *
arena_new(size_t max_bytes)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (arena == NULL)
		return NULL;
	arena->first = block_new(ARENA_BLOCK_BYTES);
	if (arena->first == NULL) {
		free(arena);
		return NULL;
	}
	arena->last = arena->first;
	arena->max_bytes = max_bytes;
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	blocks_free(arena->first);
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	blocks_free(arena->first->next);
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->last = arena->first;
	arena->used = 0;
}

void
arena_wipe(struct arena *arena)
{
	struct block *block = arena->first; /* there always */

	do {
		explicit_bzero(block->data, block->used);
		block = block->next;
	} while (block != NULL);
	arena_reset(arena);
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
	struct block *block = arena->last;
	void *memory;

	if (bytes == 0)
		bytes = 1; /* distinct pointers, also for nothing */
	if (bytes > SIZE_MAX - ARENA_ALIGN)
		return NULL;
	bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (bytes > arena->max_bytes - arena->used)
		return NULL;
	if (bytes > block->capacity - block->used) {
		block = block_new(
		    bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES);
		if (block == NULL)
			return NULL;
		arena->last->next = block;
		arena->last = block;
	}
	memory = block->data + block->used;
	block->used += bytes;
	arena->used += bytes;
	memset(memory, 0, bytes);
	return memory;
}

char *
arena_copy_str(struct arena *arena, struct span text)
{
	char *copy;

	if (text.len == SIZE_MAX)
		return NULL;
	copy = arena_alloc(arena, text.len + 1);
	if (copy != NULL && text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy_str(arena, span_str(text));
}

struct span
arena_copy(struct arena *arena, struct span bytes)
{
	void *copy;

	if (!span_present(bytes))
		return bytes;
	copy = arena_alloc(arena, bytes.len);
	if (copy == NULL)
		return (struct span){NULL, 0};
	memcpy(copy, bytes.data, bytes.len);
	return span_of(copy, bytes.len);
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (text == NULL)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}
