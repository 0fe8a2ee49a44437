/*
 * Text encodings of bytes, and UTF-8. All decoders are strict: exactly the
 * alphabet, no white space, canonical padding bits, no partial output.
 * Threads: any.
 */
#ifndef POSTERN_ENCODING_H
#define POSTERN_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

void hex_append_upper(struct buf *out, struct span bytes);
void hex_append_lower(struct buf *out, struct span bytes);

/* Accepts both cases. ERR_SYNTAX unless text is exactly 2 * len digits. */
enum err hex_decode(struct span text, uint8_t *out_r, size_t len) MUST_USE;

/* RFC 4648 section 5, without padding. */
void base64url_append(struct buf *out, struct span bytes);
enum err base64url_decode(struct span text, struct buf *out) MUST_USE;

/* RFC 4648 section 4, padding required. */
void base64_append(struct buf *out, struct span bytes);
enum err base64_decode(struct span text, struct buf *out) MUST_USE;

/* RFC 3986 percent-decoding, once; `plus_is_space` as in a form (HTML 5).
 * ERR_SYNTAX on a cut or non-hex escape and on %00. */
enum err
percent_decode(struct span text, bool plus_is_space, struct buf *out) MUST_USE;

/* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF. */
bool utf8_is_valid(struct span text);

/* Bytes (1 to 4) of the valid sequence that `text` starts with, whose code
 * point it stores; 0, and nothing stored, where there is none. */
size_t utf8_next(struct span text, uint32_t *code_point_r);

#endif
