/*
 * Signs compact JWS (RFC 7515) with one key. Each thread keeps an initialised
 * EVP_PKEY_CTX per key, which saves a quarter of an ES256 signature.
 * Not here: which key is current (keyring.c).
 * Runs on any thread of the gateway.
 */
#include "gateway/keys/signer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/keys/openssl_names.h"

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

/* One thread's; freed when the thread ends, or with the signer. */
struct signer_context {
	struct signer *signer;
	EVP_PKEY_CTX *pkey;
	LIST_ENTRY(signer_context) link;
};

struct signer {
	enum signing_alg alg;
	EVP_PKEY *key;
	struct buf headers[TYP_COUNT]; /* base64url, ready to be copied */
	pthread_key_t thread_key;      /* a thread's signer_context */
	pthread_mutex_t lock;          /* guards contexts */
	LIST_HEAD(, signer_context) contexts;
};

/* ---- contexts ----------------------------------------------------------- */

static void
context_free(struct signer_context *context)
{
	EVP_PKEY_CTX_free(context->pkey);
	free(context);
}

/* pthread's destructor: the thread that kept it ends. */
static void
context_thread_ended(void *argument)
{
	struct signer_context *context = argument;
	struct signer *signer = context->signer;

	pthread_mutex_lock(&signer->lock);
	LIST_REMOVE(context, link);
	pthread_mutex_unlock(&signer->lock);
	context_free(context);
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

static struct signer_context *
context_new(struct signer *signer)
{
	struct signer_context *context = calloc(1, sizeof *context);

	if (context == NULL)
		return NULL;
	context->signer = signer;
	context->pkey = EVP_PKEY_CTX_new_from_pkey(NULL, signer->key, NULL);
	if (context->pkey == NULL ||
	    !context_set_up(context->pkey, signer->alg) ||
	    pthread_setspecific(signer->thread_key, context) != 0) {
		context_free(context);
		return NULL;
	}
	pthread_mutex_lock(&signer->lock);
	LIST_INSERT_HEAD(&signer->contexts, context, link);
	pthread_mutex_unlock(&signer->lock);
	return context;
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
	struct signer *signer = calloc(1, sizeof *signer);
	enum err err;

	if (signer == NULL)
		return ERR_NOMEM;
	if (pthread_key_create(&signer->thread_key, context_thread_ended) !=
	    0) {
		free(signer);
		return ERR_NOMEM;
	}
	pthread_mutex_init(&signer->lock, NULL);
	LIST_INIT(&signer->contexts);
	signer->alg = alg;
	for (int typ = 0; typ < TYP_COUNT; typ++)
		buf_init(&signer->headers[typ], HEADER_MAX_BYTES);
	err = make_headers(signer, kid);
	if (err == OK && EVP_PKEY_up_ref(key) != 1)
		err = ERR_CRYPTO;
	if (err == OK)
		signer->key = key;
	if (err == OK && context_new(signer) == NULL)
		err = ERR_CRYPTO;
	if (err != OK) {
		signer_free(signer);
		return err;
	}
	*signer_r = signer;
	return OK;
}

void
signer_free(struct signer *signer)
{
	struct signer_context *context;

	if (signer == NULL)
		return;
	/* From here on no thread's end finds a context any more. */
	pthread_key_delete(signer->thread_key);
	while ((context = LIST_FIRST(&signer->contexts)) != NULL) {
		LIST_REMOVE(context, link);
		context_free(context);
	}
	for (int typ = 0; typ < TYP_COUNT; typ++)
		buf_fini(&signer->headers[typ]);
	EVP_PKEY_free(signer->key);
	pthread_mutex_destroy(&signer->lock);
	free(signer);
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
	struct signer_context *context =
	    pthread_getspecific(signer->thread_key);
	uint8_t raw[2 * P256_NUMBER_BYTES];
	uint8_t signature[SIGNATURE_MAX_BYTES];
	size_t len = sizeof signature;
	uint8_t digest[DIGEST_BYTES];
	enum err err;

	if (context == NULL)
		context = context_new(signer);
	if (context == NULL)
		return ERR_NOMEM;
	digest_sha256(input, digest);
	if (EVP_PKEY_sign(
		context->pkey, signature, &len, digest, sizeof digest) != 1) {
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
