/*
 * The master key and what is done under it: derived keys, sealing, MACs, the
 * permutation of row numbers; and the unkeyed digest.
 * Not here: signing (signer.c, keyring.c), where sealed bytes are kept.
 * Runs on any thread of the gateway.
 */
#include "gateway/keys/vault.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/random.h"
#include "common/secret.h"
#include "gateway/keys/evp_context.h"
#include "gateway/keys/openssl_names.h"

#define MASTER_KEY_BYTES 32
#define KEY_BYTES        32 /* AES-256, and HMAC-SHA256's natural length */
#define NONCE_BYTES      12 /* what GCM takes without hashing it */
#define TAG_BYTES        16
#define BLOCK_BYTES      16

/* More than this is read of a key file only to say that it is too large. */
#define KEY_FILE_MAX_BYTES 4096

/* Far above anything that is sealed, far below OpenSSL's int lengths. */
#define PLAIN_MAX_BYTES (64U << 20)

/* As many as FF1 (NIST SP 800-38G): 4 would do against few queries, but an
 * attacker can collect as many tokens as there are users. */
#define FEISTEL_ROUNDS 10

struct vault {
	uint8_t keys[VAULT_PURPOSES][KEY_BYTES];
};

/* HKDF's info for each purpose; never changes. */
static const char *const purpose_names[VAULT_PURPOSES] = {
    [VAULT_SIGNING_KEYS] = "postern signing keys",
    [VAULT_TRANSACTIONS] = "postern transactions",
    [VAULT_CACHE] = "postern cache",
    [VAULT_CACHE_KEYS] = "postern cache keys",
    [VAULT_SNAPSHOTS] = "postern snapshots",
    [VAULT_CLIENT_SECRETS] = "postern client secrets",
    [VAULT_ROW_NUMBERS] = "postern row numbers",
    [VAULT_SUCCESSORS] = "postern successors",
    [VAULT_PROPERTIES] = "postern properties",
    [VAULT_CONFIGURATION] = "postern configuration",
    [VAULT_RECORDINGS] = "postern recordings",
};

/* ---- opening ------------------------------------------------------------ */

static enum err
read_master(
    const char *path, struct secret **master_r, struct err_detail *detail)
{
	struct secret *master = NULL;
	enum err err;

	err = secret_read_file(path, KEY_FILE_MAX_BYTES, &master, detail);
	if (err != OK && err != ERR_LIMIT)
		return err;
	if (err == OK && secret_bytes(master).len == MASTER_KEY_BYTES) {
		*master_r = master;
		return OK;
	}
	if (err == OK)
		secret_free(master);
	return err_set(detail, ERR_INVALID,
	    "%s: a master key is exactly %d bytes, this file is not", path,
	    MASTER_KEY_BYTES);
}

static enum err
make_master(const char *path, struct err_detail *detail)
{
	uint8_t bytes[MASTER_KEY_BYTES];
	enum err err;

	random_bytes(bytes, sizeof bytes);
	err = secret_write_file(path, span_of(bytes, sizeof bytes), detail);
	secret_wipe(bytes, sizeof bytes);
	return err;
}

static enum err
read_or_make_master(const char *path, bool create, struct secret **master_r,
    struct err_detail *detail)
{
	enum err err = read_master(path, master_r, detail);

	if (err != ERR_NOT_FOUND || !create)
		return err;
	err = make_master(path, detail);
	/* ERR_EXISTS: somebody else was quicker, and theirs counts. */
	if (err != OK && err != ERR_EXISTS)
		return err;
	return read_master(path, master_r, detail);
}

