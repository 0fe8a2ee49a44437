/*
 * JWS signatures over bytes (see jwt_algorithm.h). Not tokens: jwt.c. Threads
 * of the offload.
 */
#include "engine/front/jwt_algorithm.h"

#include <string.h>

#include "common/secret.h"
#include "engine/front/openssl_headers.h"

/* RFC 7518 sections 3.3 and 3.5; the greatest bounds the work. */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

#define CURVE_NAME_BYTES 64
#define DER_BYTES        160 /* of two 66-byte numbers */

static const struct jwt_algorithm algorithms[] = {
    {"HS256", JWT_HMAC, 32, NULL, 0},
    {"HS384", JWT_HMAC, 48, NULL, 0},
    {"HS512", JWT_HMAC, 64, NULL, 0},
    {"RS256", JWT_RSA, 32, NULL, 0},
    {"RS384", JWT_RSA, 48, NULL, 0},
    {"RS512", JWT_RSA, 64, NULL, 0},
    {"PS256", JWT_PSS, 32, NULL, 0},
    {"PS384", JWT_PSS, 48, NULL, 0},
    {"PS512", JWT_PSS, 64, NULL, 0},
    {"ES256", JWT_ECDSA, 32, "prime256v1", 32},
    {"ES384", JWT_ECDSA, 48, "secp384r1", 48},
    {"ES512", JWT_ECDSA, 64, "secp521r1", 66},
};

const struct jwt_algorithm *
jwt_algorithm_named(struct span name)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (span_is(name, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

static const EVP_MD *
digest_of(const struct jwt_algorithm *algorithm)
{
	return algorithm->hash_bytes == 32   ? EVP_sha256()
	       : algorithm->hash_bytes == 48 ? EVP_sha384()
					     : EVP_sha512();
}

static enum err
rsa_fits(const struct jwt_algorithm *algorithm, EVP_PKEY *pkey,
    struct err_detail *detail)
{
	int bits = EVP_PKEY_get_bits(pkey);

	/* A key made for PSS only must not sign otherwise. */
	if (!EVP_PKEY_is_a(pkey, "RSA") &&
	    !(algorithm->family == JWT_PSS && EVP_PKEY_is_a(pkey, "RSA-PSS")))
		return err_set(detail, ERR_INVALID, "%s needs an RSA key",
		    algorithm->name);
	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return err_set(detail, ERR_INVALID,
		    "an RSA key must have %d to %d bits, this one has %d",
		    RSA_BITS_MIN, RSA_BITS_MAX, bits);
	return OK;
}

static enum err
ecdsa_fits(const struct jwt_algorithm *algorithm, EVP_PKEY *pkey,
    struct err_detail *detail)
{
	char curve[CURVE_NAME_BYTES];
	size_t len;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
		curve, sizeof curve, &len) != 1 ||
	    strcmp(curve, algorithm->curve) != 0)
		return err_set(detail, ERR_INVALID,
		    "%s needs a key on curve %s", algorithm->name,
		    algorithm->curve);
	return OK;
}

enum err
jwt_algorithm_fits(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct err_detail *detail)
{
	if (algorithm->family == JWT_HMAC) {
		/* Also the guard against a public key used as a secret: such
		 * a key is never loaded as bytes (jwt_key.c). */
		if (!span_present(key->hmac))
			return err_set(detail, ERR_INVALID,
			    "%s needs a secret, not a key pair",
			    algorithm->name);
		if (key->hmac.len < algorithm->hash_bytes)
			return err_set(detail, ERR_INVALID,
			    "%s needs a secret of at least %u bytes (RFC 7518 "
			    "section 3.2)",
			    algorithm->name, algorithm->hash_bytes);
		return OK;
	}
	if (key->pkey == NULL)
		return err_set(detail, ERR_INVALID,
		    "%s needs a key pair, not a secret", algorithm->name);
	return algorithm->family == JWT_ECDSA
		   ? ecdsa_fits(algorithm, key->pkey, detail)
		   : rsa_fits(algorithm, key->pkey, detail);
}

/* ---- HMAC -----------------------------------------------------------------
 */

static bool
hmac_make(const struct jwt_algorithm *algorithm, const struct jwt_key *key,
    struct span bytes, uint8_t mac_r[EVP_MAX_MD_SIZE])
{
	return HMAC(digest_of(algorithm), key->hmac.data, (int)key->hmac.len,
		   bytes.data, bytes.len, mac_r, NULL) != NULL;
}

