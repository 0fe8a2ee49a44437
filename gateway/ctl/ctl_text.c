/*
 * Cleaning text for terminals; see ctl_text.h. Runs in `postern`, which has
 * one thread.
 */
#include "gateway/ctl/ctl_text.h"

#include <locale.h>
#include <wchar.h>

#include "common/encoding.h"

void
ctl_text_setup(void)
{
	/* Only the character classes: numbers and messages stay as in C. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* Unicode's marks of direction (UAX 9): with them text reads otherwise than
 * it is ("Trojan source"). Line separators would break a table. */
static bool
is_direction_mark(uint32_t code_point)
{
	return code_point == 0x061c || code_point == 0xfeff ||
	       (code_point >= 0x200e && code_point <= 0x200f) ||
	       (code_point >= 0x2028 && code_point <= 0x202e) ||
	       (code_point >= 0x2066 && code_point <= 0x2069);
}

static bool
is_control(uint32_t code_point)
{
	return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

void
ctl_text_clean(struct buf *out, struct span text, bool keep_lines)
{
	while (text.len > 0) {
		uint32_t code_point = 0;
		size_t len = utf8_next(text, &code_point);

		if (len == 0) {
			buf_printf(out, "\\x%02x", text.data[0]);
			len = 1;
		} else if (code_point == '\t' ||
			   (code_point == '\n' && keep_lines)) {
			buf_append_char(out, (char)code_point);
		} else if (is_control(code_point)) {
			buf_printf(out, "\\x%02x", code_point);
		} else if (is_direction_mark(code_point)) {
			buf_printf(out, "\\u{%04x}", code_point);
		} else {
			buf_append(out, text.data, len);
		}
		text = span_of(text.data + len, text.len - len);
	}
}

size_t
ctl_text_width(struct span text)
{
	size_t width = 0;

	while (text.len > 0) {
		uint32_t code_point = 0;
		size_t len = utf8_next(text, &code_point);
		int columns = len == 0 ? 1 : wcwidth((wchar_t)code_point);

		width += columns > 0 ? (size_t)columns : 0;
		len = len == 0 ? 1 : len;
		text = span_of(text.data + len, text.len - len);
	}
	return width;
}
