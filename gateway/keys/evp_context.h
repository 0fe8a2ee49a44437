/*
 * OpenSSL's contexts that are worth keeping: one set a thread, made at the
 * thread's first use, freed when the thread ends. Algorithms are fetched once.
 *
 * Threads: any; a set belongs to the thread that got it.
 */
#ifndef POSTERN_EVP_CONTEXT_H
#define POSTERN_EVP_CONTEXT_H

#include <stdbool.h>

#include "gateway/keys/openssl_names.h"

/* Each has its algorithm set and waits for a key (or data). */
struct evp_context {
	EVP_CIPHER_CTX *gcm; /* AES-256-GCM */
	EVP_CIPHER_CTX *ecb; /* AES-256, one block at a time */
	EVP_MAC_CTX *hmac;   /* HMAC-SHA256 */
	EVP_MD_CTX *sha256;
};

/* The calling thread's set; NULL: no memory, or an algorithm is missing.
 * Threads that serve get theirs as they begin (vault_thread_begin()), others at
 * their first use, from the reserve if there is no memory then. */
struct evp_context *evp_context_get(void);

/* Before the process is ready. False as above. */
bool evp_context_reserve(void);

#endif
