/*
 * Loading of keys (see jwt_key.h). Not whether a key suits an algorithm:
 * jwt_algorithm.c. Threads of the offload.
 */
#include "engine/front/jwt_key.h"

#include <string.h>

#include "common/encoding.h"
#include "engine/front/openssl_headers.h"

/* An RSA number of 8192 bits, with room for leading zeros. */
#define NUMBER_BYTES 1040
#define POINT_BYTES  (1 + 2 * 66)
#define SECRET_BYTES 65536

bool
jwt_key_is_pem(struct span text)
{
	static const char mark[] = "-----BEGIN";

	return text.len > 0 &&
	       memmem(text.data, text.len, mark, sizeof mark - 1) != NULL;
}

/* An encrypted key is refused instead of asking somebody at a terminal. */
static int
no_passphrase(char *out_r, int size, int is_writing, void *owner)
{
	(void)out_r;
	(void)size;
	(void)is_writing;
	(void)owner;
	return -1;
}

static EVP_PKEY *
read_public(struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	EVP_PKEY *pkey = NULL;
	X509 *certificate;

	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	if (pkey == NULL && BIO_reset(bio) >= 0) {
		certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (certificate != NULL)
			pkey = X509_get_pubkey(certificate);
		X509_free(certificate);
	}
	BIO_free(bio);
	return pkey;
}

static EVP_PKEY *
read_private(struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
	EVP_PKEY *pkey = NULL;

	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return pkey;
}

enum err
jwt_key_from_pem(struct span text, bool want_private,
    struct jwt_loaded_key *key_r, struct err_detail *detail)
{
	EVP_PKEY *pkey = read_private(text);

	if (pkey == NULL && !want_private)
		pkey = read_public(text);
	if (pkey == NULL)
		return err_set(detail, ERR_INVALID,
		    want_private ? "the PEM text holds no unencrypted private "
				   "key"
				 : "the PEM text holds no key or certificate");
	*key_r = (struct jwt_loaded_key){.key.pkey = pkey};
	buf_init(&key_r->hmac, 0);
	return OK;
}

/* ---- JWK ------------------------------------------------------------------
 */

/* A member in base64url; false: it is missing or not that. */
static bool
member_bytes(const json_t *jwk, const char *name, struct buf *out)
{
	const json_t *value = json_object_get(jwk, name);

	if (!json_is_string(value))
		return false;
	return base64url_decode(
		   span_of(json_string_value(value), json_string_length(value)),
		   out) == OK &&
	       out->len > 0;
}

/* BIGNUMs that a builder points to, until it was turned into parameters. */
struct numbers {
	BIGNUM *all[8];
	size_t count;
};

static bool
push_kept(OSSL_PARAM_BLD *builder, struct numbers *numbers, const char *name,
    const json_t *jwk, const char *member)
{
	struct buf bytes;
	BIGNUM *number = NULL;

	buf_init(&bytes, NUMBER_BYTES);
	if (member_bytes(jwk, member, &bytes))
		number = BN_bin2bn(bytes.data, (int)bytes.len, NULL);
	buf_wipe(&bytes);
	if (number == NULL)
		return false;
	numbers->all[numbers->count++] = number;
	return OSSL_PARAM_BLD_push_BN(builder, name, number) == 1;
}