static bool
derive(EVP_KDF_CTX *kdf, struct span master, const char *info,
    uint8_t key_r[KEY_BYTES])
{
	char digest[] = "SHA256";
	uint8_t secret[MASTER_KEY_BYTES];
	char name[64];
	OSSL_PARAM params[4];
	int derived;

	/* OSSL_PARAM takes no const, hence the copies. */
	CHECK(master.len == sizeof secret && strlen(info) < sizeof name);
	memcpy(secret, master.data, sizeof secret);
	memcpy(name, info, strlen(info) + 1);
	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, secret, sizeof secret);
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, name, strlen(name));
	params[3] = OSSL_PARAM_construct_end();
	EVP_KDF_CTX_reset(kdf);
	derived = EVP_KDF_derive(kdf, key_r, KEY_BYTES, params);
	secret_wipe(secret, sizeof secret);
	return derived == 1;
}

static bool
derive_all(struct vault *vault, struct span master)
{
	EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *kdf = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);
	bool all = kdf != NULL;

	for (size_t i = 0; all && i < VAULT_PURPOSES; i++)
		all = derive(kdf, master, purpose_names[i], vault->keys[i]);
	EVP_KDF_CTX_free(kdf);
	EVP_KDF_free(hkdf);
	return all;
}

static enum err
vault_of(struct span master, struct vault **vault_r, struct err_detail *detail)
{
	struct vault *vault = calloc(1, sizeof *vault);

	if (vault == NULL || !evp_context_reserve() ||
	    !derive_all(vault, master)) {
		vault_close(vault);
		return err_set(detail, vault == NULL ? ERR_NOMEM : ERR_CRYPTO,
		    "OpenSSL offers no AES-256, HMAC-SHA256 or HKDF here");
	}
	*vault_r = vault;
	return OK;
}

enum err
vault_open(const char *path, bool create, struct vault **vault_r,
    struct err_detail *detail)
{
	struct secret *master = NULL;
	enum err err;

	err = read_or_make_master(path, create, &master, detail);
	if (err != OK)
		return err;
	err = vault_of(secret_bytes(master), vault_r, detail);
	secret_free(master);
	return err;
}

enum err
vault_open_passing(struct vault **vault_r, struct err_detail *detail)
{
	uint8_t master[MASTER_KEY_BYTES];
	enum err err;

	random_bytes(master, sizeof master);
	err = vault_of(span_of(master, sizeof master), vault_r, detail);
	secret_wipe(master, sizeof master);
	return err;
}

void
vault_close(struct vault *vault)
{
	if (vault == NULL)
		return;
	secret_wipe(vault, sizeof *vault);
	free(vault);
}

/* ---- digests ------------------------------------------------------------ */

/* Why neither this nor a digest fails for want of memory: evp_context.h and
 * openssl_memory.h. */
static struct evp_context *
context_or_die(void)
{
	struct evp_context *context = evp_context_get();

	CHECK(context != NULL);
	return context;
}

void
vault_thread_begin(void)
{
	(void)context_or_die();
}

void
digest_sha256(struct span bytes, uint8_t out_r[DIGEST_BYTES])
{
	EVP_MD_CTX *ctx = context_or_die()->sha256;

	CHECK(EVP_DigestInit_ex2(ctx, NULL, NULL) == 1);
	CHECK(EVP_DigestUpdate(ctx, bytes.data, bytes.len) == 1);
	CHECK(EVP_DigestFinal_ex(ctx, out_r, NULL) == 1);
}

/* HMAC of two parts put one after the other; either may be empty. */
static bool
hmac(EVP_MAC_CTX *ctx, const uint8_t key[KEY_BYTES], struct span first,
    struct span second, uint8_t out_r[DIGEST_BYTES])
{
	size_t len;

	return EVP_MAC_init(ctx, key, KEY_BYTES, NULL) == 1 &&
	       EVP_MAC_update(ctx, first.data, first.len) == 1 &&
	       EVP_MAC_update(ctx, second.data, second.len) == 1 &&
	       EVP_MAC_final(ctx, out_r, &len, DIGEST_BYTES) == 1;
}

void
vault_mac(struct vault *vault, enum vault_purpose purpose, struct span bytes,
    uint8_t out_r[DIGEST_BYTES])
{
	CHECK(purpose < VAULT_PURPOSES);
	CHECK(hmac(context_or_die()->hmac, vault->keys[purpose], bytes,
	    span_str(""), out_r));
}

