/*
 * Signs compact JWS (RFC 7515) with one key. Each thread keeps an initialised
 * EVP_PKEY_CTX for the keys it used last, which saves a quarter of an ES256
 * signature. A context has its own reference on the private key: that of a
 * retired key goes when the thread ends or needs its place.
 * Not here: which key is current (keyring.c).
 * Runs on any thread of the gateway.
 */
#include "gateway/keys/signer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/keys/openssl_names.h"
#include "gateway/keys/public_jwk.h"

/* RSA 4096, twice what we make; an ES256 signature in DER is at most 72. */
#define SIGNATURE_MAX_BYTES 512

/* RFC 7518 section 3.4: R and S, each in the field's full length. */
#define P256_NUMBER_BYTES 32

/* {"alg","kid","typ"} is about 90 bytes, 120 in base64url. */
#define HEADER_MAX_BYTES 256

/* The values of "typ" that we sign. */
enum typ { TYP_JWT, TYP_AT_JWT, TYP_INTROSPECTION, TYP_COUNT };

static const char *const typ_names[TYP_COUNT] = {
    "JWT", "at+jwt", "token-introspection+jwt"};

/* Keys a thread signs with in turn: one of each algorithm, and once more
 * while a rotation changes them. */
#define CONTEXTS_MAX (2 * ALG_COUNT)

struct signer {
	uint64_t serial; /* never used again, unlike an address */
	enum signing_alg alg;
	EVP_PKEY *key;
	char kid[THUMBPRINT_BYTES];
	struct buf headers[TYP_COUNT]; /* base64url, ready to be copied */
	atomic_uint references;
};

/* ---- contexts ----------------------------------------------------------- */

/* One thread's. */
struct contexts {
	struct {
		uint64_t serial; /* the signer's; 0: free */
		EVP_PKEY_CTX *pkey;
	} kept[CONTEXTS_MAX];
	unsigned next; /* the place that is given away next */
};

static pthread_key_t contexts_key; /* only for its destructor */
static pthread_once_t contexts_once = PTHREAD_ONCE_INIT;
static bool contexts_have_key;

/* The quick way to what contexts_key holds. */
static _Thread_local struct contexts *own_contexts;

/* pthread's destructor. */
static void
contexts_free(void *argument)
{
	struct contexts *contexts = argument;

	own_contexts = NULL;
	for (unsigned i = 0; i < CONTEXTS_MAX; i++)
		EVP_PKEY_CTX_free(contexts->kept[i].pkey);
	free(contexts);
}

static void
contexts_make_key(void)
{
	contexts_have_key =
	    pthread_key_create(&contexts_key, contexts_free) == 0;
}

/* NULL: no memory. */
static struct contexts *
contexts_get(void)
{
	struct contexts *contexts = own_contexts;

	if (contexts != NULL)
		return contexts;
	pthread_once(&contexts_once, contexts_make_key);
	contexts = contexts_have_key ? calloc(1, sizeof *contexts) : NULL;
	if (contexts == NULL)
		return NULL;
	if (pthread_setspecific(contexts_key, contexts) != 0) {
		free(contexts);
		return NULL;
	}
	own_contexts = contexts;
	return contexts;
}

static bool
context_set_up(EVP_PKEY_CTX *pkey, enum signing_alg alg)
{
	if (EVP_PKEY_sign_init(pkey) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(pkey, EVP_sha256()) != 1)
		return false;
	if (alg == ALG_ES256)
		return true;
	if (alg == ALG_RS256)
		return EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PADDING) ==
		       1;
	/* RFC 7518 section 3.5: the salt is as long as the digest. */
	return EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(pkey, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) ==
		   1;
}

static EVP_PKEY_CTX *
context_new(const struct signer *signer)
{
	EVP_PKEY_CTX *pkey =
	    EVP_PKEY_CTX_new_from_pkey(NULL, signer->key, NULL);

	if (pkey != NULL && context_set_up(pkey, signer->alg))
		return pkey;
	EVP_PKEY_CTX_free(pkey);
	ERR_clear_error();
	return NULL;
}

/* The calling thread's context for this key; NULL: no memory. */
static EVP_PKEY_CTX *
context_get(const struct signer *signer)
{
	struct contexts *contexts = contexts_get();
	EVP_PKEY_CTX *pkey;
	unsigned place;

	if (contexts == NULL)
		return NULL;
	for (unsigned i = 0; i < CONTEXTS_MAX; i++)
		if (contexts->kept[i].serial == signer->serial)
			return contexts->kept[i].pkey;
	pkey = context_new(signer);
	if (pkey == NULL)
		return NULL;
	place = contexts->next++ % CONTEXTS_MAX;
	EVP_PKEY_CTX_free(contexts->kept[place].pkey);
	contexts->kept[place].serial = signer->serial;
	contexts->kept[place].pkey = pkey;
	return pkey;
}

/* ---- the signer --------------------------------------------------------- */

