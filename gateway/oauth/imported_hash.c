/*
 * Imported password hashes; see imported_hash.h. Not here: when they are
 * computed (secret_checker.c).
 */
#include "gateway/oauth/imported_hash.h"

#include <argon2.h>
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/secret.h"
#include "gateway/keys/pbkdf2.h"

/* crypt's own limit for a passphrase; also ours for a secret. */
#define SECRET_BYTES_MAX 512

/* 1 GiB, and passes over it: more is no hash of a client secret but an attack
 * on our memory. */
#define ARGON2_KIB_MAX    (1U << 20)
#define ARGON2_PASSES_MAX 64

/* 6 s here; OWASP's advice is 600,000. */
#define PBKDF2_ROUNDS_MAX 10000000

/* Longer than any hash function's output. */
#define PBKDF2_BYTES_MAX 128

#define ARGON2_PREFIX "$argon2id$v=19$m="
#define PBKDF2_PREFIX "$pbkdf2-sha256$"

/* The secret as C wants it; NULL where it cannot be one. Wiped by free_text().
 */
static char *
text_of(struct span secret)
{
	char *text;

	if (secret.len > SECRET_BYTES_MAX ||
	    memchr(secret.data, 0, secret.len) != NULL)
		return NULL;
	text = malloc(secret.len + 1);
	if (text == NULL)
		return NULL;
	memcpy(text, secret.data, secret.len);
	text[secret.len] = '\0';
	return text;
}

static void
free_text(char *text)
{
	secret_wipe(text, strlen(text));
	free(text);
}

/* ---- argon2id ----------------------------------------------------------- */

static enum err
check_argon2id(const char *phc, struct span secret)
{
	char *end;
	unsigned long kib = strtoul(phc + strlen(ARGON2_PREFIX), &end, 10);
	unsigned long passes;
	int code;

	if (strncmp(end, ",t=", 3) != 0)
		return ERR_INVALID;
	passes = strtoul(end + 3, NULL, 10);
	if (kib > ARGON2_KIB_MAX || passes > ARGON2_PASSES_MAX)
		return ERR_LIMIT;
	code = argon2id_verify(phc, secret.data, secret.len);
	if (code == ARGON2_VERIFY_MISMATCH)
		return ERR_DENIED;
	if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
		return ERR_NOMEM;
	return code == ARGON2_OK ? OK : ERR_INVALID;
}

/* ---- pbkdf2 ------------------------------------------------------------- */

/* Base64 without padding, with "." or "+" for 62. */
static enum err
decode_field(const char *field, size_t len, struct buf *out)
{
	struct buf text;
	enum err err;

	buf_init(&text, 4 * PBKDF2_BYTES_MAX);
	for (size_t i = 0; i < len; i++)
		buf_append_char(&text, field[i] == '.' ? '+' : field[i]);
	while (len++ % 4 != 0)
		buf_append_char(&text, '=');
	err = buf_status(&text);
	if (err == OK)
		err = base64_decode(buf_span(&text), out);
	buf_fini(&text);
	return err;
}

static enum err
derive_and_compare(struct span secret, struct span salt, unsigned long rounds,
    struct span expected)
{
	uint8_t key[PBKDF2_BYTES_MAX];
	enum err err;

	err = pbkdf2_sha256(secret, salt, (unsigned)rounds, key, expected.len);
	if (err == OK && !secret_equal(span_of(key, expected.len), expected))
		err = ERR_DENIED;
	secret_wipe(key, sizeof key);
	return err;
}

static enum err
check_pbkdf2(const char *phc, struct span secret)
{
	const char *costs = phc + strlen(PBKDF2_PREFIX);
	unsigned long rounds =
	    strtoul(costs + (*costs == 'i' ? 2 : 0), NULL, 10);
	const char *salt = strchr(costs, '$'), *hash;
	struct buf salt_bytes, hash_bytes;
	enum err err = ERR_INVALID;

	hash = salt == NULL ? NULL : strchr(salt + 1, '$');
	if (hash == NULL || rounds == 0)
		return ERR_INVALID;
	if (rounds > PBKDF2_ROUNDS_MAX)
		return ERR_LIMIT;
	buf_init(&salt_bytes, PBKDF2_BYTES_MAX);
	buf_init(&hash_bytes, PBKDF2_BYTES_MAX);
	if (decode_field(salt + 1, (size_t)(hash - salt - 1), &salt_bytes) ==
		OK &&
	    decode_field(hash + 1, strlen(hash + 1), &hash_bytes) == OK &&
	    hash_bytes.len > 0)
		err = derive_and_compare(secret, buf_span(&salt_bytes), rounds,
		    buf_span(&hash_bytes));
	buf_fini(&salt_bytes);
	buf_fini(&hash_bytes);
	return err;
}

/* ---- bcrypt, yescrypt --------------------------------------------------- */

static enum err
check_crypt(const char *phc, struct span secret)
{
	struct crypt_data *data = calloc(1, sizeof *data);
	char *text = text_of(secret);
	const char *result = NULL;
	enum err err = ERR_INVALID;

	if (data != NULL && text != NULL)
		result = crypt_r(text, phc, data);
	/* A failure is a string that starts with "*". */
	if (result != NULL && result[0] != '*')
		err = secret_equal(span_str(result), span_str(phc))
			  ? OK
			  : ERR_DENIED;
	else if (data != NULL && text == NULL)
		err = ERR_DENIED;
	if (text != NULL)
		free_text(text);
	if (data != NULL)
		secret_wipe(data, sizeof *data);
	free(data);
	return err;
}

enum err
imported_hash_check(const char *phc, struct span secret)
{
	if (!span_present(secret) || secret.len > SECRET_BYTES_MAX)
		return ERR_DENIED;
	if (strncmp(phc, ARGON2_PREFIX, strlen(ARGON2_PREFIX)) == 0)
		return check_argon2id(phc, secret);
	if (strncmp(phc, PBKDF2_PREFIX, strlen(PBKDF2_PREFIX)) == 0)
		return check_pbkdf2(phc, secret);
	return check_crypt(phc, secret);
}
