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

#include "gateway/keys/openssl_memory.h"
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

/* For threads that first need one where there is no memory: those that do not
 * serve HTTP are fewer on machines of up to 16 cores. */
#define RESERVE 48

static struct {
	pthread_mutex_t lock; /* guards the two below */
	struct evp_context *contexts[RESERVE];
	unsigned count;
} reserve = {.lock = PTHREAD_MUTEX_INITIALIZER};

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
	openssl_memory_set();
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

static struct evp_context *
context_new(void)
{
	struct evp_context *context = calloc(1, sizeof *context);

	if (context != NULL && !context_fill(context)) {
		context_free(context);
		context = NULL;
	}
	return context;
}

static struct evp_context *
take_reserved(void)
{
	struct evp_context *context = NULL;

	pthread_mutex_lock(&reserve.lock);
	if (reserve.count > 0)
		context = reserve.contexts[--reserve.count];
	pthread_mutex_unlock(&reserve.lock);
	return context;
}

bool
evp_context_reserve(void)
{
	bool full = evp_context_get() != NULL;

	pthread_mutex_lock(&reserve.lock);
	while (full && reserve.count < RESERVE) {
		struct evp_context *context = context_new();

		full = context != NULL;
		if (full)
			reserve.contexts[reserve.count++] = context;
	}
	pthread_mutex_unlock(&reserve.lock);
	return full;
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
	context = context_new();
	if (context == NULL)
		context = take_reserved();
	if (context == NULL)
		return NULL;
	/* Without memory for that it is not freed: such threads do not end. */
	(void)pthread_setspecific(algorithms.thread_key, context);
	own_context = context;
	return context;
}
