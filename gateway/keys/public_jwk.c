/*
 * Writes public keys as JWK members and takes their thumbprint.
 * Not here: JWKs of others; clients' keys are parsed elsewhere.
 * Runs at start, on the main thread.
 */
#include "gateway/keys/public_jwk.h"

#include <string.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/keys/openssl_names.h"
#include "gateway/keys/vault.h"

/* A modulus of RSA 4096, twice what we make. */
#define NUMBER_MAX_BYTES 512

/* RFC 7518 section 6.2.1.2: coordinates have the field's full length. */
#define P256_COORDINATE_BYTES 32

/* Room for a JWK of the largest modulus. */
#define JWK_MAX_BYTES 2048

/*
 * Appends "name":"base64url of the number"; `pad_bytes` is its fixed length, 0
 * for as many bytes as it has (RFC 7518 section 2, Base64urlUInt).
 */
static enum err
append_number(struct buf *out, const EVP_PKEY *key, const char *param,
    const char *name, size_t pad_bytes)
{
	uint8_t bytes[NUMBER_MAX_BYTES];
	BIGNUM *number = NULL;
	size_t len;
	int written;

	if (EVP_PKEY_get_bn_param(key, param, &number) != 1)
		return ERR_CRYPTO;
	len = pad_bytes > 0 ? pad_bytes : (size_t)BN_num_bytes(number);
	written =
	    len > sizeof bytes ? -1 : BN_bn2binpad(number, bytes, (int)len);
	BN_free(number);
	if (written < 0)
		return ERR_INVALID;
	buf_printf(out, "\"%s\":\"", name);
	base64url_append(out, span_of(bytes, len));
	buf_append_char(out, '"');
	return buf_status(out);
}

/* RFC 7638 section 3.2: these members in this order, nothing else. */
static enum err
append_rsa(struct buf *out, const EVP_PKEY *key)
{
	enum err err = append_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);

	if (err != OK)
		return err;
	buf_append_str(out, ",\"kty\":\"RSA\",");
	return append_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
}

static enum err
append_p256(struct buf *out, const EVP_PKEY *key)
{
	enum err err;

	buf_append_str(out, "\"crv\":\"P-256\",\"kty\":\"EC\",");
	err = append_number(
	    out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", P256_COORDINATE_BYTES);
	if (err != OK)
		return err;
	buf_append_char(out, ',');
	return append_number(
	    out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", P256_COORDINATE_BYTES);
}

static enum err
append_required(struct buf *out, const EVP_PKEY *key)
{
	char group[16];

	if (EVP_PKEY_is_a(key, "RSA"))
		return append_rsa(out, key);
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		group, sizeof group, NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return ERR_INVALID;
	return append_p256(out, key);
}

enum err
public_jwk_thumbprint(const EVP_PKEY *key, char thumbprint_r[THUMBPRINT_BYTES])
{
	uint8_t digest[DIGEST_BYTES];
	struct buf text;
	enum err err;

	buf_init(&text, JWK_MAX_BYTES);
	buf_append_char(&text, '{');
	err = append_required(&text, key);
	buf_append_char(&text, '}');
	if (err == OK)
		err = buf_status(&text);
	if (err == OK) {
		digest_sha256(buf_span(&text), digest);
		buf_reset(&text);
		base64url_append(&text, span_of(digest, sizeof digest));
		err = buf_status(&text);
	}
	if (err == OK) {
		CHECK(text.len == THUMBPRINT_BYTES - 1);
		memcpy(thumbprint_r, text.data, text.len);
		thumbprint_r[text.len] = '\0';
	}
	buf_fini(&text);
	return err;
}

enum err
public_jwk_append(
    struct buf *out, const EVP_PKEY *key, const char *alg, const char *kid)
{
	enum err err;

	buf_append_char(out, '{');
	err = append_required(out, key);
	if (err != OK)
		return err;
	buf_printf(
	    out, ",\"use\":\"sig\",\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);
	return buf_status(out);
}
