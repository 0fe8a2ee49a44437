/*
 * CRYPTO without keys of the operator: random bytes, digests, MACs, encodings,
 * comparison. All of it happens in the script's process. Threads: one.
 */
#include <math.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

#include "common/encoding.h"
#include "engine/runner/api_bytes.h"
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* As much as data may be anywhere else. */
#define DATA_MAX_BYTES   524288
#define RANDOM_MAX_BYTES 4096

/* Decoded bytes, or a digest in its encoding. */
#define OUT_MAX_BYTES (2 * DATA_MAX_BYTES)

enum output { OUTPUT_HEX, OUTPUT_BASE64, OUTPUT_BASE64URL, OUTPUT_BYTES };

static enum output
require_output(duk_context *ctx, duk_idx_t index, enum output otherwise)
{
	static const char *const names[] = {
	    "hex", "base64", "base64url", "bytes"};

	if (duk_is_null_or_undefined(ctx, index))
		return otherwise;
	for (int i = 0; i < 4 && duk_is_string(ctx, index); i++)
		if (strcmp(duk_get_string(ctx, index), names[i]) == 0)
			return (enum output)i;
	(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
	    "the encoding must be 'hex', 'base64', 'base64url' or 'bytes'");
	return otherwise;
}

/* Pushes `bytes`, which may lie in the scratch buffer: what is made of them
 * goes behind them there. */
static duk_ret_t
push_output(duk_context *ctx, struct span bytes, enum output output)
{
	struct vm *vm = vm_of(ctx);
	struct buf out;

	if (output == OUTPUT_BYTES) {
		api_bytes_push(ctx, bytes);
		return 1;
	}
	buf_init(&out, OUT_MAX_BYTES);
	if (output == OUTPUT_HEX)
		hex_append_lower(&out, bytes);
	else if (output == OUTPUT_BASE64)
		base64_append(&out, bytes);
	else
		base64url_append(&out, bytes);
	buf_reset(&vm->scratch);
	buf_append_span(&vm->scratch, buf_span(&out));
	buf_fini(&out); /* before anything can throw */
	if (vm->scratch.failed)
		return vm_throw(ctx, DUK_ERR_RANGE_ERROR, "too long");
	bytes = api_bytes_since(ctx, 0);
	duk_push_lstring(ctx, (const char *)bytes.data, bytes.len);
	return 1;
}

/* ---- random ----------------------------------------------------------------
 */

duk_ret_t
api_crypto_random_bytes(duk_context *ctx)
{
	enum output output = require_output(ctx, 1, OUTPUT_BYTES);
	double count = duk_get_number(ctx, 0);
	uint8_t bytes[RANDOM_MAX_BYTES];

	if (!(count >= 1 && count <= RANDOM_MAX_BYTES) || count != floor(count))
		return vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "count must be an integer from 1 to %d", RANDOM_MAX_BYTES);
	drbg_bytes(&vm_of(ctx)->drbg, bytes, (size_t)count);
	return push_output(ctx, span_of(bytes, (size_t)count), output);
}

/* ---- digests and MACs ------------------------------------------------------
 */

static duk_ret_t
digest(duk_context *ctx, size_t hash_bytes)
{
	enum output output = require_output(ctx, 1, OUTPUT_HEX);
	uint8_t hash[SHA512_DIGEST_SIZE];
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
	struct span data;

	buf_reset(&vm_of(ctx)->scratch);
	(void)api_bytes_take(ctx, 0, "the data", DATA_MAX_BYTES);
	data = api_bytes_since(ctx, 0);
	if (hash_bytes == SHA256_DIGEST_SIZE) {
		sha256_init(&sha256);
		sha256_update(&sha256, data.len, data.data);
		sha256_digest(&sha256, hash_bytes, hash);
	} else if (hash_bytes == SHA384_DIGEST_SIZE) {
		sha384_init(&sha512);
		sha384_update(&sha512, data.len, data.data);
		sha384_digest(&sha512, hash_bytes, hash);
	} else {
		sha512_init(&sha512);
		sha512_update(&sha512, data.len, data.data);
		sha512_digest(&sha512, hash_bytes, hash);
	}
	return push_output(ctx, span_of(hash, hash_bytes), output);
}

duk_ret_t
api_crypto_sha256(duk_context *ctx)
{
	return digest(ctx, SHA256_DIGEST_SIZE);
}

duk_ret_t
api_crypto_sha384(duk_context *ctx)
{
	return digest(ctx, SHA384_DIGEST_SIZE);
}

duk_ret_t
api_crypto_sha512(duk_context *ctx)
{
	return digest(ctx, SHA512_DIGEST_SIZE);
}

