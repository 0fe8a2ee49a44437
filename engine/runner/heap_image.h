/*
 * The pristine heap of a release: written once to a memfd that is then sealed,
 * mapped private in place of the heap, and restored between two executions of
 * one process (ARCHITECTURE 5, SPEC 3.3).
 *
 * Life: heap_image_create() before the sandbox closes, heap_image_seal() once
 * the script is loaded and its heap settled, heap_image_restore() in children.
 * Threads: one.
 */
#ifndef POSTERN_HEAP_IMAGE_H
#define POSTERN_HEAP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "engine/runner/heap.h"

/*
 * Images up to this size are restored by copying, which takes less time than
 * dropping pages and faulting them in again up to about 4 MiB, but makes all of
 * the image each child's own memory (docs/EXECUTION-COST.md shows both).
 */
#define HEAP_IMAGE_COPY_MAX_BYTES ((size_t)1 << 20)

struct heap_image {
	struct heap *heap; /* borrowed; NULL before heap_image_seal() */
	size_t bytes;      /* whole pages, all of the heap that matters */
	size_t extent_bytes;
	const void *pristine; /* read-only mapping to copy from; NULL: pages
			       * are dropped instead */
};

/* A memfd with room for `heap`, at the number `fd`. */
enum err heap_image_create(const struct heap *heap, int fd) MUST_USE;

/*
 * Writes the heap into the memfd, seals that, puts a private mapping of it in
 * the heap's place and closes `fd`. From then on the file's pages cannot
 * change, whoever writes to the heap. `copy_max_bytes`: greatest image to be
 * restored by copying (a constant above; others are for measuring).
 */
enum err heap_image_seal(struct heap_image *image, struct heap *heap, int fd,
    size_t copy_max_bytes) MUST_USE;

/* Every byte of the heap is again as it was sealed. */
void heap_image_restore(const struct heap_image *image);

#endif
