/*
 * The script's memory (see heap.h). Not a general malloc: one thread, one
 * arena, no growth. The script cannot write raw memory unless it owns the
 * process already, so the tags are trusted.
 *
 * Layout: struct heap, then blocks back to back, then a final tag of size 0.
 * A block is an 8-byte tag (size with two flags) and the payload; a free one
 * also holds list links at its start and its size in its last 8 bytes, which
 * its right neighbour reads to merge. Tags lie at 8 modulo 16, so payloads
 * are 16-byte aligned.
 */
#include "engine/runner/heap.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/check.h"

#define TAG_BYTES        sizeof(uint64_t)
#define BLOCK_MIN_BYTES  32 /* tag, two links, size at the end */
#define BLOCK_HEAD_BYTES 24 /* tag and two links */
#define BLOCK_ALIGN      16
#define LIMIT_MIN_BYTES  4096
#define LIMIT_MAX_BYTES  ((size_t)2 << 30)

/* Bits of a tag beside the size. */
#define FLAG_FREE      1u
#define FLAG_LEFT_FREE 2u
#define FLAGS          (FLAG_FREE | FLAG_LEFT_FREE)

/* A class per power of two, each cut into LINES equal parts. */
#define LINES_LOG2  4
#define LINES       (1u << LINES_LOG2)
#define CLASS_FIRST 5  /* 32 bytes */
#define CLASSES     28 /* up to 4 GiB */

struct block {
	uint64_t tag;
	struct block *next; /* of a free block; NULL at the end of its list */
	struct block *prev; /* NULL at the start */
};

struct heap {
	size_t mapped_bytes;
	size_t limit_bytes; /* of all blocks together */
	size_t used_bytes;
	size_t peak_bytes;
	size_t reach_bytes; /* see heap_reach_bytes() */
	bool exhausted;
	uint32_t class_map; /* bit c: some line of class c has a block */
	uint32_t line_map[CLASSES]; /* bit l: lists[c][l] is not empty */
	struct block *lists[CLASSES][LINES];
};

static size_t
block_size(const struct block *block)
{
	return (size_t)(block->tag & ~(uint64_t)FLAGS);
}

static struct block *
block_at(const struct block *block, size_t offset)
{
	return (struct block *)(void *)((uintptr_t)block + offset);
}

static struct block *
block_right(const struct block *block)
{
	return block_at(block, block_size(block));
}

static struct block *
block_left(const struct block *block)
{
	const uint64_t *size = (const uint64_t *)(const void *)block - 1;

	return (struct block *)(void *)((uintptr_t)block - (uintptr_t)*size);
}

static void *
block_payload(struct block *block)
{
	return (char *)block + TAG_BYTES;
}

static struct block *
block_of(void *payload)
{
	return (struct block *)(void *)((char *)payload - TAG_BYTES);
}

static struct block *
first_block(const struct heap *heap)
{
	uintptr_t at = (uintptr_t)heap + sizeof *heap;

	at = (at + BLOCK_ALIGN - 1) & ~(uintptr_t)(BLOCK_ALIGN - 1);
	return (struct block *)(void *)(at + TAG_BYTES);
}

/* The list that a block of `size` belongs into. */
static void
list_of(size_t size, unsigned *class_r, unsigned *line_r)
{
	unsigned log2 = 63u - (unsigned)__builtin_clzll(size);

	*class_r = log2 - CLASS_FIRST;
	*line_r = (unsigned)(size >> (log2 - LINES_LOG2)) & (LINES - 1);
}

static void
list_insert(struct heap *heap, struct block *block)
{
	unsigned class, line;

	list_of(block_size(block), &class, &line);
	block->prev = NULL;
	block->next = heap->lists[class][line];
	if (block->next != NULL)
		block->next->prev = block;
	heap->lists[class][line] = block;
	heap->line_map[class] |= 1u << line;
	heap->class_map |= 1u << class;
}

static void
list_remove(struct heap *heap, struct block *block)
{
	unsigned class, line;

	if (block->next != NULL)
		block->next->prev = block->prev;
	if (block->prev != NULL) {
		block->prev->next = block->next;
		return;
	}
	list_of(block_size(block), &class, &line);
	heap->lists[class][line] = block->next;
	if (block->next != NULL)
		return;
	heap->line_map[class] &= ~(1u << line);
	if (heap->line_map[class] == 0)
		heap->class_map &= ~(1u << class);
}

/* Some free block of at least `size`, or NULL. Looks only into lists all of
 * whose blocks are large enough, except for the very last resort: blocks in
 * the size's own list may be a little too small. */
