/*
 * Minting access tokens; see access_token.h. Not here: what becomes of a token
 * that is presented (presented_token.c). Runs on HTTP worker threads.
 */
#include "gateway/oauth/access_token.h"

#include <string.h>

#include "common/json_text.h"
#include "common/secret.h"
#include "gateway/oauth/row_id.h"
#include "gateway/oauth/tokens.h"

/* A user's amr at its limit and all of a client's scopes. */
#define CLAIMS_BYTES_MAX (64 * 1024)

/* The same in base64url, with header and signature. */
#define TEXT_BYTES_MAX (96 * 1024)

static enum err
mint_opaque(
    const struct oauth *oauth, uint64_t number, struct access_token *token)
{
	struct token opaque;

	token_make(oauth->vault, number, &opaque);
	memcpy(token->row.hash, opaque.hash, sizeof token->row.hash);
	buf_append_str(&token->text, opaque.text);
	secret_wipe(&opaque, sizeof opaque);
	return buf_status(&token->text);
}

/* RFC 9068 section 3: who is meant to take it. One audience is a string, as
 * most verifiers like it best (RFC 7519 section 4.1.3). */
static void
append_audience(struct buf *out, bool *first, const struct oauth *oauth,
    const struct access_claims *c)
{
	const struct string_set *audience = &c->client->access_audience;

	if (audience->count == 0) {
		json_append_member_str(
		    out, first, "aud", span_str(oauth_issuer(oauth, c->realm)));
		return;
	}
	if (audience->count == 1) {
		json_append_member_str(
		    out, first, "aud", span_str(audience->items[0]));
		return;
	}
	json_append_key(out, first, "aud");
	for (size_t i = 0; i < audience->count; i++) {
		buf_append_char(out, i == 0 ? '[' : ',');
		json_append_string(out, span_str(audience->items[i]));
	}
	buf_append_char(out, ']');
}

/* RFC 9068 section 2.2. */
static void
append_claims(const struct oauth *oauth, const struct access_claims *c,
    const struct store_token *row, struct buf *out)
{
	char jti[ROW_ID_BYTES];
	bool first = true;

	row_id_make(oauth->vault, ROW_ID_TOKEN, row->number, jti);
	buf_append_char(out, '{');
	json_append_member_str(
	    out, &first, "iss", span_str(oauth_issuer(oauth, c->realm)));
	json_append_member_str(out, &first, "sub", span_str(c->sub));
	append_audience(out, &first, oauth, c);
	json_append_member_str(
	    out, &first, "client_id", span_str(c->client->client_id));
	json_append_member_int(out, &first, "iat", row->issued_at);
	json_append_member_int(out, &first, "exp", row->expires_at);
	json_append_member_str(out, &first, "jti", span_str(jti));
	json_append_member_str(out, &first, "scope", span_str(c->scope));
	if (c->auth_time != 0)
		json_append_member_int(out, &first, "auth_time", c->auth_time);
	if (span_present(c->amr))
		json_append_member_raw(out, &first, "amr", c->amr);
	buf_append_char(out, '}');
}

static enum err
mint_jwt(const struct oauth *oauth, const struct access_claims *c,
    struct access_token *token)
{
	struct buf claims;
	enum err err;

	buf_init(&claims, CLAIMS_BYTES_MAX);
	append_claims(oauth, c, &token->row, &claims);
	err = buf_status(&claims);
	if (err == OK)
		err = keyring_sign(oauth->keyring, c->client->id_token_alg,
		    "at+jwt", buf_span(&claims), &token->text);
	buf_wipe(&claims);
	if (err == OK)
		digest_sha256(buf_span(&token->text), token->row.hash);
	return err;
}

enum err
access_token_mint(const struct oauth *oauth, const struct access_claims *c,
    struct access_token *token_r)
{
	uint64_t number = store_next_number(oauth->store, SEQUENCE_TOKEN);

	token_r->row = (struct store_token){
	    .number = number,
	    .kind = TOKEN_ACCESS,
	    .issued_at = c->now,
	    .expires_at = c->now + c->client->access_lifetime_secs,
	};
	buf_init(&token_r->text, TEXT_BYTES_MAX);
	if (c->client->access_format == ACCESS_JWT)
		return mint_jwt(oauth, c, token_r);
	return mint_opaque(oauth, number, token_r);
}

void
access_token_fini(struct access_token *token)
{
	buf_wipe(&token->text);
}