void
vault_mac_parts(struct vault *vault, enum vault_purpose purpose,
    const struct span *parts, size_t count, uint8_t out_r[DIGEST_BYTES])
{
	EVP_MAC_CTX *ctx = context_or_die()->hmac;
	size_t len;

	CHECK(purpose < VAULT_PURPOSES);
	CHECK(EVP_MAC_init(ctx, vault->keys[purpose], KEY_BYTES, NULL) == 1);
	for (size_t i = 0; i < count; i++)
		CHECK(EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1);
	CHECK(EVP_MAC_final(ctx, out_r, &len, DIGEST_BYTES) == 1);
}

/* ---- sealing ------------------------------------------------------------ */

/*
 * Each context has an AES key of its own: random 96-bit nonces are good for
 * 2^32 messages a key (NIST SP 800-38D section 8.3), which one busy purpose
 * would reach in days and one row never does.
 */
static bool
context_key(struct evp_context *evp, struct vault *vault,
    enum vault_purpose purpose, struct span context, uint8_t key_r[KEY_BYTES])
{
	/* Keeps these keys apart from what vault_mac() hands out. */
	static const char label[] = "seal";

	return hmac(evp->hmac, vault->keys[purpose],
	    span_of(label, sizeof label), context, key_r);
}

/* Starts GCM with the additional data fed. */
static bool
gcm_begin(EVP_CIPHER_CTX *gcm, const uint8_t key[KEY_BYTES],
    const uint8_t nonce[NONCE_BYTES], struct span context, bool encrypt)
{
	int len;

	if (EVP_CipherInit_ex2(gcm, NULL, key, nonce, encrypt, NULL) != 1)
		return false;
	return context.len == 0 || EVP_CipherUpdate(gcm, NULL, &len,
				       context.data, (int)context.len) == 1;
}

static bool
gcm_seal(EVP_CIPHER_CTX *gcm, const uint8_t key[KEY_BYTES], struct span context,
    struct span plain, uint8_t *sealed_r)
{
	uint8_t *text = sealed_r + NONCE_BYTES;
	int len;

	random_bytes(sealed_r, NONCE_BYTES);
	if (!gcm_begin(gcm, key, sealed_r, context, true))
		return false;
	if (plain.len > 0 &&
	    EVP_EncryptUpdate(gcm, text, &len, plain.data, (int)plain.len) != 1)
		return false;
	return EVP_EncryptFinal_ex(gcm, text + plain.len, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		   gcm, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len) == 1;
}

static bool
gcm_unseal(EVP_CIPHER_CTX *gcm, const uint8_t key[KEY_BYTES],
    struct span context, struct span sealed, uint8_t *plain_r)
{
	const uint8_t *text = sealed.data + NONCE_BYTES;
	size_t text_len = sealed.len - NONCE_BYTES - TAG_BYTES;
	uint8_t tag[TAG_BYTES];
	int len;

	memcpy(tag, text + text_len, sizeof tag);
	if (!gcm_begin(gcm, key, sealed.data, context, false))
		return false;
	if (text_len > 0 &&
	    EVP_DecryptUpdate(gcm, plain_r, &len, text, (int)text_len) != 1)
		return false;
	return EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) ==
		   1 &&
	       EVP_DecryptFinal_ex(gcm, plain_r + text_len, &len) == 1;
}

enum err
vault_seal(struct vault *vault, enum vault_purpose purpose, struct span context,
    struct span plain, struct buf *out)
{
	struct evp_context *evp = evp_context_get();
	uint8_t key[KEY_BYTES];
	uint8_t *sealed;
	bool done;

