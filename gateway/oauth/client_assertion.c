/*
 * private_key_jwt; see client_assertion.h. The header is read by us first and
 * only then given to cjose: its parser recurses, and the algorithm must be on
 * our list before anything is verified.
 * Runs on civetweb's workers.
 */
#include "gateway/oauth/client_assertion.h"

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <jansson.h>
#include <string.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/json_text.h"
#include "common/log.h"
#include "gateway/oauth/auth_guard.h"
#include "gateway/oauth/event.h"
#include "gateway/store/store_assertion.h"
#include "gateway/realm/json_memory.h"

/* RFC 7523 section 2.2. */
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* A few hundred bytes is usual; RSA 8192 signs with 1366. */
#define ASSERTION_BYTES_MAX 8192

/* A header and claims need 2; see json_depth(). */
#define ASSERTION_DEPTH_MAX 4

/* SPEC 1: so long a jti must be remembered. */
#define ASSERTION_AHEAD_SECS_MAX 3600

/* For iat and nbf, where clocks differ. */
#define CLOCK_SKEW_SECS 30

#define JTI_BYTES_MAX 255

/* RFC 7518 section 3.4. */
#define ES256_SIGNATURE_BYTES 64

/* What is being decided; JSON trees end here. */
struct verification {
	const struct realm *realm;
	const struct realm_client *client; /* NULL until claims named one */
	const char *endpoint_url;
	struct span compact;
	struct span parts[3]; /* header, claims, signature in base64url */
	json_t *header;
	json_t *claims;
	const char *complaint; /* what was wrong, for the log */
};

bool
client_assertion_is_sent(const struct client_assertion *sent)
{
	return span_present(sent->type) || span_present(sent->assertion);
}

static enum err
refuse(struct verification *v, const char *complaint)
{
	v->complaint = complaint;
	return ERR_DENIED;
}

/* ---- reading ------------------------------------------------------------ */

static enum err
split(struct verification *v)
{
	const uint8_t *at = v->compact.data, *end = at + v->compact.len;

	for (int i = 0; i < 3; i++) {
		const uint8_t *dot = memchr(at, '.', (size_t)(end - at));

		if ((dot == NULL) != (i == 2))
			return refuse(v, "not a compact JWS");
		if (dot == NULL)
			dot = end;
		v->parts[i] = span_of(at, (size_t)(dot - at));
		at = i < 2 ? dot + 1 : dot;
	}
	return OK;
}

/* NULL: not base64url of a JSON object without duplicate members. */
static json_t *
load_part(struct span part)
{
	json_t *tree = NULL;
	struct buf text;

	buf_init(&text, ASSERTION_BYTES_MAX);
	if (base64url_decode(part, &text) == OK && text.len > 0 &&
	    json_depth(buf_span(&text)) <= ASSERTION_DEPTH_MAX)
		tree = json_memory_load(
		    buf_span(&text), JSON_REJECT_DUPLICATES, NULL, NULL);
	buf_fini(&text);
	if (tree != NULL && !json_is_object(tree)) {
		json_decref(tree);
		tree = NULL;
	}
	return tree;
}

static enum err
read_parts(struct verification *v)
{
	enum err err;

	if (v->compact.len > ASSERTION_BYTES_MAX)
		return refuse(v, "larger than 8 KiB");
	err = split(v);
	if (err != OK)
		return err;
	v->header = load_part(v->parts[0]);
	v->claims = load_part(v->parts[1]);
	if (v->header == NULL || v->claims == NULL)
		return refuse(v, "header or claims are not a JSON object");
	return OK;
}

