/*
 * Verifying and making of JSON Web Tokens (see jwt.h). Keys are jwt_key's,
 * signatures jwt_algorithm's. Threads of the offload.
 */
#include "engine/front/jwt.h"

#include <jansson.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "engine/front/jwt_key.h"
#include "engine/front/openssl_headers.h"

#define JWT_PART_BYTES  65536
#define JWT_TOKEN_BYTES 131072
/* A claim set nests a few levels; jansson recurses. */
#define JWT_DEPTH_MAX 32
/* Of a set, with one kid or without any: each costs a verification. */
#define JWT_KEYS_MAX 16

struct jwt_parts {
	struct span signed_part; /* header and claims as they stand there */
	struct buf header;
	struct buf claims;
	struct buf signature;
};

static json_t *
load_object(struct span text)
{
	json_t *tree;

	if (text.len == 0 || json_depth(text) > JWT_DEPTH_MAX)
		return NULL;
	/* Duplicates: the script's parser would take the other one. */
	tree = json_loadb(
	    (const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(tree))
		return tree;
	json_decref(tree);
	return NULL;
}

/* ---- the compact form -----------------------------------------------------
 */

static void
parts_init(struct jwt_parts *parts)
{
	parts->signed_part = (struct span){NULL, 0};
	buf_init(&parts->header, JWT_PART_BYTES);
	buf_init(&parts->claims, JWT_PART_BYTES);
	buf_init(&parts->signature, JWT_SIGNATURE_BYTES);
}

static void
parts_fini(struct jwt_parts *parts)
{
	buf_wipe(&parts->header);
	buf_wipe(&parts->claims);
	buf_wipe(&parts->signature);
}

/* Exactly three parts; base64url_decode() refuses a fourth's dot. */
static bool
parts_split(struct span token, struct jwt_parts *parts)
{
	const uint8_t *first, *second, *end = token.data + token.len;

	if (token.len == 0)
		return false;
	first = memchr(token.data, '.', token.len);
	if (first == NULL)
		return false;
	second = memchr(first + 1, '.', (size_t)(end - first) - 1);
	if (second == NULL)
		return false;
	parts->signed_part = span_of(token.data, (size_t)(second - token.data));
	return base64url_decode(
		   span_of(token.data, (size_t)(first - token.data)),
		   &parts->header) == OK &&
	       base64url_decode(
		   span_of(first + 1, (size_t)(second - first) - 1),
		   &parts->claims) == OK &&
	       base64url_decode(span_of(second + 1, (size_t)(end - second) - 1),
		   &parts->signature) == OK &&
	       parts->signature.len > 0;
}

/* ---- algorithms -----------------------------------------------------------
 */

/* Whether `list` has the name. ERR_INVALID: something in it is none. */
static enum err
algorithms_have(
    struct span list, struct span name, bool *has_r, struct err_detail *detail)
{
	*has_r = false;
	while (list.len > 0) {
		const uint8_t *comma = memchr(list.data, ',', list.len);
		struct span one = span_of(list.data,
		    comma == NULL ? list.len : (size_t)(comma - list.data));

		if (jwt_algorithm_named(one) == NULL)
			return err_set(detail, ERR_INVALID,
			    "algorithms must name some of HS256, HS384, HS512, "
			    "RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
			    "ES384, ES512");
		*has_r |= span_equal(one, name);
		list.len -= one.len + (comma != NULL);
		list.data += one.len + (comma != NULL);
	}
	return OK;
}

/* ---- keys -----------------------------------------------------------------
 */

struct attempt {
	const struct jwt_algorithm *algorithm;
	const char *kid; /* of the token; NULL: none */
	struct span bytes;
	struct span signature;
	unsigned tried;
	bool is_good;
};

static void
try_key(struct attempt *attempt, struct jwt_loaded_key *loaded,
    struct err_detail *detail)
{
	if (jwt_algorithm_fits(attempt->algorithm, &loaded->key, detail) ==
	    OK) {
		attempt->tried++;
		attempt->is_good = jwt_algorithm_verify(attempt->algorithm,
		    &loaded->key, attempt->bytes, attempt->signature);
	}
	jwt_key_fini(loaded);
}

static bool
member_is(const json_t *jwk, const char *name, const char *expected)
{
	const json_t *value = json_object_get(jwk, name);

	/* A member that is not there says nothing against the key. */
	return value == NULL ||
	       (json_is_string(value) &&
		   strcmp(json_string_value(value), expected) == 0);
}

static void
try_jwk(struct attempt *attempt, const json_t *jwk, struct err_detail *detail)
{
	struct jwt_loaded_key loaded;

	if (attempt->is_good || attempt->tried >= JWT_KEYS_MAX ||
	    !json_is_object(jwk))
		return;
	if ((attempt->kid != NULL && !member_is(jwk, "kid", attempt->kid)) ||
	    !member_is(jwk, "use", "sig") ||
	    !member_is(jwk, "alg", attempt->algorithm->name))
		return;
	if (jwt_key_from_jwk(jwk, false, &loaded, detail) == OK)
		try_key(attempt, &loaded, detail);
}

static enum err
try_jwk_text(
    struct attempt *attempt, struct span text, struct err_detail *detail)
{
	json_t *tree = load_object(text);
	const json_t *keys = json_object_get(tree, "keys");
	const json_t *jwk;
	size_t i;

	if (tree == NULL)
		return err_set(
		    detail, ERR_INVALID, "the key is no JWK or JWK set");
	if (keys == NULL)
		try_jwk(attempt, tree, detail);
	json_array_foreach (keys, i, jwk)
		try_jwk(attempt, jwk, detail);
	json_decref(tree);
	return OK;
}

static enum err
try_pem(struct attempt *attempt, struct span text, struct err_detail *detail)
{
	struct jwt_loaded_key loaded;
	enum err err = jwt_key_from_pem(text, false, &loaded, detail);

	if (err == OK)
		try_key(attempt, &loaded, detail);
	return err;
}

static enum err
try_property(
    struct attempt *attempt, struct span text, struct err_detail *detail)
{
	struct jwt_loaded_key loaded;
	enum err err;

	if (jwt_key_is_pem(text))
		return try_pem(attempt, text, detail);
	if (text.len > 0 && text.data[0] == '{')
		return try_jwk_text(attempt, text, detail);
	err = jwt_key_from_secret(text, &loaded);
	if (err != OK)
		return err_set(detail, err, "the key property is empty");
	try_key(attempt, &loaded, detail);
	return OK;
}

static enum err
try_trust(struct attempt *attempt, const struct jwt_trust *trust,
    struct err_detail *detail)
{
	if (span_present(trust->jwk))
		return try_jwk_text(attempt, trust->jwk, detail);
	if (span_present(trust->pem))
		return try_pem(attempt, trust->pem, detail);
	return try_property(attempt, trust->property, detail);
}

/* ---- claims (RFC 7519 section 4.1) ----------------------------------------
 */

static bool
audience_is(const json_t *aud, struct span expected)
{
	const json_t *one;
	size_t i;

	if (json_is_string(aud))
		return span_equal(
		    span_of(json_string_value(aud), json_string_length(aud)),
		    expected);
	json_array_foreach (aud, i, one)
		if (json_is_string(one) &&
		    span_equal(span_of(json_string_value(one),
				   json_string_length(one)),
			expected))
			return true;
	return false;
}

static const char *
claims_error(const json_t *claims, const struct jwt_expectation *expected)
{
	const json_t *exp = json_object_get(claims, "exp");
	const json_t *nbf = json_object_get(claims, "nbf");
	const json_t *iat = json_object_get(claims, "iat");
	const json_t *iss = json_object_get(claims, "iss");
	double now = (double)expected->now;
	double skew = (double)expected->clock_skew_secs;

	if ((exp != NULL && !json_is_number(exp)) ||
	    (nbf != NULL && !json_is_number(nbf)) ||
	    (iat != NULL && !json_is_number(iat)))
		return "malformed";
	if (exp != NULL && now >= json_number_value(exp) + skew)
		return "expired";
	if ((nbf != NULL && now + skew < json_number_value(nbf)) ||
	    (iat != NULL && now + skew < json_number_value(iat)))
		return "not_yet_valid";
	if (span_present(expected->issuer) &&
	    (!json_is_string(iss) ||
		!span_equal(expected->issuer,
		    span_of(json_string_value(iss), json_string_length(iss)))))
		return "issuer";
	if (span_present(expected->audience) &&
	    !audience_is(json_object_get(claims, "aud"), expected->audience))
		return "audience";
	return NULL;
}

/* ---- verifying ------------------------------------------------------------
 */

void
jwt_verdict_init(struct jwt_verdict *verdict)
{
	verdict->error = "malformed";
	buf_init(&verdict->header, JWT_PART_BYTES);
	buf_init(&verdict->claims, JWT_PART_BYTES);
}

void
jwt_verdict_fini(struct jwt_verdict *verdict)
{
	buf_wipe(&verdict->header);
	buf_wipe(&verdict->claims);
}

/* Signature first: nothing in the claims counts before. */
static enum err
verify_signature(const json_t *header, const struct jwt_parts *parts,
    const struct jwt_trust *trust, const struct jwt_expectation *expected,
    struct jwt_verdict *verdict, struct err_detail *detail)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	struct attempt attempt = {
	    .kid = json_string_value(json_object_get(header, "kid")),
	    .bytes = parts->signed_part,
	    .signature = buf_span(&parts->signature)};
	bool is_allowed;
	enum err err = algorithms_have(
	    expected->algorithms, span_str(alg), &is_allowed, detail);

	if (err != OK)
		return err;
	/* Before any key is touched. */
	verdict->error = "algorithm";
	if (!is_allowed)
		return OK;
	/* Extensions we do not know must not be ignored (RFC 7515 4.1.11). */
	verdict->error = "malformed";
	if (json_object_get(header, "crit") != NULL)
		return OK;
	attempt.algorithm = jwt_algorithm_named(span_str(alg));
	err = try_trust(&attempt, trust, detail);
	verdict->error = attempt.is_good      ? NULL
			 : attempt.tried == 0 ? "key"
					      : "signature";
	return err;
}

