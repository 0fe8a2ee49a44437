/*
 * PBKDF2 by OpenSSL, argon2id by libargon2 (see password_hash.h). Threads of
 * the offload.
 */
#include "engine/front/password_hash.h"

#include <argon2.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "engine/front/openssl_headers.h"

#define HASH_BYTES_MAX    64
#define ENCODED_BYTES_MAX 512

static const EVP_MD *
digest_named(struct span name)
{
	if (span_is(name, "sha256"))
		return EVP_sha256();
	if (span_is(name, "sha384"))
		return EVP_sha384();
	return span_is(name, "sha512") ? EVP_sha512() : NULL;
}

enum err
password_hash_pbkdf2(struct span password, struct span digest,
    uint64_t iterations, struct span salt, struct span expected,
    bool *matches_r, struct err_detail *detail)
{
	const EVP_MD *function = digest_named(digest);
	uint8_t derived[HASH_BYTES_MAX];

	if (function == NULL)
		return err_set(detail, ERR_INVALID,
		    "digest must be sha256, sha384 or sha512");
	if (iterations < 1 || iterations > PASSWORD_ITERATIONS_MAX)
		return err_set(detail, ERR_INVALID,
		    "iterations must be 1 to %d", PASSWORD_ITERATIONS_MAX);
	if (expected.len < 16 || expected.len > HASH_BYTES_MAX)
		return err_set(detail, ERR_INVALID,
		    "the hash must have 16 to %d bytes", HASH_BYTES_MAX);
	if (PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len,
		salt.data, (int)salt.len, (int)iterations, function,
		(int)expected.len, derived) != 1)
		return err_set(detail, ERR_CRYPTO, "PBKDF2 failed");
	*matches_r = secret_equal(span_of(derived, expected.len), expected);
	secret_wipe(derived, sizeof derived);
	return OK;
}

/* The number after `prefix` at `*at`, which moves behind it. */
static bool
take_number(const char **at, const char *prefix, unsigned long *number_r)
{
	size_t len = strlen(prefix);
	char *end;

	if (strncmp(*at, prefix, len) != 0 || !isdigit((*at)[len]))
		return false;
	*number_r = strtoul(*at + len, &end, 10); /* too much: ULONG_MAX */
	*at = end;
	return true;
}

enum err
password_hash_argon2id(struct span password, struct span encoded,
    bool *matches_r, struct err_detail *detail)
{
	char text[ENCODED_BYTES_MAX + 1];
	unsigned long kib, passes, lanes;
	const char *at = text;
	int result;

	if (encoded.len > ENCODED_BYTES_MAX ||
	    memchr(encoded.data, '\0', encoded.len) != NULL)
		return err_set(
		    detail, ERR_INVALID, "the encoded hash is too long");
	memcpy(text, encoded.data, encoded.len);
	text[encoded.len] = '\0';
	/* The hash itself says what checking it costs: bounded first. */
	if (!take_number(&at, "$argon2id$v=19$m=", &kib) ||
	    !take_number(&at, ",t=", &passes) ||
	    !take_number(&at, ",p=", &lanes) || *at != '$')
		return err_set(detail, ERR_INVALID,
		    "expects $argon2id$v=19$m=..,t=..,p=..$salt$hash");
	if (kib > PASSWORD_ARGON2_KIB_MAX ||
	    passes > PASSWORD_ARGON2_PASSES_MAX ||
	    lanes > PASSWORD_ARGON2_LANES_MAX)
		return err_set(detail, ERR_INVALID,
		    "this hash costs more than m=%d,t=%d,p=%d",
		    PASSWORD_ARGON2_KIB_MAX, PASSWORD_ARGON2_PASSES_MAX,
		    PASSWORD_ARGON2_LANES_MAX);
	result = argon2id_verify(text, password.data, password.len);
	if (result != ARGON2_OK && result != ARGON2_VERIFY_MISMATCH)
		return err_set(detail, ERR_INVALID,
		    "the encoded hash is unusable: %s",
		    argon2_error_message(result));
	*matches_r = result == ARGON2_OK;
	return OK;
}
