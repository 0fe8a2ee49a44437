/*
 * HMAC under the engine's identity key; see identity.h. Not the handshake
 * (uplink.c). Runs on the main thread.
 */
#include "engine/front/identity.h"

#include "common/check.h"
#include "common/encoding.h"
#include "engine/front/openssl_headers.h"

/* The digits, and room for an end of line or two. */
#define FILE_BYTES (2 * IDENTITY_KEY_BYTES + 16)

enum err
identity_read(
    const char *path, struct secret **key_r, struct err_detail *detail)
{
	uint8_t key[IDENTITY_KEY_BYTES];
	struct secret *file = NULL;
	struct span text;
	enum err err;

	err = secret_read_file(path, FILE_BYTES, &file, detail);
	if (err != OK)
		return err;
	text = secret_bytes(file);
	while (text.len > 0 && (text.data[text.len - 1] == '\n' ||
				   text.data[text.len - 1] == '\r'))
		text.len--;
	err = hex_decode(text, key, sizeof key);
	secret_free(file);
	if (err != OK)
		return err_set(detail, ERR_INVALID,
		    "%s: is not 64 hexadecimal digits", path);
	*key_r = secret_new(span_of(key, sizeof key));
	secret_wipe(key, sizeof key);
	return *key_r == NULL ? ERR_NOMEM : OK;
}

bool
identity_prove(const struct secret *key, enum identity_role role,
    struct span challenge_nonce, const struct msg_hello *hello,
    uint8_t proof_r[IDENTITY_PROOF_BYTES])
{
	struct span secret = secret_bytes(key);
	unsigned len = 0;
	struct buf bytes;
	bool done;

	buf_init(&bytes, IDENTITY_TRANSCRIPT_BYTES);
	identity_transcript(role, challenge_nonce, hello, &bytes);
	CHECK(buf_status(&bytes) == OK);
	done = HMAC(EVP_sha256(), secret.data, (int)secret.len,
		   buf_span(&bytes).data, bytes.len, proof_r, &len) != NULL;
	buf_fini(&bytes);
	return done && len == IDENTITY_PROOF_BYTES;
}

bool
identity_is_gateway(const struct secret *key,
    const struct msg_challenge *challenge, const struct msg_hello *hello)
{
	uint8_t proof[IDENTITY_PROOF_BYTES];

	return identity_prove(
		   key, IDENTITY_GATEWAY, challenge->nonce, hello, proof) &&
	       secret_equal(span_of(proof, sizeof proof), challenge->proof);
}