static enum err
verify_parts(const struct jwt_parts *parts, const struct jwt_trust *trust,
    const struct jwt_expectation *expected, struct jwt_verdict *verdict,
    struct err_detail *detail)
{
	json_t *header = load_object(buf_span(&parts->header));
	json_t *claims = load_object(buf_span(&parts->claims));
	enum err err = OK;

	verdict->error = "malformed";
	if (header != NULL) {
		buf_append_span(&verdict->header, buf_span(&parts->header));
		err = verify_signature(
		    header, parts, trust, expected, verdict, detail);
	}
	if (err == OK && header != NULL && verdict->error == NULL)
		verdict->error = claims == NULL
				     ? "malformed"
				     : claims_error(claims, expected);
	if (err == OK && verdict->error == NULL)
		buf_append_span(&verdict->claims, buf_span(&parts->claims));
	json_decref(header);
	json_decref(claims);
	return err;
}

enum err
jwt_verify(struct span token, const struct jwt_trust *trust,
    const struct jwt_expectation *expected, struct jwt_verdict *verdict,
    struct err_detail *detail)
{
	struct jwt_parts parts;
	bool unused;
	/* A mistake in the caller's list shows with every token. */
	enum err err = algorithms_have(
	    expected->algorithms, span_str("-"), &unused, detail);