static const char *
text_member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static bool
text_is(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

/* ---- header and key ----------------------------------------------------- */

/* ES256, RS256 and PS256; the type of key that each takes. */
static const char *
key_type_of(const char *alg)
{
	enum signing_alg known;

	if (alg == NULL || signing_alg_parse(alg, &known) != OK)
		return NULL;
	return known == ALG_ES256 ? "EC" : "RSA";
}

/* RFC 7515 section 4.1: what a header may ask for. */
static enum err
check_header(struct verification *v)
{
	if (key_type_of(text_member(v->header, "alg")) == NULL)
		return refuse(v, "alg is none of ES256, RS256, PS256");
	if (text_member(v->header, "kid") == NULL)
		return refuse(v, "kid is missing");
	/* Section 4.1.11: extensions that must be understood; none is. */
	if (json_object_get(v->header, "crit") != NULL)
		return refuse(v, "crit names an extension");
	return OK;
}

/* RFC 7517 section 4: the key of this kid, if it is for this use. */
static bool
key_fits(const json_t *key, const char *kid, const char *alg)
{
	const char *own_alg = text_member(key, "alg");
	const char *use = text_member(key, "use");

	return text_is(text_member(key, "kid"), kid) &&
	       text_is(text_member(key, "kty"), key_type_of(alg)) &&
	       (own_alg == NULL || strcmp(own_alg, alg) == 0) &&
	       (use == NULL || strcmp(use, "sig") == 0);
}

/* NULL: none fits. The caller releases it. */
static cjose_jwk_t *
find_key(const struct verification *v)
{
	const char *kid = text_member(v->header, "kid");
	const char *alg = text_member(v->header, "alg");
	json_t *set = json_loads(v->client->jwks_json, 0, NULL), *key;
	cjose_jwk_t *found = NULL;
	size_t i;

	json_array_foreach (json_object_get(set, "keys"), i, key) {
		if (found == NULL && key_fits(key, kid, alg))
			found = cjose_jwk_import_json(key, NULL);
	}
	json_decref(set);
	return found;
}

static bool
signature_has_length(const struct verification *v)
{
	struct buf bytes;
	bool fits = true;

	if (!text_is(text_member(v->header, "alg"), "ES256"))
		return true;
	buf_init(&bytes, ES256_SIGNATURE_BYTES);
	fits = base64url_decode(v->parts[2], &bytes) == OK &&
	       bytes.len == ES256_SIGNATURE_BYTES;
	buf_fini(&bytes);
	return fits;
}

static enum err
check_signature(struct verification *v)
{
	cjose_jwk_t *key;
	cjose_jws_t *jws;
	bool right;

	if (v->client->jwks_json == NULL)
		return refuse(v, v->client->jwks_uri != NULL
				     ? "the client has a jwks_uri, which this "
				       "version does not fetch: register jwks"
				     : "the client has no jwks");
	key = find_key(v);
	if (key == NULL)
		return refuse(v, "no registered key has this kid and alg");
	jws = cjose_jws_import(
	    (const char *)v->compact.data, v->compact.len, NULL);
	right = jws != NULL && signature_has_length(v) &&
		cjose_jws_verify(jws, key, NULL);
	cjose_jws_release(jws);
	cjose_jwk_release(key);
	return right ? OK : refuse(v, "the signature is wrong");
}

/* ---- claims ------------------------------------------------------------- */

/* RFC 7523 section 3, 1 and 2: iss and sub are the client. */
static enum err
find_client(struct verification *v, struct span form_id)
{
	const char *iss = text_member(v->claims, "iss");
	const char *sub = text_member(v->claims, "sub");

	if (iss == NULL || !text_is(sub, iss))
		return refuse(v, "iss and sub are not one client id");
	if (span_present(form_id) && !span_is(form_id, iss))
		return refuse(v, "client_id is another client");
	v->client = realm_client(v->realm, span_str(iss));
	return v->client == NULL ? refuse(v, "no such client") : OK;
}

static bool
audience_is_ours(
    const struct verification *v, const char *issuer, const json_t *audience)
{
	const char *text = json_string_value(audience);

	return text_is(text, issuer) ||
	       (v->endpoint_url != NULL && text_is(text, v->endpoint_url));
}

/* RFC 7519 section 4.1.3: one string, or several. */
static bool
has_our_audience(const struct verification *v, const char *issuer)
{
	json_t *audience = json_object_get(v->claims, "aud"), *one;
	size_t i;

	if (audience_is_ours(v, issuer, audience))
		return true;
	json_array_foreach (audience, i, one)
		if (audience_is_ours(v, issuer, one))
			return true;
	return false;
}

/* NumericDate; a fraction counts down. False: sent, but no such number. */
static bool
time_member(const json_t *claims, const char *name, int64_t *secs_r)
{
	const json_t *value = json_object_get(claims, name);
	double secs = json_number_value(value);

	if (value == NULL)
		return true;
	if (!json_is_number(value) || secs < 0 || secs > 1e12)
		return false;
	*secs_r = (int64_t)secs;
	return true;
}

static enum err
check_times(struct verification *v, int64_t now, int64_t *expires_at_r)
{
	int64_t exp = -1, nbf = 0, iat = 0;

	if (!time_member(v->claims, "exp", &exp) ||
	    !time_member(v->claims, "nbf", &nbf) ||
	    !time_member(v->claims, "iat", &iat) || exp < 0)
		return refuse(v, "exp is missing, or a time is no number");
	if (exp <= now)
		return refuse(v, "it has expired");
	if (exp > now + ASSERTION_AHEAD_SECS_MAX + CLOCK_SKEW_SECS)
		return refuse(v, "exp is more than an hour ahead");
	if (nbf > now + CLOCK_SKEW_SECS || iat > now + CLOCK_SKEW_SECS)
		return refuse(v, "it is from the future");
	*expires_at_r = exp;
	return OK;
}

static enum err
check_claims(struct verification *v, const char *issuer, int64_t *expires_at_r)
{
	const char *jti = text_member(v->claims, "jti");
	enum err err;

	if (!has_our_audience(v, issuer))
		return refuse(v, "aud is neither the issuer nor this endpoint");
	err = check_times(v, clock_wall_secs(), expires_at_r);
	if (err != OK)
		return err;
	if (jti == NULL || jti[0] == '\0' || strlen(jti) > JTI_BYTES_MAX)
		return refuse(v, "jti is missing or too long");
	return OK;
}

/* ---- single use --------------------------------------------------------- */

static enum err
use_up(const struct oauth *oauth, const struct http_request *http,
    struct verification *v, int64_t expires_at)
{
	uint8_t hash[DIGEST_BYTES];
	struct event event;
	struct buf name;
	enum err err;

	buf_init(&name, ASSERTION_BYTES_MAX);
	buf_append_str(&name, v->client->client_id);
	buf_append_char(&name, '\0');
	buf_append_str(&name, text_member(v->claims, "jti"));
	err = buf_status(&name);
	if (err == OK) {
		digest_sha256(buf_span(&name), hash);
		err = store_assertion_use(oauth->store, hash, expires_at);
	}
	buf_fini(&name);
	if (err == ERR_EXISTS) {
		event = event_of(http, EVENT_ASSERTION_REPLAYED);
		event.client_id = span_str(v->client->client_id);
		event_record(oauth->events, &event);
		return refuse(v, "its jti was used before");
	}
	return err == OK ? OK : ERR_UNAVAILABLE;
}

/* ---- the whole ---------------------------------------------------------- */

static bool
query_has_credentials(const struct http_request *http)
{
	struct http_form form;

	if (!span_present(http->query))
		return false;
	return http_form_parse(http->query, http->arena, &form) != OK ||
	       span_present(http_form_get(&form, "client_id")) ||
	       span_present(http_form_get(&form, "client_secret")) ||
	       span_present(http_form_get(&form, "client_assertion"));
}

static enum err
check_request(const struct http_request *http,
    const struct client_assertion *sent, struct err_detail *detail)
{
	if (query_has_credentials(http))
		return err_set(detail, ERR_INVALID,
		    "Client credentials must not be in the query.");
	if (span_present(http->authorization))
		return err_set(detail, ERR_INVALID,
		    "Client credentials were sent in two ways at once.");
	if (!span_present(sent->type) || !span_present(sent->assertion))
		return err_set(detail, ERR_INVALID,
		    "client_assertion_type and client_assertion belong "
		    "together.");
	if (!span_is(sent->type, ASSERTION_TYPE))
		return err_set(detail, ERR_INVALID,
		    "This client_assertion_type is not taken; only JWT "
		    "bearer is.");
	return OK;
}

/* Whom the throttle counts: what was shown, before it is believed. */
static struct span
shown_client(const struct verification *v, const struct client_assertion *sent)
{
	const char *iss = text_member(v->claims, "iss");

	if (iss != NULL)
		return span_str(iss);
	return span_present(sent->client_id) ? sent->client_id : span_str("");
}

/* The part that costs. */
static enum err
prove(const struct auth_attempt *attempt, struct verification *v)
{
	int64_t expires_at = 0;
	enum err err = check_signature(v);

	if (err == OK)
		err = check_claims(
		    v, oauth_issuer(attempt->oauth, v->realm), &expires_at);
	if (err == OK && !v->client->enabled)
		err = refuse(v, "the client is disabled");
	if (err == OK)
		err = use_up(attempt->oauth, attempt->http, v, expires_at);
	return err;
}

static enum err
decide(struct auth_attempt *attempt, struct verification *v,
    const struct client_assertion *sent)
{
	enum auth_verdict verdict;
	enum err err = read_parts(v);

	attempt->client_id = shown_client(v, sent);
	verdict = auth_guard_enter(attempt);
	if (verdict == AUTH_REFUSE_CLIENT || verdict == AUTH_REFUSE_SOURCE)
		return ERR_DENIED;
	if (err == OK)
		err = check_header(v);
	if (err == OK)
		err = find_client(v, sent->client_id);
	if (err == OK)
		err = prove(attempt, v);
	if (err == OK)
		auth_guard_passed(attempt);
	if (err != ERR_DENIED)
		return err;
	auth_guard_failed(attempt);
	log_warn("client assertion refused",
	    LOG_STR("correlation_id", attempt->http->correlation_id),
	    LOG_STR("client", v->client == NULL ? NULL : v->client->client_id),
	    LOG_STR("reason", v->complaint));
	return err;
}

enum err
client_assertion_authenticate(const struct oauth *oauth,
    const struct realm *realm, const struct http_request *http,
    const struct client_assertion *sent, const char *endpoint_url,
    const struct realm_client **client_r, struct err_detail *detail)
{
	struct verification v = {.realm = realm,
	    .endpoint_url = endpoint_url,
	    .compact = sent->assertion};
	struct auth_attempt attempt = {oauth, http, "client", span_str("")};
	enum err err = check_request(http, sent, detail);

	if (err != OK)
		return err;
	err = decide(&attempt, &v, sent);
	if (err == OK)
		*client_r = v.client;
	json_decref(v.header);
	json_decref(v.claims);
	return err;
}