/* ---- ECDSA: OpenSSL's DER and JWS's r and s -------------------------------
 */

static bool
der_to_raw(
    const struct jwt_algorithm *algorithm, struct span der, uint8_t *raw_r)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	int len = (int)algorithm->number_bytes;
	bool fine =
	    pair != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw_r, len) == len &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw_r + len, len) == len;

	ECDSA_SIG_free(pair);
	return fine;
}

/* Bytes of DER, 0 on failure. */
static size_t
raw_to_der(const struct jwt_algorithm *algorithm, struct span raw,
    uint8_t der_r[DER_BYTES])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r, *s;
	int len = 0;

	if (pair == NULL || raw.len != (size_t)algorithm->number_bytes * 2) {
		ECDSA_SIG_free(pair);
		return 0;
	}
	r = BN_bin2bn(raw.data, (int)algorithm->number_bytes, NULL);
	s = BN_bin2bn(raw.data + algorithm->number_bytes,
	    (int)algorithm->number_bytes, NULL);
	if (r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else if (i2d_ECDSA_SIG(pair, NULL) <= DER_BYTES) {
		unsigned char *at = der_r;

		len = i2d_ECDSA_SIG(pair, &at);
	}
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

/* ---- key pairs ------------------------------------------------------------
 */

static bool
set_padding(const struct jwt_algorithm *algorithm, EVP_PKEY_CTX *context)
{
	if (algorithm->family != JWT_PSS)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) ==
		   1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(
		   context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
pair_sign(const struct jwt_algorithm *algorithm, const struct jwt_key *key,
    struct span bytes, uint8_t *out_r, size_t *len_r)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool fine =
	    context != NULL &&
	    EVP_DigestSignInit(context, &options, digest_of(algorithm), NULL,
		key->pkey) == 1 &&
	    set_padding(algorithm, options) &&
	    EVP_DigestSign(context, out_r, len_r, bytes.data, bytes.len) == 1;

	EVP_MD_CTX_free(context);
	return fine;
}

static bool
pair_verify(const struct jwt_algorithm *algorithm, const struct jwt_key *key,
    struct span bytes, struct span signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool fine = context != NULL &&
		    EVP_DigestVerifyInit(context, &options,
			digest_of(algorithm), NULL, key->pkey) == 1 &&
		    set_padding(algorithm, options) &&
		    EVP_DigestVerify(context, signature.data, signature.len,
			bytes.data, bytes.len) == 1;

	EVP_MD_CTX_free(context);
	return fine;
}

/* ---- both -----------------------------------------------------------------
 */

enum err
jwt_algorithm_sign(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct span bytes, struct buf *out)
{
	uint8_t signature[JWT_SIGNATURE_BYTES];
	uint8_t raw[JWT_SIGNATURE_BYTES];
	size_t len = sizeof signature;

	if (algorithm->family == JWT_HMAC) {
		if (!hmac_make(algorithm, key, bytes, signature))
			return ERR_CRYPTO;
		buf_append(out, signature, algorithm->hash_bytes);
		return buf_status(out);
	}
	if (!pair_sign(algorithm, key, bytes, signature, &len))
		return ERR_CRYPTO;
	if (algorithm->family != JWT_ECDSA) {
		buf_append(out, signature, len);
		return buf_status(out);
	}
	if (!der_to_raw(algorithm, span_of(signature, len), raw))
		return ERR_CRYPTO;
	buf_append(out, raw, (size_t)algorithm->number_bytes * 2);
	return buf_status(out);
}

bool
jwt_algorithm_verify(const struct jwt_algorithm *algorithm,
    const struct jwt_key *key, struct span bytes, struct span signature)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	uint8_t der[DER_BYTES];
	size_t len;

	switch (algorithm->family) {
	case JWT_HMAC:
		return hmac_make(algorithm, key, bytes, mac) &&
		       secret_equal(
			   span_of(mac, algorithm->hash_bytes), signature);
	case JWT_ECDSA:
		len = raw_to_der(algorithm, signature, der);
		return len > 0 &&
		       pair_verify(algorithm, key, bytes, span_of(der, len));
	case JWT_RSA:
	case JWT_PSS:
		break;
	}
	return pair_verify(algorithm, key, bytes, signature);
}