static duk_ret_t
mac(duk_context *ctx, size_t hash_bytes)
{
	enum output output = require_output(ctx, 2, OUTPUT_HEX);
	uint8_t code[SHA512_DIGEST_SIZE];
	struct hmac_sha256_ctx hmac256;
	struct hmac_sha512_ctx hmac512;
	struct span key, data;
	size_t start;

	buf_reset(&vm_of(ctx)->scratch);
	(void)api_bytes_take(ctx, 0, "the key", DATA_MAX_BYTES);
	start = api_bytes_take(ctx, 1, "the data", DATA_MAX_BYTES);
	data = api_bytes_since(ctx, start);
	key = api_bytes_since(ctx, 0);
	key.len = start;
	if (hash_bytes == SHA256_DIGEST_SIZE) {
		hmac_sha256_set_key(&hmac256, key.len, key.data);
		hmac_sha256_update(&hmac256, data.len, data.data);
		hmac_sha256_digest(&hmac256, hash_bytes, code);
	} else if (hash_bytes == SHA384_DIGEST_SIZE) {
		hmac_sha384_set_key(&hmac512, key.len, key.data);
		hmac_sha384_update(&hmac512, data.len, data.data);
		hmac_sha384_digest(&hmac512, hash_bytes, code);
	} else {
		hmac_sha512_set_key(&hmac512, key.len, key.data);
		hmac_sha512_update(&hmac512, data.len, data.data);
		hmac_sha512_digest(&hmac512, hash_bytes, code);
	}
	return push_output(ctx, span_of(code, hash_bytes), output);
}

duk_ret_t
api_crypto_hmac_sha256(duk_context *ctx)
{
	return mac(ctx, SHA256_DIGEST_SIZE);
}

duk_ret_t
api_crypto_hmac_sha384(duk_context *ctx)
{
	return mac(ctx, SHA384_DIGEST_SIZE);
}

duk_ret_t
api_crypto_hmac_sha512(duk_context *ctx)
{
	return mac(ctx, SHA512_DIGEST_SIZE);
}

duk_ret_t
api_crypto_timing_safe_equal(duk_context *ctx)
{
	struct span a, b;
	size_t start;

	buf_reset(&vm_of(ctx)->scratch);
	(void)api_bytes_take(ctx, 0, "a", DATA_MAX_BYTES);
	start = api_bytes_take(ctx, 1, "b", DATA_MAX_BYTES);
	b = api_bytes_since(ctx, start);
	a = api_bytes_since(ctx, 0);
	a.len = start;
	duk_push_boolean(
	    ctx, a.len == b.len && memeql_sec(a.data, b.data, a.len));
	return 1;
}

/* ---- encodings -------------------------------------------------------------
 */

static duk_ret_t
encode(duk_context *ctx, enum output output)
{
	buf_reset(&vm_of(ctx)->scratch);
	(void)api_bytes_take(ctx, 0, "the data", DATA_MAX_BYTES);
	return push_output(ctx, api_bytes_since(ctx, 0), output);
}

static bool
want_bytes(duk_context *ctx)
{
	const char *as = duk_get_string(ctx, 1);

	if (duk_is_null_or_undefined(ctx, 1) ||
	    (as != NULL && strcmp(as, "text") == 0))
		return false;
	if (as == NULL || strcmp(as, "bytes") != 0)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the second argument must be 'text' or 'bytes'");
	return true;
}

/* ERR_SYNTAX: not of this encoding. */
static enum err
decode_into(struct span text, enum output input, struct buf *out)
{
	uint8_t *at;
	enum err err;

	if (input == OUTPUT_BASE64)
		return base64_decode(text, out);
	if (input == OUTPUT_BASE64URL)
		return base64url_decode(text, out);
	at = buf_reserve(out, text.len / 2 + 1);
	if (at == NULL)
		return ERR_LIMIT;
	err =
	    text.len % 2 == 0 ? hex_decode(text, at, text.len / 2) : ERR_SYNTAX;
	if (err == OK)
		buf_commit(out, text.len / 2);
	return err;
}

static duk_ret_t
decode(duk_context *ctx, enum output input, const char *name)
{
	struct vm *vm = vm_of(ctx);
	bool as_bytes = want_bytes(ctx);
	struct span bytes;
	struct buf out;
	enum err err;

	buf_reset(&vm->scratch);
	(void)api_bytes_take_text(ctx, 0, "the text", OUT_MAX_BYTES);
	buf_init(&out, OUT_MAX_BYTES + 1);
	err = decode_into(api_bytes_since(ctx, 0), input, &out);
	buf_reset(&vm->scratch);
	buf_append_span(&vm->scratch, buf_span(&out));
	buf_fini(&out); /* before anything can throw */
	if (err != OK || vm->scratch.failed)
		return vm_throw(
		    ctx, DUK_ERR_TYPE_ERROR, "the text is not %s", name);
	bytes = api_bytes_since(ctx, 0);
	if (as_bytes) {
		api_bytes_push(ctx, bytes);
		return 1;
	}
	if (!utf8_is_valid(bytes))
		return vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the decoded bytes are no UTF-8 text: ask for 'bytes'");
	api_bytes_push_text_lossy(ctx, bytes);
	return 1;
}

duk_ret_t
api_crypto_base64_encode(duk_context *ctx)
{
	return encode(ctx, OUTPUT_BASE64);
}

duk_ret_t
api_crypto_base64_decode(duk_context *ctx)
{
	return decode(ctx, OUTPUT_BASE64, "base64");
}

duk_ret_t
api_crypto_base64url_encode(duk_context *ctx)
{
	return encode(ctx, OUTPUT_BASE64URL);
}

duk_ret_t
api_crypto_base64url_decode(duk_context *ctx)
{
	return decode(ctx, OUTPUT_BASE64URL, "base64url");
}

duk_ret_t
api_crypto_hex_encode(duk_context *ctx)
{
	return encode(ctx, OUTPUT_HEX);
}

duk_ret_t
api_crypto_hex_decode(duk_context *ctx)
{
	return decode(ctx, OUTPUT_HEX, "hex");
}
