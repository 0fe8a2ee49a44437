/*
 * Duktape's strings and the wire's. Duktape keeps a character outside the
 * basic plane as two surrogates of three bytes each (CESU-8); messages carry
 * UTF-8. Threads: any.
 */
#ifndef POSTERN_CESU8_H
#define POSTERN_CESU8_H

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* Appends the CESU-8 of valid UTF-8. ERR_INVALID: not valid UTF-8. */
enum err cesu8_from_utf8(struct span utf8, struct buf *out) MUST_USE;

/* Appends the UTF-8. ERR_INVALID: a lone surrogate, or no text at all. */
enum err cesu8_to_utf8(struct span cesu8, struct buf *out) MUST_USE;

/* As cesu8_to_utf8(), with U+FFFD for what is no character, cut between two
 * characters so that `out` grows by at most `max_bytes`. True: was cut. */
bool cesu8_to_utf8_lossy(struct span cesu8, size_t max_bytes, struct buf *out);

#endif