static bool
push_rsa(OSSL_PARAM_BLD *builder, struct numbers *numbers, const json_t *jwk,
    bool want_private)
{
	static const struct {
		const char *name, *member;
	} private[] = {{OSSL_PKEY_PARAM_RSA_D, "d"},
	    {OSSL_PKEY_PARAM_RSA_FACTOR1, "p"},
	    {OSSL_PKEY_PARAM_RSA_FACTOR2, "q"},
	    {OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp"},
	    {OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq"},
	    {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi"}};

	if (!push_kept(builder, numbers, OSSL_PKEY_PARAM_RSA_N, jwk, "n") ||
	    !push_kept(builder, numbers, OSSL_PKEY_PARAM_RSA_E, jwk, "e"))
		return false;
	for (size_t i = 0; want_private && i < 6; i++)
		if (!push_kept(builder, numbers, private[i].name, jwk,
			private[i].member))
			return false;
	return true;
}

static const char *
curve_of(const json_t *jwk, size_t *len_r)
{
	static const struct {
		const char *crv, *name;
		size_t len;
	} curves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48},
	    {"P-521", "secp521r1", 66}};
	const char *crv = json_string_value(json_object_get(jwk, "crv"));

	for (size_t i = 0; crv != NULL && i < 3; i++)
		if (strcmp(crv, curves[i].crv) == 0) {
			*len_r = curves[i].len;
			return curves[i].name;
		}
	return NULL;
}

static bool
push_ec(OSSL_PARAM_BLD *builder, struct numbers *numbers, const json_t *jwk,
    bool want_private, uint8_t point[POINT_BYTES])
{
	size_t len = 0;
	const char *curve = curve_of(jwk, &len);
	struct buf bytes;
	bool fine;

	if (curve == NULL)
		return false;
	/* RFC 7518 section 6.2.1.2: both of the field's full length. */
	buf_init(&bytes, POINT_BYTES);
	fine = member_bytes(jwk, "x", &bytes) && bytes.len == len;
	fine = fine && member_bytes(jwk, "y", &bytes) && bytes.len == 2 * len;
	point[0] = 0x04; /* uncompressed */
	if (fine)
		memcpy(point + 1, bytes.data, 2 * len);
	buf_fini(&bytes);
	return fine &&
	       OSSL_PARAM_BLD_push_utf8_string(
		   builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(
		   builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len) == 1 &&
	       (!want_private || push_kept(builder, numbers,
				     OSSL_PKEY_PARAM_PRIV_KEY, jwk, "d"));
}

static EVP_PKEY *
pkey_of(const char *kind, OSSL_PARAM_BLD *builder, bool want_private)
{
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *pkey = NULL;

	if (parameters == NULL || context == NULL ||
	    EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey,
		want_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
		parameters) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	return pkey;
}

static EVP_PKEY *
pair_from_jwk(const json_t *jwk, const char *kty, bool want_private)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	struct numbers numbers = {.count = 0};
	uint8_t point[POINT_BYTES];
	EVP_PKEY *pkey = NULL;
	bool is_rsa = strcmp(kty, "RSA") == 0;
	bool fine = builder != NULL;

	if (fine)
		fine = is_rsa ? push_rsa(builder, &numbers, jwk, want_private)
			      : push_ec(builder, &numbers, jwk, want_private,
				    point);
	if (fine)
		pkey = pkey_of(kty, builder, want_private);
	OSSL_PARAM_BLD_free(builder);
	while (numbers.count > 0)
		BN_clear_free(numbers.all[--numbers.count]);
	return pkey;
}

enum err
jwt_key_from_jwk(const json_t *jwk, bool want_private,
    struct jwt_loaded_key *key_r, struct err_detail *detail)
{
	const char *kty = json_string_value(json_object_get(jwk, "kty"));
	struct jwt_loaded_key key = {.key.pkey = NULL};

	buf_init(&key.hmac, SECRET_BYTES);
	if (kty != NULL && strcmp(kty, "oct") == 0) {
		if (!member_bytes(jwk, "k", &key.hmac)) {
			buf_wipe(&key.hmac);
			return err_set(
			    detail, ERR_INVALID, "the JWK's k is unusable");
		}
		key.key.hmac = buf_span(&key.hmac);
		*key_r = key;
		return OK;
	}
	if (kty == NULL || (strcmp(kty, "RSA") != 0 && strcmp(kty, "EC") != 0))
		return err_set(
		    detail, ERR_INVALID, "a JWK's kty must be RSA, EC or oct");
	key.key.pkey = pair_from_jwk(jwk, kty, want_private);
	if (key.key.pkey == NULL)
		return err_set(
		    detail, ERR_INVALID, "the JWK is no usable %s key", kty);
	*key_r = key;
	return OK;
}

enum err
jwt_key_from_secret(struct span text, struct jwt_loaded_key *key_r)
{
	struct jwt_loaded_key key = {.key.pkey = NULL};

	buf_init(&key.hmac, SECRET_BYTES);
	buf_append_span(&key.hmac, text);
	if (buf_status(&key.hmac) != OK || key.hmac.len == 0) {
		buf_wipe(&key.hmac);
		return ERR_INVALID;
	}
	key.key.hmac = buf_span(&key.hmac);
	*key_r = key;
	return OK;
}

void
jwt_key_fini(struct jwt_loaded_key *key)
{
	EVP_PKEY_free(key->key.pkey); /* wipes private numbers */
	buf_wipe(&key->hmac);
	key->key = (struct jwt_key){.pkey = NULL};
}
