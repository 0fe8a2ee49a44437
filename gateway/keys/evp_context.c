/*
 * Fetches algorithms once and keeps OpenSSL contexts per thread (a context of
 * its own for each call costs 10 us of a 30 us signature).
 * Not here: any key; callers set theirs at each use.
 * Runs on any thread of the gateway.
 */
#include "gateway/keys/evp_context.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include "gateway/keys/openssl_names.h"

/* Set once by fetch_algorithms(), process-lifetime. NULL: not available. */
static struct {
	EVP_CIPHER *gcm;
	EVP_CIPHER *ecb;
	EVP_MAC *hmac;
	EVP_MD *sha256;
	pthread_key_t thread_key; /* only for its destructor */
	bool have_key;            /* thread_key is valid */
} algorithms;

static pthread_once_t algorithms_once = PTHREAD_ONCE_INIT;

/* The quick way to what thread_key holds. */
static _Thread_local struct evp_context *own_context;

static void
context_free(void *argument)
{
	struct evp_context *context = argument;

	own_context = NULL;
	EVP_CIPHER_CTX_free(context->gcm);
	EVP_CIPHER_CTX_free(context->ecb);
	EVP_MAC_CTX_free(context->hmac);
	EVP_MD_CTX_free(context->sha256);
	free(context);
}

static void
fetch_algorithms(void)
{
	algorithms.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	algorithms.ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.have_key =
	    pthread_key_create(&algorithms.thread_key, context_free) == 0;
}

static bool
algorithms_are_there(void)
{
	return algorithms.gcm != NULL && algorithms.ecb != NULL &&
	       algorithms.hmac != NULL && algorithms.sha256 != NULL &&
	       algorithms.have_key;
}

static bool
context_fill(struct evp_context *context)
{
	char digest[] = "SHA256";
	OSSL_PARAM hmac_params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end()};

	context->gcm = EVP_CIPHER_CTX_new();
	context->ecb = EVP_CIPHER_CTX_new();
	context->hmac = EVP_MAC_CTX_new(algorithms.hmac);
	context->sha256 = EVP_MD_CTX_new();
	if (context->gcm == NULL || context->ecb == NULL ||
	    context->hmac == NULL || context->sha256 == NULL)
		return false;
	return EVP_EncryptInit_ex2(
		   context->gcm, algorithms.gcm, NULL, NULL, NULL) == 1 &&
	       EVP_EncryptInit_ex2(
		   context->ecb, algorithms.ecb, NULL, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(context->ecb, 0) == 1 &&
	       EVP_MAC_CTX_set_params(context->hmac, hmac_params) == 1 &&
	       EVP_DigestInit_ex2(context->sha256, algorithms.sha256, NULL) ==
		   1;
}

struct evp_context *
evp_context_get(void)
{
	struct evp_context *context = own_context;

	if (context != NULL)
		return context;
	pthread_once(&algorithms_once, fetch_algorithms);
	if (!algorithms_are_there())
		return NULL;
	context = calloc(1, sizeof *context);
	if (context == NULL)
		return NULL;
	if (!context_fill(context) ||
	    pthread_setspecific(algorithms.thread_key, context) != 0) {
		context_free(context);
		return NULL;
	}
	own_context = context;
	return context;
}
