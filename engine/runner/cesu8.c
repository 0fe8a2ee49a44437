/*
 * CESU-8 <-> UTF-8 (see cesu8.h). Not a validator of what duktape does
 * inside: its extended forms beyond U+10FFFF are simply no characters here.
 */
#include "engine/runner/cesu8.h"

#include <stdint.h>

#define IS_HIGH(c) ((c) >= 0xD800 && (c) <= 0xDBFF)
#define IS_LOW(c)  ((c) >= 0xDC00 && (c) <= 0xDFFF)

/* Length of the sequence a lead byte announces, 0 for none. */
static size_t
sequence_len(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

/* One code point or surrogate at `at`; its length, 0 if there is none. */
static size_t
take_unit(struct span text, size_t at, uint32_t *unit_r)
{
	static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = sequence_len(text.data[at]);
	uint32_t unit;

	if (len == 0 || len > text.len - at)
		return 0;
	unit = text.data[at] & lead_bits[len];
	for (size_t i = 1; i < len; i++) {
		if ((text.data[at + i] & 0xC0) != 0x80)
			return 0;
		unit = unit << 6 | (text.data[at + i] & 0x3F);
	}
	if (unit < least[len] || unit > 0x10FFFF)
		return 0;
	*unit_r = unit;
	return len;
}

/* One character: a pair of surrogates counts as one, half a pair as none. */
static size_t
take_character(struct span text, size_t at, uint32_t *character_r)
{
	uint32_t high, low;
	size_t len = take_unit(text, at, &high);
	size_t low_len;

	if (len == 0 || IS_LOW(high))
		return 0;
	if (!IS_HIGH(high)) {
		*character_r = high;
		return len;
	}
	if (at + len >= text.len)
		return 0;
	low_len = take_unit(text, at + len, &low);
	if (low_len == 0 || !IS_LOW(low))
		return 0;
	*character_r = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	return len + low_len;
}

static size_t
put_unit(uint32_t unit, uint8_t out_r[4])
{
	if (unit < 0x80) {
		out_r[0] = (uint8_t)unit;
		return 1;
	}
	if (unit < 0x800) {
		out_r[0] = (uint8_t)(0xC0 | unit >> 6);
		out_r[1] = (uint8_t)(0x80 | (unit & 0x3F));
		return 2;
	}
	if (unit < 0x10000) {
		out_r[0] = (uint8_t)(0xE0 | unit >> 12);
		out_r[1] = (uint8_t)(0x80 | (unit >> 6 & 0x3F));
		out_r[2] = (uint8_t)(0x80 | (unit & 0x3F));
		return 3;
	}
	out_r[0] = (uint8_t)(0xF0 | unit >> 18);
	out_r[1] = (uint8_t)(0x80 | (unit >> 12 & 0x3F));
	out_r[2] = (uint8_t)(0x80 | (unit >> 6 & 0x3F));
	out_r[3] = (uint8_t)(0x80 | (unit & 0x3F));
	return 4;
}

/* Length of the ASCII run at `at`: most text is nothing else. */
static size_t
ascii_run(struct span text, size_t at)
{
	size_t end = at;

	while (end < text.len && text.data[end] < 0x80)
		end++;
	return end - at;
}

enum err
cesu8_from_utf8(struct span utf8, struct buf *out)
{
	uint8_t bytes[4];
	uint32_t unit;
	size_t at = 0;

	while (at < utf8.len) {
		size_t len = ascii_run(utf8, at);

		if (len > 0) {
			buf_append(out, utf8.data + at, len);
			at += len;
			continue;
		}
		len = take_unit(utf8, at, &unit);
		if (len == 0 || IS_HIGH(unit) || IS_LOW(unit))
			return ERR_INVALID;
		at += len;
		if (unit < 0x10000) {
			buf_append(out, bytes, put_unit(unit, bytes));
			continue;
		}
		unit -= 0x10000;
		buf_append(out, bytes, put_unit(0xD800 + (unit >> 10), bytes));
		buf_append(
		    out, bytes, put_unit(0xDC00 + (unit & 0x3FF), bytes));
	}
	return buf_status(out);
}

enum err
cesu8_to_utf8(struct span cesu8, struct buf *out)
{
	uint8_t bytes[4];
	uint32_t character;
	size_t at = 0;

	while (at < cesu8.len) {
		size_t len = ascii_run(cesu8, at);

		if (len > 0) {
			buf_append(out, cesu8.data + at, len);
			at += len;
			continue;
		}
		len = take_character(cesu8, at, &character);
		if (len == 0)
			return ERR_INVALID;
		at += len;
		buf_append(out, bytes, put_unit(character, bytes));
	}
	return buf_status(out);
}

bool
cesu8_to_utf8_lossy(struct span cesu8, size_t max_bytes, struct buf *out)
{
	const uint32_t replacement = 0xFFFD;
	uint8_t bytes[4];
	uint32_t character;
	size_t at = 0;

	while (at < cesu8.len) {
		size_t len = take_character(cesu8, at, &character);
		size_t put;

		if (len == 0) {
			len = take_unit(cesu8, at, &character);
			if (len == 0)
				len = 1;
			character = replacement;
		}
		put = put_unit(character, bytes);
		if (put > max_bytes)
			return true;
		buf_append(out, bytes, put);
		max_bytes -= put;
		at += len;
	}
	return false;
}
