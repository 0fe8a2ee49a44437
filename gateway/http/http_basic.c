/*
 * The Authorization header of HTTP Basic (RFC 7617, and RFC 6749 section
 * 2.3.1 for what its halves are). Not the check of the credentials.
 * Runs on civetweb's workers.
 */
#include <strings.h>

#include "common/encoding.h"
#include "gateway/http/http.h"

static const char scheme[] = "Basic";

/* What follows "Basic" and its spaces; absent for another scheme. */
static struct span
token_of(struct span authorization)
{
	size_t at = sizeof scheme - 1;

	if (authorization.len < at ||
	    strncasecmp((const char *)authorization.data, scheme, at) != 0)
		return (struct span){NULL, 0};
	if (authorization.len > at && authorization.data[at] != ' ')
		return (struct span){NULL, 0};
	while (at < authorization.len && authorization.data[at] == ' ')
		at++;
	return span_of(authorization.data + at, authorization.len - at);
}

/* RFC 7617 section 2: no control characters on either side of the colon. */
static bool
is_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] == 0x7f)
			return false;
	return utf8_is_valid(text);
}

/*
 * Percent-decoded once. A "+" stays a "+": RFC 6749 wants form encoding, but
 * the many clients that encode nothing send secrets with a bare "+", and
 * those that do encode write %20 for a space.
 */
static enum err
decode_half(struct span text, struct arena *arena, struct span *half_r)
{
	struct buf decoded;
	struct span half;
	enum err err;

	buf_init(&decoded, text.len);
	err = percent_decode(text, false, &decoded);
	if (err == OK && !is_text(buf_span(&decoded)))
		err = ERR_SYNTAX;
	if (err == OK) {
		half = arena_copy(arena, buf_span(&decoded));
		if (span_present(half))
			*half_r = half;
		else
			err = ERR_NOMEM;
	}
	buf_wipe(&decoded);
	return err;
}

static enum err
decode_pair(struct span pair, struct arena *arena, struct span *id_r,
    struct span *secret_r)
{
	const uint8_t *colon;
	struct span id, secret;
	size_t at;
	enum err err;

	colon = pair.len == 0 ? NULL : memchr(pair.data, ':', pair.len);
	if (colon == NULL)
		return ERR_SYNTAX;
	at = (size_t)(colon - pair.data);
	err = decode_half(span_of(pair.data, at), arena, &id);
	if (err == OK)
		err = decode_half(
		    span_of(colon + 1, pair.len - at - 1), arena, &secret);
	if (err != OK)
		return err;
	*id_r = id;
	*secret_r = secret;
	return OK;
}

enum err
http_basic_parse(struct span authorization, struct arena *arena,
    struct span *id_r, struct span *secret_r)
{
	struct span token = token_of(authorization);
	struct buf pair;
	enum err err;

	if (!span_present(token))
		return ERR_NOT_FOUND;
	buf_init(&pair, token.len);
	err = base64_decode(token, &pair);
	if (err == OK)
		err = decode_pair(buf_span(&pair), arena, id_r, secret_r);
	else if (err != ERR_NOMEM)
		err = ERR_SYNTAX;
	buf_wipe(&pair);
	return err;
}
