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

/*
 * For heap_image.c. What lies at or beyond these many bytes from the heap's
 * start is one free block without contents, up to its end tags; that block's
 * start is included. The mapping's size if the last block is in use.
 */
size_t heap_extent_bytes(const struct heap *heap);
size_t heap_mapped_bytes(const struct heap *heap);

/* Nothing at or beyond this was written since heap_reset() or
 * heap_mark_reach(), end tags apart. */
size_t heap_reach_bytes(const struct heap *heap);
void heap_mark_reach(struct heap *heap); /* it is now the extent */

/* Writes the end tags again, after all beyond the extent became zeros. */
void heap_retag_end(struct heap *heap, size_t extent_bytes);

/* Walks every block and list; false if anything disagrees (for tests). */
bool heap_is_sound(const struct heap *heap);

#endif
