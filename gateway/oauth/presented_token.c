/*
 * Finding presented tokens; see presented_token.h. The JSON tree of a JWT's
 * claims ends here. Runs on HTTP worker threads.
 */
#include "gateway/oauth/presented_token.h"

#include <jansson.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "gateway/oauth/id_token.h"
#include "gateway/oauth/row_id.h"
#include "gateway/realm/json_memory.h"

/* Above every JWT that access_token.c makes. */
#define JWT_BYTES_MAX (96 * 1024)

/* Claims of ours nest two deep: an array of audiences or of amr. */
#define CLAIMS_DEPTH_MAX 4

/* The second of exactly three parts; absent otherwise. */
static struct span
payload_of(struct span jwt)
{
	const struct span none = {NULL, 0};
	const uint8_t *first, *second;
	size_t at;

	first = memchr(jwt.data, '.', jwt.len);
	if (first == NULL)
		return none;
	at = (size_t)(first - jwt.data) + 1;
	second = memchr(jwt.data + at, '.', jwt.len - at);
	if (second == NULL)
		return none;
	return span_of(first + 1, (size_t)(second - first) - 1);
}

static enum err
number_of_claims(struct vault *vault, struct span claims, uint64_t *number_r)
{
	enum err err = ERR_SYNTAX;
	bool no_memory;
	json_t *tree, *jti;

	if (json_depth(claims) > CLAIMS_DEPTH_MAX)
		return ERR_SYNTAX;
	tree =
	    json_memory_load(claims, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	jti = json_object_get(tree, "jti");
	if (json_is_string(jti))
		err = row_id_parse(vault, ROW_ID_TOKEN,
		    span_str(json_string_value(jti)), number_r);
	json_decref(tree);
	return no_memory ? ERR_NOMEM : err;
}

static enum err
place_jwt(struct vault *vault, struct span jwt, struct token_place *place)
{
	struct span payload = payload_of(jwt);
	struct buf claims;
	enum err err;

	if (!span_present(payload))
		return ERR_SYNTAX;
	buf_init(&claims, JWT_BYTES_MAX);
	err = base64url_decode(payload, &claims);
	if (err == OK)
		err =
		    number_of_claims(vault, buf_span(&claims), &place->number);
	buf_wipe(&claims);
	if (err == OK)
		digest_sha256(jwt, place->hash);
	return err;
}

enum err
presented_token_place(
    struct vault *vault, struct span text, struct token_place *place_r)
{
	struct token opaque;
	enum err err;

	*place_r = (struct token_place){.is_jwt = false};
	if (text.len > JWT_BYTES_MAX)
		return ERR_SYNTAX;
	if (text.len != 2 * TOKEN_BYTES) {
		place_r->is_jwt = true;
		return place_jwt(vault, text, place_r);
	}
	err = token_parse(vault, text, &opaque);
	if (err != OK)
		return err;
	place_r->number = opaque.number;
	memcpy(place_r->hash, opaque.hash, sizeof place_r->hash);
	return OK;
}

enum err
presented_token_find(const struct oauth *oauth, struct span text,
    struct arena *arena, struct presented_token *token_r)
{
	enum err err =
	    presented_token_place(oauth->vault, text, &token_r->place);

	if (err == ERR_NOMEM)
		return err;
	if (err != OK)
		return ERR_NOT_FOUND;
	return store_token_get(oauth->store, token_r->place.number,
	    token_r->place.hash, arena, &token_r->row);
}

bool
presented_token_is_alive(const struct presented_token *token, int64_t now)
{
	return !token->row.used && token->row.expires_at > now;
}

enum err
presented_token_subject(const struct oauth *oauth,
    const struct presented_token *token, struct arena *arena,
    struct subject *subject_r)
{
	*subject_r = (struct subject){.sub = token->row.sub};
	return snapshot_open(oauth->vault, token->row.grant,
	    token->row.snapshot, arena, subject_r);
}
