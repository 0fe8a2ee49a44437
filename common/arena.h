/*
 * Request lifetime: allocations that die together, up to a maximum.
 *
 * Threads: an arena belongs to one thread at a time.
 */
#ifndef POSTERN_ARENA_H
#define POSTERN_ARENA_H

#include <stddef.h>

#include "common/span.h"

struct arena;

/* `max_bytes` bounds all that is ever allocated from it. NULL: out of memory.
 */
struct arena *arena_new(size_t max_bytes);

/* NULL is fine. Frees everything allocated from it. */
void arena_free(struct arena *arena);

/* Forgets everything allocated but keeps the first block for reuse. */
void arena_reset(struct arena *arena);

/* As arena_reset(), and overwrites what was allocated. */
void arena_wipe(struct arena *arena);

/* 16-byte aligned, zeroed; NULL when the maximum would be passed. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* Terminated copies; NULL when the maximum would be passed. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_copy_str(struct arena *arena, struct span text);

/* A copy of the bytes; absent stays absent; also absent when full. */
struct span arena_copy(struct arena *arena, struct span bytes);

char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
