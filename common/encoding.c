/*
 * Hex, base64, percent-encoding and UTF-8, strictly. Our own because common
 * links no crypto library, and those are lenient. Any process, any thread.
 */
#include <string.h>

#include "common/encoding.h"

/* Value of a byte that is not in the alphabet. */
#define NOT_A_DIGIT 0xFFU

static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char HEX_LOWER[] = "0123456789abcdef";
static const char ALPHABET_STANDARD[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char ALPHABET_URL[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
hex_append(struct buf *out, struct span bytes, const char *digits)
{
	for (size_t i = 0; i < bytes.len; i++) {
		buf_append_char(out, digits[bytes.data[i] >> 4]);
		buf_append_char(out, digits[bytes.data[i] & 0x0F]);
	}
}

void
hex_append_upper(struct buf *out, struct span bytes)
{
	hex_append(out, bytes, HEX_UPPER);
}

void
hex_append_lower(struct buf *out, struct span bytes)
{
	hex_append(out, bytes, HEX_LOWER);
}

static unsigned
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	if (c >= 'a' && c <= 'f')
		return c - (unsigned)'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - (unsigned)'A' + 10;
	return NOT_A_DIGIT;
}

enum err
hex_decode(struct span text, uint8_t *out_r, size_t len)
{
	if (text.len % 2 != 0 || text.len / 2 != len)
		return ERR_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		if (hex_value(text.data[i]) == NOT_A_DIGIT)
			return ERR_SYNTAX;
	}
	for (size_t i = 0; i < len; i++)
		out_r[i] = (uint8_t)(hex_value(text.data[2 * i]) << 4 |
				     hex_value(text.data[2 * i + 1]));
	return OK;
}

static void
base64_append_with(
    struct buf *out, struct span bytes, const char *alphabet, bool padded)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t bits = (uint32_t)bytes.data[i] << 16;
		char group[4];

		if (have > 1)
			bits |= (uint32_t)bytes.data[i + 1] << 8;
		if (have > 2)
			bits |= bytes.data[i + 2];
		group[0] = alphabet[bits >> 18];
		group[1] = alphabet[bits >> 12 & 0x3F];
		group[2] = have > 1 ? alphabet[bits >> 6 & 0x3F] : '=';
		group[3] = have > 2 ? alphabet[bits & 0x3F] : '=';
		buf_append(out, group, padded ? sizeof group : have + 1);
	}
}

void
base64url_append(struct buf *out, struct span bytes)
{
	base64_append_with(out, bytes, ALPHABET_URL, false);
}

void
base64_append(struct buf *out, struct span bytes)
{
	base64_append_with(out, bytes, ALPHABET_STANDARD, true);
}

static unsigned
base64_value(uint8_t c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - (unsigned)'A';
	if (c >= 'a' && c <= 'z')
		return c - (unsigned)'a' + 26;
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0' + 52;
	if (c == (uint8_t)alphabet[62])
		return 62;
	if (c == (uint8_t)alphabet[63])
		return 63;
	return NOT_A_DIGIT;
}

/* Only digits, a possible length, and zero in the bits that carry nothing. */
static bool
base64_is_canonical(struct span digits, const char *alphabet)
{
	unsigned last;

	for (size_t i = 0; i < digits.len; i++) {
		if (base64_value(digits.data[i], alphabet) == NOT_A_DIGIT)
			return false;
	}
	if (digits.len % 4 == 0)
		return true;
	if (digits.len % 4 == 1)
		return false;
	last = base64_value(digits.data[digits.len - 1], alphabet);
	return (last & (digits.len % 4 == 2 ? 0x0FU : 0x03U)) == 0;
}

/* `digits` is without padding. */
static enum err
base64_decode_digits(struct span digits, const char *alphabet, struct buf *out)
{
	size_t len = digits.len / 4 * 3 + digits.len % 4 * 3 / 4;
	uint8_t *room;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t made = 0;

	if (!base64_is_canonical(digits, alphabet))
		return ERR_SYNTAX;
	room = buf_reserve(out, len);
	if (room == NULL)
		return buf_status(out);
	for (size_t i = 0; i < digits.len; i++) {
		bits = bits << 6 | base64_value(digits.data[i], alphabet);
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			room[made++] = (uint8_t)(bits >> bit_count);
		}
	}
	buf_commit(out, made);
	return OK;
}

enum err
base64url_decode(struct span text, struct buf *out)
{
	return base64_decode_digits(text, ALPHABET_URL, out);
}

enum err
base64_decode(struct span text, struct buf *out)
{
	if (text.len % 4 != 0)
		return ERR_SYNTAX;
	/* A third '=' is no digit and is refused as such. */
	for (int i = 0; i < 2; i++) {
		if (text.len > 0 && text.data[text.len - 1] == '=')
			text.len--;
	}
	return base64_decode_digits(text, ALPHABET_STANDARD, out);
}

/* True, and the byte in *byte_r, for "%XX" at `at` other than %00. */
static bool
percent_escape(struct span text, size_t at, uint8_t *byte_r)
{
	unsigned high, low;

	if (text.len - at < 3)
		return false;
	high = hex_value(text.data[at + 1]);
	low = hex_value(text.data[at + 2]);
	if (high == NOT_A_DIGIT || low == NOT_A_DIGIT || (high | low) == 0)
		return false;
	*byte_r = (uint8_t)(high << 4 | low);
	return true;
}

enum err
percent_decode(struct span text, bool plus_is_space, struct buf *out)
{
	size_t len = 0;
	uint8_t *room;

	for (size_t i = 0; i < text.len; i++, len++) {
		uint8_t byte;

		if (text.data[i] != '%')
			continue;
		if (!percent_escape(text, i, &byte))
			return ERR_SYNTAX;
		i += 2;
	}
	room = buf_reserve(out, len);
	if (room == NULL)
		return buf_status(out);
	for (size_t i = 0; i < text.len; i++, room++) {
		*room = text.data[i];
		if (*room == '+' && plus_is_space)
			*room = ' ';
		else if (*room == '%' && percent_escape(text, i, room))
			i += 2;
	}
	buf_commit(out, len);
	return OK;
}

static bool
utf8_is_tail(struct span text, size_t at)
{
	return at < text.len && (text.data[at] & 0xC0) == 0x80;
}

size_t
utf8_next(struct span text, uint32_t *code_point_r)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code_point;
	size_t len;
	uint8_t head;

	if (text.len == 0)
		return 0;
	head = text.data[0];
	if (head < 0x80) {
		*code_point_r = head;
		return 1;
	}
	len = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
	if (head < 0xC2 || head > 0xF4)
		return 0;
	code_point = head & (0x7FU >> len);
	for (size_t i = 1; i < len; i++) {
		if (!utf8_is_tail(text, i))
			return 0;
		code_point = code_point << 6 | (text.data[i] & 0x3FU);
	}
	if (code_point < least[len] || code_point > 0x10FFFF ||
	    (code_point >= 0xD800 && code_point <= 0xDFFF))
		return 0;
	*code_point_r = code_point;
	return len;
}

bool
utf8_is_valid(struct span text)
{
	while (text.len > 0) {
		uint32_t code_point;
		size_t len = utf8_next(text, &code_point);

		if (len == 0)
			return false;
		text = span_of(text.data + len, text.len - len);
	}
	return true;
}
