/*
 * The spelling of identifiers in a realm. Not of addresses and hashes: those
 * are realm_address.c and realm_hash.c. Runs on any thread.
 */
#include "common/encoding.h"
#include "gateway/realm/realm_syntax.h"

static bool
syntax_is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/* 1 to max letters, digits and characters of `others`. */
static bool
syntax_is_word(struct span text, const char *others, size_t max)
{
	if (text.len == 0 || text.len > max)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!syntax_is_alnum(c) &&
		    (c == 0 || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

static bool
syntax_has_controls(struct span text, const char *except)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == 0 || c == 0x7f)
			return true;
		if (c < 0x20 && strchr(except, c) == NULL)
			return true;
	}
	return false;
}

bool
realm_syntax_is_text(struct span text)
{
	return utf8_is_valid(text) && !syntax_has_controls(text, "");
}

bool
realm_syntax_is_lines(struct span text)
{
	return utf8_is_valid(text) && !syntax_has_controls(text, "\t\r\n");
}

bool
realm_syntax_is_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	}
	return true;
}

bool
realm_syntax_is_client_id(struct span text)
{
	return syntax_is_word(text, "._~-", REALM_CLIENT_ID_BYTES);
}

bool
realm_syntax_is_idp_id(struct span text)
{
	return syntax_is_word(text, "_-", REALM_IDP_ID_BYTES);
}

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
bool
realm_syntax_is_scope(struct span text)
{
	if (text.len == 0 || text.len > REALM_SCOPE_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
			return false;
	}
	return true;
}

static bool
syntax_starts_like_a_name(struct span text)
{
	return text.len > 0 && !(text.data[0] >= '0' && text.data[0] <= '9') &&
	       text.data[0] != '.' && text.data[0] != '-';
}

bool
realm_syntax_is_property_id(struct span text)
{
	return syntax_starts_like_a_name(text) &&
	       syntax_is_word(text, "_.-", REALM_PROPERTY_ID_BYTES);
}

bool
realm_syntax_is_label(struct span text)
{
	return syntax_is_word(text, "._-", 64);
}

bool
realm_syntax_is_env_name(struct span text)
{
	return syntax_starts_like_a_name(text) &&
	       syntax_is_word(text, "_", 128);
}

bool
realm_syntax_is_pointer(struct span text)
{
	if (!realm_syntax_is_text(text) || text.len > 256)
		return false;
	if (text.len > 0 && text.data[0] != '/')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '~')
			continue;
		if (i + 1 >= text.len ||
		    (text.data[i + 1] != '0' && text.data[i + 1] != '1'))
			return false;
	}
	return true;
}