	if (err != OK)
		return err;
	parts_init(&parts);
	verdict->error = "malformed";
	if (parts_split(token, &parts))
		err = verify_parts(&parts, trust, expected, verdict, detail);
	parts_fini(&parts);
	ERR_clear_error();
	return err;
}

/* ---- signing --------------------------------------------------------------
 */

static enum err
load_signing_key(
    struct span text, struct jwt_loaded_key *key_r, struct err_detail *detail)
{
	json_t *jwk;
	enum err err;

	if (jwt_key_is_pem(text))
		return jwt_key_from_pem(text, true, key_r, detail);
	if (text.len == 0 || text.data[0] != '{')
		return jwt_key_from_secret(text, key_r);
	jwk = load_object(text);
	err = jwk == NULL ? err_set(detail, ERR_INVALID, "the key is no JWK")
			  : jwt_key_from_jwk(jwk, true, key_r, detail);
	json_decref(jwk);
	return err;
}

static void
append_header(const struct jwt_order *order, struct buf *out)
{
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_str(out, &first, "alg", order->algorithm);
	json_append_member_str(out, &first, "typ",
	    span_present(order->typ) ? order->typ : span_str("JWT"));
	if (span_present(order->kid))
		json_append_member_str(out, &first, "kid", order->kid);
	buf_append_char(out, '}');
}

static enum err
sign_with(const struct jwt_order *order, const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct buf *out)
{
	struct buf header, signature;
	enum err err;

	buf_init(&header, JWT_PART_BYTES);
	buf_init(&signature, JWT_SIGNATURE_BYTES);
	append_header(order, &header);
	base64url_append(out, buf_span(&header));
	buf_append_char(out, '.');
	base64url_append(out, order->claims);
	err = buf_status(out);
	if (err == OK)
		err = jwt_algorithm_sign(
		    algorithm, key, buf_span(out), &signature);
	buf_append_char(out, '.');
	base64url_append(out, buf_span(&signature));
	buf_fini(&header);
	buf_fini(&signature);
	return err == OK ? buf_status(out) : err;
}

enum err
jwt_sign(
    const struct jwt_order *order, struct buf *out, struct err_detail *detail)
{
	const struct jwt_algorithm *algorithm =
	    jwt_algorithm_named(order->algorithm);
	json_t *claims = load_object(order->claims);
	struct jwt_loaded_key loaded;
	enum err err;

	json_decref(claims);
	if (claims == NULL)
		return err_set(
		    detail, ERR_INVALID, "the claims are no JSON object");
	if (algorithm == NULL)
		return err_set(detail, ERR_INVALID, "there is no such alg");
	err = load_signing_key(order->property, &loaded, detail);
	if (err != OK)
		return err;
	err = jwt_algorithm_fits(algorithm, &loaded.key, detail);
	if (err == OK)
		err = sign_with(order, algorithm, &loaded.key, out);
	jwt_key_fini(&loaded);
	ERR_clear_error();
	return err;
}
