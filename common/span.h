/*
 * A borrowed run of bytes: pointer and length, never owned, not terminated.
 * `data` is NULL only where a field is absent; an empty present span has a
 * non-NULL pointer and length 0. Header only.
 */
#ifndef POSTERN_SPAN_H
#define POSTERN_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *data;
	size_t len;
};

/* For printf: "%.*s", SPAN_ARG(span). Only for text known to be printable. */
#define SPAN_ARG(s) \
	(int)(s).len, (const char *)((s).data ? (s).data : (const uint8_t *)"")

static inline struct span
span_of(const void *data, size_t len)
{
	return (struct span){(const uint8_t *)data, len};
}

/* NULL gives the absent span. */
static inline struct span
span_str(const char *text)
{
	return text == NULL
		   ? (struct span){NULL, 0}
		   : (struct span){(const uint8_t *)text, strlen(text)};
}

static inline bool
span_present(struct span s)
{
	return s.data != NULL;
}

/* Not constant time: never on secrets (see secret.h). */
static inline bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
span_is(struct span s, const char *text)
{
	return span_equal(s, span_str(text));
}

#endif
