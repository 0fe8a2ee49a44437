/*
 * CRYPTO with keys: tokens and password hashes. The script's process only
 * asks; keys and work are in the engine's front. Threads: one.
 */
#include <math.h>
#include <string.h>

#include "common/encoding.h"
#include "engine/runner/api_bytes.h"
#include "engine/runner/host.h"
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* Limits of the messages' rows. */
#define TOKEN_MAX_BYTES      65536
#define JWK_MAX_BYTES        131072
#define PEM_MAX_BYTES        65536
#define ID_MAX_BYTES         128
#define CLAIM_MAX_BYTES      2048
#define ALGORITHM_MAX_BYTES  16
#define ALGORITHMS_MAX_BYTES 256
#define KID_MAX_BYTES        256
#define TYP_MAX_BYTES        64
#define SKEW_MAX_SECS        3600.0
#define PASSWORD_MAX_BYTES   1024
#define ENCODED_MAX_BYTES    512
#define SALT_MAX_BYTES       256
#define HASH_MAX_BYTES       128
#define ITERATIONS_MAX       10000000.0

/* Fields of a call lie one after the other in the scratch buffer, which moves
 * while it grows: places first, spans at the end. */
#define FIELDS_MAX 8

struct fields {
	struct {
		struct span *span;
		size_t start;
		size_t len;
	} all[FIELDS_MAX];
	size_t count;
};

static void
fields_begin(duk_context *ctx, struct fields *fields)
{
	fields->count = 0;
	buf_reset(&vm_of(ctx)->scratch);
}

/* The value at `index` becomes what `span` will point to; undefined and null
 * stay absent. */
static void
fields_add(duk_context *ctx, struct fields *fields, struct span *span,
    duk_idx_t index, const char *what, size_t max_bytes)
{
	size_t start;

	if (duk_is_null_or_undefined(ctx, index))
		return;
	start = api_bytes_take_text(ctx, index, what, max_bytes);
	fields->all[fields->count].span = span;
	fields->all[fields->count].start = start;
	fields->all[fields->count].len = vm_of(ctx)->scratch.len - start;
	fields->count++;
}

static void
fields_end(duk_context *ctx, struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		*fields->all[i].span =
		    api_bytes_since(ctx, fields->all[i].start);
		fields->all[i].span->len = fields->all[i].len;
	}
}

static void
require_options(duk_context *ctx, duk_idx_t index, const char *what)
{
	if (!duk_is_object(ctx, index))
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "%s takes an object of options", what);
}

/* Pushes options[name]; an object as its JSON. Runs script code. */
static void
push_json_option(duk_context *ctx, duk_idx_t options, const char *name)
{
	duk_get_prop_string(ctx, options, name);
	if (duk_is_object(ctx, -1))
		duk_json_encode(ctx, -1);
}

static uint64_t
require_number(
    duk_context *ctx, duk_idx_t index, const char *what, double min, double max)
{
	double number = duk_get_number(ctx, index);

	if (!(number >= min && number <= max) || number != floor(number))
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "%s must be an integer from %.0f to %.0f", what, min, max);
	return (uint64_t)number;
}

/* ---- tokens ----------------------------------------------------------------
 */

/* Pushes the list as one text. */
static void
push_algorithms(duk_context *ctx)
{
	duk_size_t count;

	duk_get_prop_string(ctx, 1, "algorithms");
	count = duk_is_array(ctx, -1) ? duk_get_length(ctx, -1) : 0;
	if (count < 1 || count > 12)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "algorithms must be an array of those you accept, like "
		    "['RS256']");
	duk_push_string(ctx, ",");
	for (duk_size_t i = 0; i < count; i++) {
		duk_get_prop_index(ctx, -2 - (duk_idx_t)i, (duk_uarridx_t)i);
		(void)duk_require_string(ctx, -1);
	}
	duk_join(ctx, (duk_idx_t)count);
}

/* JSON of the engine as a value; null for none. */
static void
push_parsed(duk_context *ctx, struct span json)
{
	if (!span_present(json)) {
		duk_push_null(ctx);
		return;
	}
	vm_push_text(ctx, json);
	duk_json_decode(ctx, -1);
}

