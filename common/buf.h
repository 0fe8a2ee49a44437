/*
 * A growing byte buffer with a maximum. The first failed append marks it
 * failed and later ones do nothing, so a writer checks once at the end.
 *
 * Threads: one at a time.
 */
#ifndef POSTERN_BUF_H
#define POSTERN_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

struct buf {
	uint8_t *data; /* owned; NULL while nothing was appended */
	size_t len;
	size_t capacity;
	size_t max_bytes;
	bool failed;    /* an append did not fit or memory ran out */
	bool no_memory; /* why it failed: memory, not max_bytes */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_fini(struct buf *buf);  /* frees; the buffer is as after init */
void buf_reset(struct buf *buf); /* empties, keeps the memory, clears failed */
void buf_wipe(struct buf *buf);  /* overwrites the bytes, then buf_fini() */

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_span(struct buf *buf, struct span bytes);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `len` bytes at the end, to be filled by the caller, who then calls
 * buf_commit() with what was written. NULL: does not fit (marked failed). */
uint8_t *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);

/* Drops `len` bytes at the front. */
void buf_consume(struct buf *buf, size_t len);

struct span buf_span(const struct buf *buf);

/* OK, ERR_LIMIT when an append did not fit, ERR_NOMEM. */
enum err buf_status(const struct buf *buf) MUST_USE;

/* Terminates with a NUL that len does not count; NULL when failed. */
const char *buf_cstr(struct buf *buf);

#endif