static struct block *
list_find(const struct heap *heap, size_t size)
{
	unsigned class, line, own_class, own_line;
	uint32_t lines, classes;

	list_of(size, &own_class, &own_line);
	class = own_class;
	line = own_line + 1;
	lines = line < LINES ? heap->line_map[class] & (~0u << line) : 0;
	if (lines == 0) {
		classes = heap->class_map & (uint32_t)(~UINT64_C(1) << class);
		if (classes != 0) {
			class = (unsigned)__builtin_ctz(classes);
			lines = heap->line_map[class];
		}
	}
	if (lines != 0)
		return heap->lists[class][__builtin_ctz(lines)];
	for (struct block *block = heap->lists[own_class][own_line];
	     block != NULL; block = block->next)
		if (block_size(block) >= size)
			return block;
	return NULL;
}

/* Makes [block, size) free, merged with free neighbours, and lists it. */
static void
release(struct heap *heap, struct block *block, size_t size, bool left_free)
{
	struct block *right = block_at(block, size);
	uint64_t *end;

	if (right->tag & FLAG_FREE) {
		list_remove(heap, right);
		size += block_size(right);
	}
	if (left_free) {
		block = block_left(block);
		list_remove(heap, block);
		size += block_size(block);
	}
	block->tag = size | FLAG_FREE;
	right = block_at(block, size);
	end = (uint64_t *)(void *)right - 1;
	*end = size;
	right->tag |= FLAG_LEFT_FREE;
	list_insert(heap, block);
}

static void
note_reach(struct heap *heap, const struct block *end)
{
	size_t reach = (uintptr_t)end - (uintptr_t)heap + BLOCK_HEAD_BYTES;

	if (reach > heap->reach_bytes)
		heap->reach_bytes = reach;
}

/* Cuts a block in use down to `size`, releasing the rest if it can stand. */
static void
trim(struct heap *heap, struct block *block, size_t size)
{
	size_t rest = block_size(block) - size;

	note_reach(heap, rest < BLOCK_MIN_BYTES ? block_right(block)
						: block_at(block, size));
	if (rest < BLOCK_MIN_BYTES)
		return;
	block->tag = size | (block->tag & FLAG_LEFT_FREE);
	release(heap, block_at(block, size), rest, false);
}

static void
count(struct heap *heap, size_t before, size_t after)
{
	heap->used_bytes = heap->used_bytes - before + after;
	if (heap->used_bytes > heap->peak_bytes)
		heap->peak_bytes = heap->used_bytes;
}