static duk_ret_t
push_verdict(duk_context *ctx, const struct msg_jwt_verified *answer)
{
	duk_push_object(ctx);
	duk_push_boolean(ctx, answer->valid);
	duk_put_prop_string(ctx, -2, "valid");
	push_parsed(ctx, answer->header);
	duk_put_prop_string(ctx, -2, "header");
	push_parsed(ctx, answer->claims);
	duk_put_prop_string(ctx, -2, "claims");
	if (answer->valid || !span_present(answer->error))
		duk_push_null(ctx);
	else
		vm_push_text(ctx, answer->error);
	duk_put_prop_string(ctx, -2, "error");
	return 1;
}

duk_ret_t
api_jwt_verify(duk_context *ctx)
{
	enum {
		TOKEN,
		OPTIONS,
		JWK,
		JWKS,
		PEM,
		KEY,
		ISSUER,
		AUDIENCE,
		SKEW,
		LIST,
		ALGORITHMS
	};
	struct message call = {.type = MSG_JWT_VERIFY};
	struct msg_jwt_verify *ask = &call.jwt_verify;
	struct fields fields;
	struct message answer;

	require_options(ctx, OPTIONS, "jwtVerify");
	push_json_option(ctx, OPTIONS, "jwk");
	push_json_option(ctx, OPTIONS, "jwks");
	duk_get_prop_string(ctx, OPTIONS, "pem");
	duk_get_prop_string(ctx, OPTIONS, "key");
	duk_get_prop_string(ctx, OPTIONS, "issuer");
	duk_get_prop_string(ctx, OPTIONS, "audience");
	duk_get_prop_string(ctx, OPTIONS, "clockSkew");
	push_algorithms(ctx);
	if (!duk_is_undefined(ctx, JWK) && !duk_is_undefined(ctx, JWKS))
		return vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "jwtVerify needs exactly one of jwk, jwks, pem and key");
	if (!duk_is_null_or_undefined(ctx, SKEW))
		ask->clock_skew_secs =
		    require_number(ctx, SKEW, "clockSkew", 0, SKEW_MAX_SECS);
	fields_begin(ctx, &fields);
	(void)duk_require_string(ctx, TOKEN);
	fields_add(
	    ctx, &fields, &ask->token, TOKEN, "the token", TOKEN_MAX_BYTES);
	fields_add(ctx, &fields, &ask->jwk,
	    duk_is_undefined(ctx, JWK) ? JWKS : JWK, "the JWK", JWK_MAX_BYTES);
	fields_add(ctx, &fields, &ask->pem, PEM, "pem", PEM_MAX_BYTES);
	fields_add(ctx, &fields, &ask->key, KEY, "key", ID_MAX_BYTES);
	fields_add(
	    ctx, &fields, &ask->issuer, ISSUER, "issuer", CLAIM_MAX_BYTES);
	fields_add(ctx, &fields, &ask->audience, AUDIENCE, "audience",
	    CLAIM_MAX_BYTES);
	fields_add(ctx, &fields, &ask->algorithms, ALGORITHMS, "algorithms",
	    ALGORITHMS_MAX_BYTES);
	fields_end(ctx, &fields);
	host_call(ctx, &call, MSG_JWT_VERIFIED, &answer);
	return push_verdict(ctx, &answer.jwt_verified);
}

duk_ret_t
api_jwt_sign(duk_context *ctx)
{
	enum { CLAIMS, OPTIONS, KEY, ALG, KID, TYP };
	struct message call = {.type = MSG_JWT_SIGN};
	struct msg_jwt_sign *ask = &call.jwt_sign;
	struct fields fields;
	struct message answer;

	require_options(ctx, OPTIONS, "jwtSign");
	if (!duk_is_object(ctx, CLAIMS))
		return vm_throw(
		    ctx, DUK_ERR_TYPE_ERROR, "the claims must be an object");
	duk_json_encode(ctx, CLAIMS);
	duk_get_prop_string(ctx, OPTIONS, "key");
	duk_get_prop_string(ctx, OPTIONS, "alg");
	duk_get_prop_string(ctx, OPTIONS, "kid");
	duk_get_prop_string(ctx, OPTIONS, "typ");
	fields_begin(ctx, &fields);
	(void)duk_require_string(ctx, CLAIMS);
	(void)duk_require_string(ctx, KEY);
	(void)duk_require_string(ctx, ALG);
	fields_add(ctx, &fields, &ask->claims, CLAIMS, "the claims' JSON",
	    TOKEN_MAX_BYTES);
	fields_add(ctx, &fields, &ask->key, KEY, "key", ID_MAX_BYTES);
	fields_add(
	    ctx, &fields, &ask->algorithm, ALG, "alg", ALGORITHM_MAX_BYTES);
	fields_add(ctx, &fields, &ask->kid, KID, "kid", KID_MAX_BYTES);
	fields_add(ctx, &fields, &ask->typ, TYP, "typ", TYP_MAX_BYTES);
	fields_end(ctx, &fields);
	host_call(ctx, &call, MSG_JWT_SIGNED, &answer);
	vm_push_text(ctx, answer.jwt_signed.token);
	return 1;
}

