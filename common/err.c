/*
 * Names of errors and the sentences that travel with them. Not the mapping to
 * HTTP or exit statuses. Any process, any thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

static const char CUT_MARK[] = "...";

const char *
err_name(enum err err)
{
	static const char *const names[] = {
	    [OK] = "ok",
#define ERR(symbol, name, sentence) [symbol] = name,
#include "common/err.def"
#undef ERR
	};

	return (unsigned)err < ERR_COUNT ? names[err] : "unknown";
}

const char *
err_sentence(enum err err)
{
	static const char *const sentences[] = {
	    [OK] = "no error",
#define ERR(symbol, name, sentence) [symbol] = sentence,
#include "common/err.def"
#undef ERR
	};

	return (unsigned)err < ERR_COUNT ? sentences[err] : "unknown error";
}

/* Ends text that filled the array in the mark, between two characters. */
static void
detail_mark_cut(struct err_detail *detail)
{
	size_t at = sizeof detail->text - sizeof CUT_MARK;

	while (at > 0 && ((unsigned char)detail->text[at] & 0xC0) == 0x80)
		at--;
	memcpy(detail->text + at, CUT_MARK, sizeof CUT_MARK);
}

/* Appends behind `len` bytes; returns the new length, full when cut. */
static size_t __attribute__((format(printf, 3, 0))) detail_append(
    struct err_detail *detail, size_t len, const char *format, va_list args)
{
	size_t room = sizeof detail->text - len;
	int wrote = vsnprintf(detail->text + len, room, format, args);

	if (wrote < 0)
		return len;
	if ((size_t)wrote < room)
		return len + (size_t)wrote;
	detail_mark_cut(detail);
	return sizeof detail->text - 1;
}

static size_t __attribute__((format(printf, 3, 4)))
detail_printf(struct err_detail *detail, size_t len, const char *format, ...)
{
	va_list args;

	if (len == sizeof detail->text - 1)
		return len; /* cut already; keep the mark where it is */
	va_start(args, format);
	len = detail_append(detail, len, format, args);
	va_end(args);
	return len;
}

enum err
err_set(struct err_detail *detail, enum err err, const char *format, ...)
{
	va_list args;

	if (detail == NULL)
		return err;
	va_start(args, format);
	(void)detail_append(detail, 0, format, args);
	va_end(args);
	return err;
}

enum err
err_set_errno(struct err_detail *detail, enum err err, const char *format, ...)
{
	int saved = errno;
	const char *reason = strerrordesc_np(saved);
	va_list args;
	size_t len;

	if (detail == NULL)
		return err;
	va_start(args, format);
	len = detail_append(detail, 0, format, args);
	va_end(args);
	if (reason != NULL)
		(void)detail_printf(detail, len, ": %s", reason);
	else
		(void)detail_printf(detail, len, ": error %d", saved);
	errno = saved;
	return err;
}

enum err
err_prefix(struct err_detail *detail, enum err err, const char *format, ...)
{
	struct err_detail old;
	va_list args;
	size_t len;

	if (detail == NULL)
		return err;
	old = *detail; /* also because an argument may point into it */
	va_start(args, format);
	len = detail_append(detail, 0, format, args);
	va_end(args);
	(void)detail_printf(detail, len, ": %s", err_text(&old, err));
	return err;
}

const char *
err_text(const struct err_detail *detail, enum err err)
{
	if (detail == NULL || detail->text[0] == '\0')
		return err_sentence(err);
	return detail->text;
}
