/*
 * Sealing and restoring a heap (see heap_image.h). Not what else an execution
 * leaves behind in a process: that is child.c. Template and child run it.
 *
 * Only the heap's first part lies in the file. All beyond is one free block in
 * anonymous memory: a private mapping of a hole in a file would fill the file
 * with zeros at the first write of any child.
 */
#include "engine/runner/heap_image.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/check.h"

#define PAGE_BYTES ((size_t)4096)

/* Mapped shared at a time while writing: the address space left by the
 * sandbox (BUFFERS_BYTES) must hold it. */
#define CHUNK_BYTES ((size_t)4 << 20)

/* Up to this much beyond the image is overwritten with zeros: dropping the
 * pages would make the next execution fault them in again. */
#define ZERO_MAX_BYTES ((size_t)128 << 10)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* Linux 6.3 */
#endif

static size_t
whole_pages(size_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

enum err
heap_image_create(const struct heap *heap, int fd)
{
	int made = memfd_create("heap", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	bool failed;

	if (made < 0)
		made = memfd_create("heap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (made < 0)
		return ERR_IO;
	failed = ftruncate(made, (off_t)heap_mapped_bytes(heap)) != 0 ||
		 (made != fd && dup3(made, fd, O_CLOEXEC) < 0);
	if (made != fd)
		(void)close(made);
	return failed ? ERR_IO : OK;
}

/* By a shared mapping, which must be gone before the seals: the sandbox's
 * limit on file sizes forbids write(2). */
static enum err
write_image(const struct heap_image *image, int fd)
{
	for (size_t at = 0; at < image->bytes; at += CHUNK_BYTES) {
		size_t len = image->bytes - at;
		void *chunk;

		if (len > CHUNK_BYTES)
			len = CHUNK_BYTES;
		chunk = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)at);
		if (chunk == MAP_FAILED)
			return ERR_NOMEM;
		memcpy(chunk, (const char *)image->heap + at, len);
		CHECK(munmap(chunk, len) == 0);
	}
	return OK;
}

static enum err
map_image(struct heap_image *image, int fd, bool copies)
{
	void *pristine;

	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		return ERR_IO;
	/* Populated, a fork hands the pages on as they are; otherwise each
	 * child would fault in first the file's page and then its own. */
	/* cppcheck-suppress leakReturnValNotUsed ; it is image->heap */
	if (mmap(image->heap, image->bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_FIXED | (copies ? MAP_POPULATE : 0), fd,
		0) == MAP_FAILED)
		return ERR_NOMEM;
	if (!copies)
		return OK;
	pristine = mmap(NULL, image->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (pristine == MAP_FAILED)
		return ERR_NOMEM;
	image->pristine = pristine;
	return OK;
}

enum err
heap_image_seal(
    struct heap_image *image, struct heap *heap, int fd, size_t copy_max_bytes)
{
	size_t mapped = heap_mapped_bytes(heap);
	enum err err;

	heap_mark_reach(heap);
	*image = (struct heap_image){
	    .heap = heap, .extent_bytes = heap_extent_bytes(heap)};
	image->bytes = whole_pages(image->extent_bytes);
	err = write_image(image, fd);
	if (err == OK)
		err = map_image(image, fd, image->bytes <= copy_max_bytes);
	if (close(fd) != 0 || err != OK)
		return err == OK ? ERR_IO : err;
	/* What compiling left there. */
	if (mapped > image->bytes)
		CHECK(madvise((char *)heap + image->bytes,
			  mapped - image->bytes, MADV_DONTNEED) == 0);
	heap_retag_end(heap, image->extent_bytes);
	return OK;
}

/* All beyond the image up to `reach` becomes zeros. */
static void
clear_tail(const struct heap_image *image, size_t reach)
{
	char *tail = (char *)image->heap + image->bytes;

	if (reach <= image->bytes)
		return;
	if (image->pristine != NULL && reach - image->bytes <= ZERO_MAX_BYTES)
		memset(tail, 0, reach - image->bytes);
	else
		CHECK(
		    madvise(tail, heap_mapped_bytes(image->heap) - image->bytes,
			MADV_DONTNEED) == 0);
}

void
heap_image_restore(const struct heap_image *image)
{
	/* Both lie in the heap: read before that is overwritten. */
	size_t reach = heap_reach_bytes(image->heap);
	size_t mapped = heap_mapped_bytes(image->heap);

	if (reach > mapped)
		reach = mapped;
	clear_tail(image, reach);
	if (image->pristine != NULL)
		memcpy(image->heap, image->pristine, image->bytes);
	else
		CHECK(madvise(image->heap, image->bytes, MADV_DONTNEED) == 0);
	heap_retag_end(image->heap, image->extent_bytes);
}