/* ---- passwords -------------------------------------------------------------
 */

/* Bytes as they are, or text in base64 or base64url, at the end of the scratch
 * buffer. */
static void
take_encoded(duk_context *ctx, duk_idx_t index, const char *what, size_t max)
{
	struct vm *vm = vm_of(ctx);
	struct buf bytes;
	const char *text;
	size_t len;
	enum err err;

	if (!duk_is_string(ctx, index)) {
		(void)api_bytes_take(ctx, index, what, max);
		return;
	}
	text = duk_get_lstring(ctx, index, &len);
	buf_init(&bytes, max);
	err = base64_decode(span_of(text, len), &bytes);
	if (err == ERR_SYNTAX) {
		buf_reset(&bytes);
		err = base64url_decode(span_of(text, len), &bytes);
	}
	if (err == OK)
		buf_append_span(&vm->scratch, buf_span(&bytes));
	buf_fini(&bytes);
	if (err != OK || vm->scratch.failed)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "%s must be bytes, or at most %zu of them in base64 or "
		    "base64url",
		    what, max);
}

duk_ret_t
api_password_pbkdf2(duk_context *ctx)
{
	enum { PASSWORD, OPTIONS, DIGEST, ITERATIONS, SALT, HASH };
	struct vm *vm = vm_of(ctx);
	struct message call = {.type = MSG_PBKDF2_VERIFY};
	struct msg_pbkdf2_verify *ask = &call.pbkdf2_verify;
	struct message answer;
	size_t digest, salt, hash, end;

	require_options(ctx, OPTIONS, "pbkdf2Verify");
	duk_get_prop_string(ctx, OPTIONS, "digest");
	duk_get_prop_string(ctx, OPTIONS, "iterations");
	duk_get_prop_string(ctx, OPTIONS, "salt");
	duk_get_prop_string(ctx, OPTIONS, "hash");
	ask->iterations =
	    require_number(ctx, ITERATIONS, "iterations", 1, ITERATIONS_MAX);
	buf_reset(&vm->scratch);
	(void)api_bytes_take_text(
	    ctx, PASSWORD, "the password", PASSWORD_MAX_BYTES);
	digest =
	    api_bytes_take_text(ctx, DIGEST, "digest", ALGORITHM_MAX_BYTES);
	salt = vm->scratch.len;
	take_encoded(ctx, SALT, "salt", SALT_MAX_BYTES);
	hash = vm->scratch.len;
	take_encoded(ctx, HASH, "hash", HASH_MAX_BYTES);
	end = vm->scratch.len;
	ask->password = span_of(vm->scratch.data, digest);
	ask->digest = span_of(vm->scratch.data + digest, salt - digest);
	ask->salt = span_of(vm->scratch.data + salt, hash - salt);
	ask->hash = span_of(vm->scratch.data + hash, end - hash);
	host_call(ctx, &call, MSG_PASSWORD_VERDICT, &answer);
	duk_push_boolean(ctx, answer.password_verdict.matches);
	return 1;
}

duk_ret_t
api_password_argon2id(duk_context *ctx)
{
	struct message call = {.type = MSG_ARGON2ID_VERIFY};
	struct fields fields;
	struct message answer;

	fields_begin(ctx, &fields);
	(void)duk_require_string(ctx, 0);
	(void)duk_require_string(ctx, 1);
	fields_add(ctx, &fields, &call.argon2id_verify.password, 0,
	    "the password", PASSWORD_MAX_BYTES);
	fields_add(ctx, &fields, &call.argon2id_verify.encoded, 1,
	    "the encoded hash", ENCODED_MAX_BYTES);
	fields_end(ctx, &fields);
	host_call(ctx, &call, MSG_PASSWORD_VERDICT, &answer);
	duk_push_boolean(ctx, answer.password_verdict.matches);
	return 1;
}
