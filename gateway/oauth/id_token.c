/*
 * Building id_tokens and claim snapshots; see id_token.h.
 */
#include "gateway/oauth/id_token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	json_append_member_int(out, &first, "auth_time",
	    t->auth_time != 0 ? t->auth_time : t->now);
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

/* What a snapshot is sealed to. */
struct seal_name {
	char text[48];
};

static struct seal_name
seal_name_of(uint64_t grant)
{
	struct seal_name name;

	snprintf(name.text, sizeof name.text, "grant:%" PRIu64, grant);
	return name;
}

enum err
snapshot_seal(struct vault *vault, uint64_t grant,
    const struct subject *subject, struct buf *out)
{
	struct seal_name name = seal_name_of(grant);
	struct buf text;
	bool first = true;
	enum err err;

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
		err = vault_seal(vault, VAULT_SNAPSHOTS, span_str(name.text),
		    buf_span(&text), out);
	buf_wipe(&text);
	return err;
}

/*
 * Cut, not parsed: the seal says that snapshot_seal() wrote it. Inside the
 * strings of amr every quote is escaped, so the first `"claims":{` is the
 * member.
 */
static enum err
split_snapshot(struct span text, struct arena *arena, struct subject *s)
{
	static const char amr_key[] = "{\"amr\":", key[] = "\"claims\":{";
	const size_t amr_at = sizeof amr_key - 1, key_len = sizeof key - 1;
	const uint8_t *claims = memmem(text.data, text.len, key, key_len);
	struct span amr = {NULL, 0};
	size_t at;

	if (claims == NULL)
		return ERR_CORRUPT;
	at = (size_t)(claims - text.data);
	if (at + key_len + 2 > text.len)
		return ERR_CORRUPT;
	if (at > amr_at) /* and before the comma */
		amr = arena_copy(
		    arena, span_of(text.data + amr_at, at - 1 - amr_at));
	s->amr = amr;
	s->claims = arena_copy(
	    arena, span_of(claims + key_len, text.len - at - key_len - 2));
	return span_present(s->claims) && span_present(amr) == (at > amr_at)
		   ? OK
		   : ERR_NOMEM;
}

enum err
snapshot_open(struct vault *vault, uint64_t grant, struct span sealed,
    struct arena *arena, struct subject *subject_r)
{
	struct seal_name name = seal_name_of(grant);
	struct buf text;
	enum err err;

	subject_r->amr = (struct span){NULL, 0};
	subject_r->claims = span_of("", 0);
	if (!span_present(sealed))
		return OK;
	buf_init(&text, CLAIMS_BYTES_MAX);
	err = vault_unseal(
	    vault, VAULT_SNAPSHOTS, span_str(name.text), sealed, &text);
	if (err == OK)
		err = split_snapshot(buf_span(&text), arena, subject_r);
	buf_wipe(&text);
	return err;
}