/* Block size for a request; 0 if no block can be that large. */
static size_t
size_for(size_t bytes)
{
	size_t size;

	if (bytes > LIMIT_MAX_BYTES)
		return 0;
	size =
	    (bytes + TAG_BYTES + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
	return size < BLOCK_MIN_BYTES ? BLOCK_MIN_BYTES : size;
}

void *
heap_alloc(struct heap *heap, size_t bytes)
{
	size_t size = size_for(bytes);
	struct block *block;

	if (bytes == 0)
		return NULL;
	block = size == 0 ? NULL : list_find(heap, size);
	if (block == NULL) {
		heap->exhausted = true;
		return NULL;
	}
	list_remove(heap, block);
	block->tag &= ~(uint64_t)FLAG_FREE;
	block_right(block)->tag &= ~(uint64_t)FLAG_LEFT_FREE;
	trim(heap, block, size);
	count(heap, 0, block_size(block));
	return block_payload(block);
}

void
heap_free(struct heap *heap, void *payload)
{
	struct block *block;

	if (payload == NULL)
		return;
	block = block_of(payload);
	count(heap, block_size(block), 0);
	release(
	    heap, block, block_size(block), (block->tag & FLAG_LEFT_FREE) != 0);
}

/* Takes the free right neighbour in if that makes the block large enough. */
static bool
grow_in_place(struct heap *heap, struct block *block, size_t size)
{
	struct block *right = block_right(block);
	size_t joined = block_size(block);

	if (!(right->tag & FLAG_FREE))
		return false;
	joined += block_size(right);
	if (joined < size)
		return false;
	list_remove(heap, right);
	block->tag = joined | (block->tag & FLAG_LEFT_FREE);
	block_right(block)->tag &= ~(uint64_t)FLAG_LEFT_FREE;
	return true;
}

void *
heap_realloc(struct heap *heap, void *payload, size_t bytes)
{
	struct block *block;
	size_t before, size;
	void *moved;

	if (payload == NULL)
		return heap_alloc(heap, bytes);
	if (bytes == 0) {
		heap_free(heap, payload);
		return NULL;
	}
	block = block_of(payload);
	before = block_size(block);
	size = size_for(bytes);
	if (size != 0 && (size <= before || grow_in_place(heap, block, size))) {
		trim(heap, block, size);
		count(heap, before, block_size(block));
		return payload;
	}
	moved = heap_alloc(heap, bytes);
	if (moved == NULL)
		return NULL;
	memcpy(moved, payload, before - TAG_BYTES);
	heap_free(heap, payload);
	return moved;
}

void
heap_reset(struct heap *heap)
{
	size_t mapped_bytes = heap->mapped_bytes;
	size_t limit_bytes = heap->limit_bytes;
	struct block *first = first_block(heap);
	struct block *last = block_at(first, limit_bytes);

	memset(heap, 0, sizeof *heap);
	heap->mapped_bytes = mapped_bytes;
	heap->limit_bytes = limit_bytes;
	last->tag = 0; /* a block in use of size 0: nothing merges with it */
	release(heap, first, limit_bytes, false);
	heap_mark_reach(heap);
}

struct heap *
heap_open(size_t limit_bytes)
{
	size_t page = 4096;
	size_t mapped;
	struct heap *heap;

	if (limit_bytes < LIMIT_MIN_BYTES || limit_bytes > LIMIT_MAX_BYTES)
		return NULL;
	limit_bytes &= ~(size_t)(BLOCK_ALIGN - 1);
	mapped = sizeof *heap + BLOCK_ALIGN + limit_bytes + TAG_BYTES;
	mapped = (mapped + page - 1) & ~(page - 1);
	heap = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (heap == MAP_FAILED)
		return NULL;
	/* A huge page for a heap of 200 KiB would cost 2 MiB a template. */
	(void)madvise(heap, mapped, MADV_NOHUGEPAGE);
	heap->mapped_bytes = mapped;
	heap->limit_bytes = limit_bytes;
	heap_reset(heap);
	return heap;
}

void
heap_close(struct heap *heap)
{
	if (heap != NULL)
		CHECK(munmap(heap, heap->mapped_bytes) == 0);
}

size_t
heap_used_bytes(const struct heap *heap)
{
	return heap->used_bytes;
}

size_t
heap_peak_bytes(const struct heap *heap)
{
	return heap->peak_bytes;
}

bool
heap_exhausted(const struct heap *heap)
{
	return heap->exhausted;
}

void
heap_clear_exhausted(struct heap *heap)
{
	heap->exhausted = false;
}

size_t
heap_mapped_bytes(const struct heap *heap)
{
	return heap->mapped_bytes;
}

size_t
heap_extent_bytes(const struct heap *heap)
{
	const struct block *last =
	    block_at(first_block(heap), heap->limit_bytes);

	if (!(last->tag & FLAG_LEFT_FREE))
		return heap->mapped_bytes;
	return (uintptr_t)block_left(last) - (uintptr_t)heap + BLOCK_HEAD_BYTES;
}

size_t
heap_reach_bytes(const struct heap *heap)
{
	return heap->reach_bytes;
}

void
heap_mark_reach(struct heap *heap)
{
	heap->reach_bytes = heap_extent_bytes(heap);
}

void
heap_retag_end(struct heap *heap, size_t extent_bytes)
{
	struct block *last = block_at(first_block(heap), heap->limit_bytes);
	const struct block *left;
	uint64_t *end = (uint64_t *)(void *)last - 1;

	if (extent_bytes == heap->mapped_bytes)
		return;
	left = (const struct block *)(void *)((uintptr_t)heap + extent_bytes -
					      BLOCK_HEAD_BYTES);
	*end = block_size(left);
	last->tag = FLAG_LEFT_FREE;
}

/* Is a free block in the list of its size? */
static bool
is_listed(const struct heap *heap, const struct block *block)
{
	unsigned class, line;
	const struct block *at;

	list_of(block_size(block), &class, &line);
	for (at = heap->lists[class][line]; at != NULL; at = at->next)
		if (at == block)
			return true;
	return false;
}

bool
heap_is_sound(const struct heap *heap)
{
	const struct block *block = first_block(heap);
	uintptr_t last = (uintptr_t)block + heap->limit_bytes;
	size_t used = 0;
	bool left_free = false;

	while ((uintptr_t)block < last) {
		bool is_free = (block->tag & FLAG_FREE) != 0;

		if (block_size(block) < BLOCK_MIN_BYTES ||
		    ((block->tag & FLAG_LEFT_FREE) != 0) != left_free)
			return false;
		if (is_free && (left_free || !is_listed(heap, block)))
			return false; /* unmerged, or lost */
		if (!is_free)
			used += block_size(block);
		left_free = is_free;
		block = block_right(block);
	}
	return (uintptr_t)block == last && used == heap->used_bytes &&
	       used <= heap->peak_bytes;
}
