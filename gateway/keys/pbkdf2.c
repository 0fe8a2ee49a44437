/*
 * PBKDF2 by OpenSSL; see pbkdf2.h.
 */
#include "gateway/keys/pbkdf2.h"

#include <limits.h>

#include "gateway/keys/openssl_names.h"

enum err
pbkdf2_sha256(struct span secret, struct span salt, unsigned rounds,
    uint8_t *key_r, size_t key_bytes)
{
	if (secret.len > INT_MAX || salt.len > INT_MAX || rounds > INT_MAX ||
	    key_bytes > INT_MAX)
		return ERR_LIMIT;
	if (PKCS5_PBKDF2_HMAC((const char *)secret.data, (int)secret.len,
		salt.data, (int)salt.len, (int)rounds, EVP_sha256(),
		(int)key_bytes, key_r) == 1)
		return OK;
	ERR_clear_error();
	return ERR_CRYPTO;
}
