/*
 * Opaque token text; see tokens.h.
 */
#include "gateway/oauth/tokens.h"

#include <string.h>

#include "common/encoding.h"
#include "common/random.h"
#include "common/secret.h"

static void
put_number(uint8_t out[8], uint64_t number)
{
	for (int i = 7; i >= 0; i--, number >>= 8)
		out[i] = (uint8_t)number;
}

static uint64_t
get_number(const uint8_t in[8])
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | in[i];
	return number;
}

static void
put_text(const uint8_t bytes[TOKEN_BYTES], char text[TOKEN_TEXT_BYTES])
{
	static const char digits[] = "0123456789ABCDEF";

	for (int i = 0; i < TOKEN_BYTES; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * TOKEN_BYTES] = '\0';
}

void
token_make(struct vault *vault, uint64_t number, struct token *token_r)
{
	uint8_t bytes[TOKEN_BYTES];

	put_number(bytes, vault_permute(vault, number));
	random_bytes(bytes + 8, sizeof bytes - 8);
	token_r->number = number;
	digest_sha256(span_of(bytes, sizeof bytes), token_r->hash);
	put_text(bytes, token_r->text);
	secret_wipe(bytes, sizeof bytes);
}

enum err
token_parse(struct vault *vault, struct span text, struct token *token_r)
{
	uint8_t bytes[TOKEN_BYTES];

	if (hex_decode(text, bytes, sizeof bytes) != OK)
		return ERR_SYNTAX;
	token_r->number = vault_unpermute(vault, get_number(bytes));
	digest_sha256(span_of(bytes, sizeof bytes), token_r->hash);
	token_r->text[0] = '\0';
	secret_wipe(bytes, sizeof bytes);
	return OK;
}
