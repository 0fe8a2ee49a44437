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

/* All but the first 8 bytes are filled; wiped here. */
static void
finish(struct vault *vault, uint64_t number, uint8_t bytes[TOKEN_BYTES],
    struct token *token_r)
{
	put_number(bytes, vault_permute(vault, number));
	token_r->number = number;
	digest_sha256(span_of(bytes, TOKEN_BYTES), token_r->hash);
	put_text(bytes, token_r->text);
	secret_wipe(bytes, TOKEN_BYTES);
}

void
token_make(struct vault *vault, uint64_t number, struct token *token_r)
{
	uint8_t bytes[TOKEN_BYTES];

	random_bytes(bytes + 8, sizeof bytes - 8);
	finish(vault, number, bytes, token_r);
}

enum err
token_successor(struct vault *vault, struct span text, uint64_t number,
    struct token *token_r)
{
	uint8_t from[TOKEN_BYTES + 8]; /* the old token, the new number */
	uint8_t mac[DIGEST_BYTES], bytes[TOKEN_BYTES];

	if (hex_decode(text, from, TOKEN_BYTES) != OK)
		return ERR_SYNTAX;
	put_number(from + TOKEN_BYTES, number);
	vault_mac(vault, VAULT_SUCCESSORS, span_of(from, sizeof from), mac);
	memcpy(bytes + 8, mac, sizeof bytes - 8);
	finish(vault, number, bytes, token_r);
	secret_wipe(from, sizeof from);
	secret_wipe(mac, sizeof mac);
	return OK;
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
