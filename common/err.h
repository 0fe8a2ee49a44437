/*
 * The one error type of all processes and of the wire.
 *
 * A function that can fail returns `enum err`; nothing is written to its
 * outputs unless it returns OK. The *sentence* for an operator or a caller
 * travels separately, in the `struct err_detail` the caller passes down; it is
 * filled by whoever first knows what went wrong, and added to on the way up.
 *
 * Threads: everything here may be called from any thread.
 */
#ifndef POSTERN_ERR_H
#define POSTERN_ERR_H

#include <stdbool.h>

enum err {
	OK = 0,
#define ERR(symbol, name, sentence) symbol,
#include "common/err.def"
#undef ERR
	ERR_COUNT
};

/* The compiler insists that a result is looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* Long enough for "FILE:LINE: KEY: sentence" with a long path. */
#define ERR_DETAIL_BYTES 512

/* Zero-initialise; `text` is then the empty string. Any owner, any lifetime. */
struct err_detail {
	char text[ERR_DETAIL_BYTES];
};

/* "ok", or the name of err.def. Never NULL. */
const char *err_name(enum err err);

/* The sentence of err.def. Never NULL. */
const char *err_sentence(enum err err);

/*
 * Sets the sentence and returns `err`, so that a failure reads
 *	return err_set(detail, ERR_INVALID, "port %ld is above 65535", port);
 * `detail` may be NULL. Text that does not fit is cut and ends in "...".
 */
enum err err_set(struct err_detail *detail, enum err err, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* As err_set(), and adds what `errno` says. */
enum err err_set_errno(struct err_detail *detail, enum err err,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that is there; returns `err`. */
enum err err_prefix(struct err_detail *detail, enum err err, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* The sentence set, or err's own where nobody set one. */
const char *err_text(const struct err_detail *detail, enum err err);

#endif