	CHECK(purpose < VAULT_PURPOSES);
	if (evp == NULL)
		return ERR_NOMEM;
	if (plain.len > PLAIN_MAX_BYTES || context.len > PLAIN_MAX_BYTES)
		return ERR_LIMIT;
	sealed = buf_reserve(out, NONCE_BYTES + plain.len + TAG_BYTES);
	if (sealed == NULL)
		return buf_status(out);
	done = context_key(evp, vault, purpose, context, key) &&
	       gcm_seal(evp->gcm, key, context, plain, sealed);
	secret_wipe(key, sizeof key);
	if (!done) {
		ERR_clear_error();
		return ERR_CRYPTO;
	}
	buf_commit(out, NONCE_BYTES + plain.len + TAG_BYTES);
	return OK;
}

enum err
vault_unseal(struct vault *vault, enum vault_purpose purpose,
    struct span context, struct span sealed, struct buf *out)
{
	struct evp_context *evp = evp_context_get();
	uint8_t key[KEY_BYTES];
	uint8_t *plain;
	size_t len;
	bool done;

	CHECK(purpose < VAULT_PURPOSES);
	if (evp == NULL)
		return ERR_NOMEM;
	if (sealed.len < NONCE_BYTES + TAG_BYTES)
		return ERR_CORRUPT;
	if (sealed.len > PLAIN_MAX_BYTES || context.len > PLAIN_MAX_BYTES)
		return ERR_LIMIT;
	len = sealed.len - NONCE_BYTES - TAG_BYTES;
	plain = buf_reserve(out, len);
	if (plain == NULL && buf_status(out) != OK)
		return buf_status(out);
	done = context_key(evp, vault, purpose, context, key) &&
	       gcm_unseal(evp->gcm, key, context, sealed, plain);
	secret_wipe(key, sizeof key);
	if (!done) {
		/* Nothing that did not verify stays behind the buffer's end. */
		if (len > 0)
			secret_wipe(plain, len);
		ERR_clear_error();
		return ERR_CORRUPT;
	}
	buf_commit(out, len);
	return OK;
}

/* ---- row numbers -------------------------------------------------------- */

/* The round function: AES of (round, half), cut to 32 bits. */
static uint32_t
feistel_round(EVP_CIPHER_CTX *ecb, unsigned round, uint32_t half)
{
	uint8_t block[BLOCK_BYTES] = {(uint8_t)round};
	uint32_t word;
	int len;

	for (unsigned i = 0; i < 4; i++)
		block[1 + i] = (uint8_t)(half >> (24 - 8 * i));
	CHECK(EVP_EncryptUpdate(ecb, block, &len, block, BLOCK_BYTES) == 1);
	word = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 |
	       (uint32_t)block[2] << 8 | (uint32_t)block[3];
	return word;
}

static EVP_CIPHER_CTX *
row_number_cipher(struct vault *vault)
{
	EVP_CIPHER_CTX *ecb = context_or_die()->ecb;

	CHECK(EVP_EncryptInit_ex2(
		  ecb, NULL, vault->keys[VAULT_ROW_NUMBERS], NULL, NULL) == 1);
	return ecb;
}

uint64_t
vault_permute(struct vault *vault, uint64_t number)
{
	EVP_CIPHER_CTX *ecb = row_number_cipher(vault);
	uint32_t left = (uint32_t)(number >> 32);
	uint32_t right = (uint32_t)number;

	for (unsigned round = 0; round < FEISTEL_ROUNDS; round++) {
		uint32_t next = left ^ feistel_round(ecb, round, right);

		left = right;
		right = next;
	}
	return (uint64_t)left << 32 | right;
}

uint64_t
vault_unpermute(struct vault *vault, uint64_t permuted)
{
	EVP_CIPHER_CTX *ecb = row_number_cipher(vault);
	uint32_t left = (uint32_t)(permuted >> 32);
	uint32_t right = (uint32_t)permuted;

	for (unsigned round = FEISTEL_ROUNDS; round-- > 0;) {
		uint32_t previous = right ^ feistel_round(ecb, round, left);

		right = left;
		left = previous;
	}
	return (uint64_t)left << 32 | right;
}
