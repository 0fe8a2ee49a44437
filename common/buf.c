/*
 * A growing byte buffer with a maximum and a sticky failure. Not a stream: it
 * never blocks or does I/O. Runs in any process, one thread at a time.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/check.h"

/* Smallest allocation: most keys and short messages fit without growing. */
#define BUF_FIRST_BYTES 64U

void
buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max_bytes = max_bytes};
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max_bytes);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	buf->no_memory = false;
}

void
buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->capacity);
	buf_fini(buf);
}

static bool
buf_fail(struct buf *buf, bool no_memory)
{
	buf->failed = true;
	buf->no_memory = no_memory;
	return false;
}

/* Capacity for `need` bytes and a terminator behind them. */
static bool
buf_grow(struct buf *buf, size_t need)
{
	size_t capacity = buf->capacity;
	uint8_t *data;

	if (need == SIZE_MAX)
		return buf_fail(buf, true);
	if (need < capacity)
		return true;
	if (capacity < BUF_FIRST_BYTES)
		capacity = BUF_FIRST_BYTES;
	while (capacity <= need)
		capacity = capacity > SIZE_MAX / 2 ? need + 1 : capacity * 2;
	if (buf->max_bytes < SIZE_MAX && capacity > buf->max_bytes + 1)
		capacity = buf->max_bytes + 1;
	/* Not realloc(): buf_wipe() promises that no copy stays behind. */
	data = malloc(capacity);
	if (data == NULL)
		return buf_fail(buf, true);
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len);
		explicit_bzero(buf->data, buf->len);
		free(buf->data);
	}
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

uint8_t *
buf_reserve(struct buf *buf, size_t len)
{
	if (buf->failed)
		return NULL;
	if (len > buf->max_bytes - buf->len) {
		(void)buf_fail(buf, false);
		return NULL;
	}
	if (!buf_grow(buf, buf->len + len))
		return NULL;
	return buf->data + buf->len;
}

void
buf_commit(struct buf *buf, size_t len)
{
	CHECK(len <= buf->max_bytes - buf->len);
	CHECK(len <= buf->capacity - buf->len);
	buf->len += len;
}

void
buf_append(struct buf *buf, const void *data, size_t len)
{
	uint8_t *room;

	if (len == 0)
		return;
	room = buf_reserve(buf, len);
	if (room == NULL)
		return;
	memcpy(room, data, len);
	buf->len += len;
}

void
buf_append_span(struct buf *buf, struct span bytes)
{
	buf_append(buf, bytes.data, bytes.len);
}

void
buf_append_str(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void
buf_append_char(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	uint8_t *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(len >= 0);
	room = buf_reserve(buf, (size_t)len);
	if (room == NULL)
		return;
	/* The terminator's byte is always there: see buf_grow(). */
	va_start(args, format);
	(void)vsnprintf((char *)room, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void
buf_consume(struct buf *buf, size_t len)
{
	CHECK(len <= buf->len);
	if (len == 0)
		return;
	buf->len -= len;
	memmove(buf->data, buf->data + len, buf->len);
}

struct span
buf_span(const struct buf *buf)
{
	return buf->data == NULL ? span_of("", 0)
				 : span_of(buf->data, buf->len);
}

enum err
buf_status(const struct buf *buf)
{
	if (!buf->failed)
		return OK;
	return buf->no_memory ? ERR_NOMEM : ERR_LIMIT;
}

const char *
buf_cstr(struct buf *buf)
{
	if (buf->failed || !buf_grow(buf, buf->len))
		return NULL;
	buf->data[buf->len] = '\0';
	return (const char *)buf->data;
}