static enum err
make_headers(struct signer *signer, const char *kid)
{
	struct buf json;
	enum err err = OK;

	buf_init(&json, HEADER_MAX_BYTES);
	for (int typ = 0; typ < TYP_COUNT && err == OK; typ++) {
		buf_reset(&json);
		buf_printf(&json,
		    "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"%s\"}",
		    signing_alg_name(signer->alg), kid, typ_names[typ]);
		base64url_append(&signer->headers[typ], buf_span(&json));
		err = buf_status(&json);
		if (err == OK)
			err = buf_status(&signer->headers[typ]);
	}
	buf_fini(&json);
	return err;
}

enum err
signer_new(enum signing_alg alg, const char *kid, EVP_PKEY *key,
    struct signer **signer_r)
{
	static atomic_uint_fast64_t last_serial;
	struct signer *signer = calloc(1, sizeof *signer);
	enum err err;

	if (signer == NULL)
		return ERR_NOMEM;
	signer->serial = atomic_fetch_add(&last_serial, 1) + 1;
	signer->alg = alg;
	atomic_init(&signer->references, 1);
	snprintf(signer->kid, sizeof signer->kid, "%s", kid);
	for (int typ = 0; typ < TYP_COUNT; typ++)
		buf_init(&signer->headers[typ], HEADER_MAX_BYTES);
	err = make_headers(signer, kid);
	if (err == OK && EVP_PKEY_up_ref(key) != 1)
		err = ERR_CRYPTO;
	if (err == OK)
		signer->key = key;
	if (err == OK && context_get(signer) == NULL)
		err = ERR_CRYPTO;
	if (err != OK) {
		signer_release(signer);
		return err;
	}
	*signer_r = signer;
	return OK;
}

struct signer *
signer_acquire(struct signer *signer)
{
	atomic_fetch_add(&signer->references, 1);
	return signer;
}

void
signer_release(struct signer *signer)
{
	if (signer == NULL || atomic_fetch_sub(&signer->references, 1) != 1)
		return;
	for (int typ = 0; typ < TYP_COUNT; typ++)
		buf_fini(&signer->headers[typ]);
	EVP_PKEY_free(signer->key);
	free(signer);
}

enum err
signer_append_jwk(const struct signer *signer, struct buf *out)
{
	return public_jwk_append(
	    out, signer->key, signing_alg_name(signer->alg), signer->kid);
}

/* ---- signing ------------------------------------------------------------ */

/* OpenSSL writes ECDSA signatures in DER, JOSE wants R || S. */
static enum err
raw_of_der(struct span der, uint8_t raw_r[2 * P256_NUMBER_BYTES])
{
	const uint8_t *cursor = der.data;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &cursor, (long)der.len);
	bool fits;

	if (signature == NULL)
		return ERR_NOMEM;
	fits =
	    BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw_r,
		P256_NUMBER_BYTES) == P256_NUMBER_BYTES &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw_r + P256_NUMBER_BYTES,
		P256_NUMBER_BYTES) == P256_NUMBER_BYTES;
	ECDSA_SIG_free(signature);
	return fits ? OK : ERR_CRYPTO;
}

static enum err
append_signature(struct signer *signer, struct span input, struct buf *out)
{
	EVP_PKEY_CTX *context = context_get(signer);
	uint8_t raw[2 * P256_NUMBER_BYTES];
	uint8_t signature[SIGNATURE_MAX_BYTES];
	size_t len = sizeof signature;
	uint8_t digest[DIGEST_BYTES];
	enum err err;

	if (context == NULL)
		return ERR_NOMEM;
	digest_sha256(input, digest);
	if (EVP_PKEY_sign(context, signature, &len, digest, sizeof digest) !=
	    1) {
		ERR_clear_error();
		return ERR_CRYPTO;
	}
	if (signer->alg != ALG_ES256) {
		base64url_append(out, span_of(signature, len));
		return buf_status(out);
	}
	err = raw_of_der(span_of(signature, len), raw);
	if (err != OK)
		return err;
	base64url_append(out, span_of(raw, sizeof raw));
	return buf_status(out);
}

static enum typ
typ_of(const char *name)
{
	unsigned typ = TYP_JWT;

	while (typ < TYP_COUNT && strcmp(name, typ_names[typ]) != 0)
		typ++;
	CHECK(typ < TYP_COUNT);
	return (enum typ)typ;
}

enum err
signer_sign(
    struct signer *signer, const char *typ, struct span claims, struct buf *out)
{
	size_t start = out->len;
	size_t input_len;
	enum err err;

	buf_append_span(out, buf_span(&signer->headers[typ_of(typ)]));
	buf_append_char(out, '.');
	base64url_append(out, claims);
	input_len = out->len - start;
	buf_append_char(out, '.');
	err = buf_status(out);
	/* The input lies in `out` itself: digested before that grows. */
	if (err == OK)
		err = append_signature(
		    signer, span_of(out->data + start, input_len), out);
	if (err != OK)
		out->len = start;
	return err;
}
