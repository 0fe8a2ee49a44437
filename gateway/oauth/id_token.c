/*
 * Building id_tokens and claim snapshots; see id_token.h.
 */
#include "gateway/oauth/id_token.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/encoding.h"
#include "common/json_text.h"

/* A user object at its limit, escaped, and the protocol claims. */
#define CLAIMS_BYTES_MAX (64 * 1024)

/* OIDC Core section 3.1.3.6: the left half of the hash of the alg; all of ours
 * use SHA-256. */
static void
append_at_hash(struct buf *claims, bool *first, const char *access_token)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf text;

	digest_sha256(span_str(access_token), digest);
	buf_init(&text, 64);
	base64url_append(&text, span_of(digest, DIGEST_BYTES / 2));
	json_append_member_str(claims, first, "at_hash", buf_span(&text));
	buf_fini(&text);
}

static void
append_claims(const struct id_token *t, struct buf *out)
{
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_str(out, &first, "iss", span_str(t->issuer));
	json_append_member_str(out, &first, "sub", span_str(t->subject->sub));
	json_append_member_str(
	    out, &first, "aud", span_str(t->client->client_id));
	json_append_member_int(
	    out, &first, "exp", t->now + t->client->id_token_lifetime_secs);
	json_append_member_int(out, &first, "iat", t->now);
	json_append_member_int(out, &first, "auth_time", t->now);
	append_at_hash(out, &first, t->access_token);
	if (span_present(t->subject->amr))
		json_append_member_raw(out, &first, "amr", t->subject->amr);
	if (t->subject->claims.len > 0) {
		buf_append_char(out, ',');
		buf_append_span(out, t->subject->claims);
	}
	buf_append_char(out, '}');
}

enum err
id_token_append(
    struct keyring *keyring, const struct id_token *token, struct buf *out)
{
	struct buf claims;
	enum err err;

	buf_init(&claims, CLAIMS_BYTES_MAX);
	append_claims(token, &claims);
	err = buf_status(&claims);
	if (err == OK)
		err = keyring_sign(keyring, token->client->id_token_alg, "JWT",
		    buf_span(&claims), out);
	buf_wipe(&claims);
	return err;
}

enum err
snapshot_seal(struct vault *vault, uint64_t grant,
    const struct subject *subject, struct buf *out)
{
	char context[48];
	struct buf text;
	bool first = true;
	enum err err;

	snprintf(context, sizeof context, "grant:%" PRIu64, grant);
	buf_init(&text, CLAIMS_BYTES_MAX);
	buf_append_char(&text, '{');
	if (span_present(subject->amr))
		json_append_member_raw(&text, &first, "amr", subject->amr);
	json_append_key(&text, &first, "claims");
	buf_append_char(&text, '{');
	buf_append_span(&text, subject->claims);
	buf_append_str(&text, "}}");
	err = buf_status(&text);
	if (err == OK)
		err = vault_seal(vault, VAULT_SNAPSHOTS, span_str(context),
		    buf_span(&text), out);
	buf_wipe(&text);
	return err;
}
