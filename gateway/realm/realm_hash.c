/*
 * The shape of imported password hashes. Judges the text only: whether a
 * secret matches is the authenticator's. Runs on any thread.
 */
#include <string.h>

#include "gateway/realm/realm_hash.h"

/* The longest anybody writes: argon2id with 64 bytes of salt and of hash. */
#define HASH_TEXT_BYTES 512

/* $..$..: the text after the next '$' is cut off into `field_r`. */
static bool
hash_next_field(struct span *rest, struct span *field_r)
{
	const uint8_t *end;
	size_t len;

	if (rest->len == 0 || rest->data[0] != '$')
		return false;
	end = memchr(rest->data + 1, '$', rest->len - 1);
	len = end == NULL ? rest->len - 1 : (size_t)(end - rest->data) - 1;
	*field_r = span_of(rest->data + 1, len);
	*rest = span_of(rest->data + 1 + len, rest->len - 1 - len);
	return true;
}

static bool
hash_is_word(struct span field, const char *others, size_t min, size_t max)
{
	if (field.len < min || field.len > max)
		return false;
	for (size_t i = 0; i < field.len; i++) {
		uint8_t c = field.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && strchr(others, c) == NULL)
			return false;
	}
	return true;
}

/* `name` and up to 8 digits; moves `text` behind them. */
static bool
hash_skip_number(struct span *text, const char *name)
{
	size_t len = strlen(name);
	size_t digits = 0;

	if (text->len < len || memcmp(text->data, name, len) != 0)
		return false;
	while (len + digits < text->len && text->data[len + digits] >= '0' &&
	       text->data[len + digits] <= '9')
		digits++;
	*text = span_of(text->data + len + digits, text->len - len - digits);
	return digits >= 1 && digits <= 8;
}

/* $argon2id$v=19$m=65536,t=3,p=4$salt$hash */
static bool
hash_is_argon2id(struct span rest)
{
	struct span version;
	struct span costs;
	struct span salt;
	struct span hash;

	if (!hash_next_field(&rest, &version) ||
	    !hash_next_field(&rest, &costs) || !hash_next_field(&rest, &salt) ||
	    !hash_next_field(&rest, &hash))
		return false;
	return rest.len == 0 && span_is(version, "v=19") &&
	       hash_skip_number(&costs, "m=") &&
	       hash_skip_number(&costs, ",t=") &&
	       hash_skip_number(&costs, ",p=") && costs.len == 0 &&
	       hash_is_word(salt, "+/", 11, 86) &&
	       hash_is_word(hash, "+/", 16, 86);
}

/* $2b$12$ and 22 + 31 characters of salt and hash */
static bool
hash_is_bcrypt(struct span rest)
{
	struct span cost;
	struct span hash;
	unsigned rounds;

	if (!hash_next_field(&rest, &cost) || !hash_next_field(&rest, &hash))
		return false;
	if (rest.len != 0 || cost.len != 2 || cost.data[0] < '0' ||
	    cost.data[0] > '3' || cost.data[1] < '0' || cost.data[1] > '9')
		return false;
	rounds = (unsigned)(cost.data[0] - '0') * 10 +
		 (unsigned)(cost.data[1] - '0');
	return rounds >= 4 && rounds <= 31 && hash_is_word(hash, "./", 53, 53);
}

/* $y$j9T$salt$hash */
static bool
hash_is_yescrypt(struct span rest)
{
	struct span costs;
	struct span salt;
	struct span hash;

	if (!hash_next_field(&rest, &costs) || !hash_next_field(&rest, &salt) ||
	    !hash_next_field(&rest, &hash))
		return false;
	return rest.len == 0 && hash_is_word(costs, "./", 3, 32) &&
	       hash_is_word(salt, "./", 1, 86) &&
	       hash_is_word(hash, "./", 43, 43);
}

/* $pbkdf2-sha256$600000$salt$hash, or with i=600000 (and l=32) as others do */
static bool
hash_is_pbkdf2(struct span rest)
{
	struct span costs;
	struct span salt;
	struct span hash;

	if (!hash_next_field(&rest, &costs) || !hash_next_field(&rest, &salt) ||
	    !hash_next_field(&rest, &hash))
		return false;
	if (!hash_skip_number(
		&costs, costs.len > 0 && costs.data[0] == 'i' ? "i=" : ""))
		return false;
	if (costs.len > 0 && !hash_skip_number(&costs, ",l="))
		return false;
	return rest.len == 0 && costs.len == 0 &&
	       hash_is_word(salt, "./+", 1, 172) &&
	       hash_is_word(hash, "./+", 16, 172);
}

bool
realm_hash_is_known(struct span text)
{
	struct span kind;

	if (text.len > HASH_TEXT_BYTES ||
	    memchr(text.data, 0, text.len) != NULL)
		return false;
	if (!hash_next_field(&text, &kind))
		return false;
	if (span_is(kind, "argon2id"))
		return hash_is_argon2id(text);
	if (span_is(kind, "2b") || span_is(kind, "2y"))
		return hash_is_bcrypt(text);
	if (span_is(kind, "y"))
		return hash_is_yescrypt(text);
	if (span_is(kind, "pbkdf2-sha256"))
		return hash_is_pbkdf2(text);
	return false;
}
