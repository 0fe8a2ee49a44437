/*
 * The script's memory: an allocator over one reserved mapping of fixed size.
 *
 * Two-level segregated fit with boundary tags: allocation, release and
 * coalescing take constant time. All state lies inside the mapping and no
 * pointer leads out of it, so a copy of the mapping at the same address is a
 * working heap. Nothing is ever allocated beyond the limit given at the start.
 *
 * Threads: one.
 */
#ifndef POSTERN_HEAP_H
#define POSTERN_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap;

/* Maps `limit_bytes` and the book-keeping. NULL: no memory, or the limit is
 * below 4 KiB or above 2 GiB. Release with heap_close(). */
struct heap *heap_open(size_t limit_bytes);
void heap_close(struct heap *heap);

/* Forgets every allocation, the peak and the exhausted mark. */
void heap_reset(struct heap *heap);

/* 16-byte aligned. NULL for 0 bytes, and when it does not fit (which sets
 * the exhausted mark). */
void *heap_alloc(struct heap *heap, size_t bytes);

/* As realloc(3); on failure the old block stays as it is. */
void *heap_realloc(struct heap *heap, void *block, size_t bytes);
void heap_free(struct heap *heap, void *block); /* NULL is fine */

size_t heap_used_bytes(const struct heap *heap); /* with block overhead */
size_t heap_peak_bytes(const struct heap *heap);

/* An allocation was refused since the start or heap_clear_exhausted(). */
bool heap_exhausted(const struct heap *heap);
void heap_clear_exhausted(struct heap *heap);

/* Walks every block and list; false if anything disagrees (for tests). */
bool heap_is_sound(const struct heap *heap);

#endif
