/*
 * Takes secrets out of documents, compares them with those that are stored,
 * seals and opens them. Not their writing: config_commit.c. Runs on the thread
 * that loads or changes.
 */
#include "gateway/config/config_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/random.h"
#include "common/secret.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_document.h"

/* Of a generated secret; 256 bits cannot be guessed. */
#define MADE_BYTES 32

/* A property's value, an imported hash. */
#define SECRET_BYTES ((size_t)128 << 10)

const char *
config_secrets_kind(enum config_kind kind)
{
	return kind == CONFIG_API_CLIENT ? "api_client" : "client";
}

/* ---- sealing ------------------------------------------------------------- */

/* Whose secret a sealed one is: "client_secret NUL client NUL ID". */
static void
secrets_context(
    struct buf *context, const char *what, const char *kind, const char *id)
{
	buf_init(context, 1024);
	buf_append_str(context, what);
	buf_append_char(context, '\0');
	buf_append_str(context, kind);
	buf_append_char(context, '\0');
	buf_append_str(context, id);
}

static void
secrets_value_context(struct buf *context, const char *id, bool is_key)
{
	secrets_context(context, "property", is_key ? "key" : "text", id);
}

static enum err
secrets_seal_one(const struct config *config, struct arena *arena,
    struct config_secret *secret)
{
	const char *plain = secret->phc != NULL ? secret->phc : secret->value;
	struct buf context, sealed;
	enum err err;

	if (!secret->set || plain == NULL)
		return OK;
	if (secret->phc != NULL)
		secrets_context(&context, "client_secret",
		    config_secrets_kind(secret->kind), secret->id);
	else
		secrets_value_context(&context, secret->id, secret->is_key);
	buf_init(&sealed, SECRET_BYTES);
	err = buf_status(&context);
	if (err == OK)
		err = vault_seal(config->options.vault, VAULT_CONFIGURATION,
		    buf_span(&context), span_str(plain), &sealed);
	if (err == OK) {
		secret->sealed = arena_copy(arena, buf_span(&sealed));
		err = span_present(secret->sealed) ? OK : ERR_NOMEM;
	}
	buf_fini(&context);
	buf_fini(&sealed);
	return err;
}

enum err
config_secrets_seal(const struct config *config, struct arena *arena,
    struct config_secrets *secrets)
{
	enum err err = OK;

	for (size_t i = 0; i < secrets->count && err == OK; i++)
		err = secrets_seal_one(config, arena, &secrets->items[i]);
	return err;
}

/* Opens what the store gave, which is freed. */
static enum err
secrets_unseal(const struct config *config, const struct buf *context,
    uint8_t *sealed, size_t len, struct buf *out)
{
	enum err err = buf_status(context);

	if (err == OK)
		err = vault_unseal(config->options.vault, VAULT_CONFIGURATION,
		    buf_span(context), span_of(sealed, len), out);
	free(sealed);
	return err;
}

/* ---- what is stored ------------------------------------------------------ */

static enum err
stored_phc(const struct config *config, const char *kind, const char *client_id,
    struct buf *phc)
{
	struct buf context;
	uint8_t *sealed;
	size_t len;
	enum err err = store_client_phc_get(
	    config->options.store, kind, client_id, &sealed, &len);

	if (err != OK)
		return err;
	secrets_context(&context, "client_secret", kind, client_id);
	err = secrets_unseal(config, &context, sealed, len, phc);
	buf_fini(&context);
	return err;
}

/* One that is there but for the other kind of property is not found. */
static enum err
stored_value(
    const struct config *config, const char *id, bool is_key, struct buf *value)
{
	struct buf context;
	uint8_t *sealed;
	size_t len;
	enum err err =
	    store_property_value_get(config->options.store, id, &sealed, &len);

	if (err != OK)
		return err;
	secrets_value_context(&context, id, is_key);
	err = secrets_unseal(config, &context, sealed, len, value);
	buf_fini(&context);
	return err == ERR_CORRUPT ? ERR_NOT_FOUND : err;
}

/* ---- of a change --------------------------------------------------------- */

static int
secrets_order(
    const struct config_secret *secret, enum config_kind kind, const char *id)
{
	if (secret->kind != kind)
		return secret->kind < kind ? -1 : 1;
	return strcmp(secret->id, id);
}

static int
secrets_compare(const void *a, const void *b)
{
	const struct config_secret *right = b;

	return secrets_order(a, right->kind, right->id);
}

/* One that the change sets; NULL: none. */
static const struct config_secret *
secrets_find(
    const struct config_secrets *secrets, enum config_kind kind, const char *id)
{
	size_t low = 0;
	size_t high = secrets == NULL ? 0 : secrets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct config_secret *secret = &secrets->items[middle];
		int order = secrets_order(secret, kind, id);

		if (order == 0)
			return secret->set ? secret : NULL;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static enum config_kind
secrets_client_kind(const char *kind)
{
	return strcmp(kind, "client") == 0 ? CONFIG_CLIENT : CONFIG_API_CLIENT;
}

enum err
config_secrets_digest(const struct config *config,
    const struct config_secrets *secrets, const char *kind,
    const char *client_id, uint8_t digest_r[DIGEST_BYTES])
{
	const struct config_secret *secret =
	    secrets_find(secrets, secrets_client_kind(kind), client_id);

	if (secret == NULL)
		return store_client_secret_get(
		    config->options.store, kind, client_id, digest_r);
	if (!secret->has_digest)
		return ERR_NOT_FOUND;
	memcpy(digest_r, secret->digest, DIGEST_BYTES);
	return OK;
}

enum err
config_secrets_phc(const struct config *config,
    const struct config_secrets *secrets, const char *kind,
    const char *client_id, struct buf *phc)
{
	const struct config_secret *secret =
	    secrets_find(secrets, secrets_client_kind(kind), client_id);

	if (secret == NULL)
		return stored_phc(config, kind, client_id, phc);
	if (secret->phc == NULL)
		return ERR_NOT_FOUND;
	buf_append_str(phc, secret->phc);
	return buf_status(phc);
}

enum err
config_secrets_value(const struct config *config,
    const struct config_secrets *secrets, const char *id, bool is_key,
    struct buf *value)
{
	const struct config_secret *secret =
	    secrets_find(secrets, CONFIG_PROPERTY, id);

	if (secret == NULL)
		return stored_value(config, id, is_key, value);
	if (secret->is_key != is_key || secret->value == NULL)
		return ERR_NOT_FOUND;
	buf_append_str(value, secret->value);
	return buf_status(value);
}

/* ---- taking -------------------------------------------------------------- */

static enum err
take_plain(
    const struct config *config, struct config_secret *secret, const char *text)
{
	uint8_t stored[DIGEST_BYTES];
	const char *kind = config_secrets_kind(secret->kind);
	enum err err = store_client_secret_get(
	    config->options.store, kind, secret->id, stored);

	realm_secret_digest(config->options.vault, kind, span_str(secret->id),
	    span_str(text), secret->digest);
	secret->has_digest = true;
	secret->set =
	    err != OK || !secret_equal(span_of(stored, sizeof stored),
			     span_of(secret->digest, sizeof secret->digest));
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_hash(
    const struct config *config, struct config_secret *secret, const char *text)
{
	struct buf stored;
	enum err err;

	buf_init(&stored, SECRET_BYTES);
	err = stored_phc(
	    config, config_secrets_kind(secret->kind), secret->id, &stored);
	secret->phc = text;
	secret->set = err != OK || !span_is(buf_span(&stored), text);
	buf_wipe(&stored);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_value(
    const struct config *config, struct config_secret *secret, const char *text)
{
	struct buf stored;
	enum err err;

	buf_init(&stored, SECRET_BYTES);
	err = stored_value(config, secret->id, secret->is_key, &stored);
	secret->value = text;
	secret->set = err != OK || !span_is(buf_span(&stored), text);
	buf_wipe(&stored);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_made(const struct config *config, struct arena *arena,
    struct config_secret *secret)
{
	uint8_t bytes[MADE_BYTES];
	struct buf text;

	random_bytes(bytes, sizeof bytes);
	buf_init(&text, (size_t)2 * MADE_BYTES);
	base64url_append(&text, span_of(bytes, sizeof bytes));
	secret_wipe(bytes, sizeof bytes);
	secret->made =
	    text.failed ? NULL : arena_copy_str(arena, buf_span(&text));
	buf_wipe(&text);
	if (secret->made == NULL)
		return ERR_NOMEM;
	return take_plain(config, secret, secret->made);
}

static enum err
take_none(const struct config *config, struct arena *arena, bool fresh,
    bool dry_run, struct config_secret *secret)
{
	const char *kind = config_secrets_kind(secret->kind);
	uint8_t digest[DIGEST_BYTES];
	uint8_t *sealed = NULL;
	size_t len;
	enum err err = ERR_NOT_FOUND;

	if (!fresh)
		err = store_client_secret_get(
		    config->options.store, kind, secret->id, digest);
	if (!fresh && err == ERR_NOT_FOUND)
		err = store_client_phc_get(
		    config->options.store, kind, secret->id, &sealed, &len);
	free(sealed);
	if (err != ERR_NOT_FOUND)
		return err;
	if (!dry_run)
		return take_made(config, arena, secret);
	/* As if one had been made. */
	secret->set = true;
	secret->has_digest = true;
	return OK;
}

static enum err
take_one(const struct config *config, struct arena *arena,
    const struct config_given *given, const char *fresh, bool dry_run,
    struct config_secret *secret)
{
	*secret = (struct config_secret){.kind = given->kind,
	    .id = given->id,
	    .path = given->path,
	    .is_key = given->is_key};
	switch (given->how) {
	case GIVEN_NOT:
		return take_none(config, arena,
		    fresh != NULL && strcmp(fresh, given->path) == 0, dry_run,
		    secret);
	case GIVEN_PLAIN:
		return given->kind == CONFIG_PROPERTY
			   ? take_value(config, secret, given->text)
			   : take_plain(config, secret, given->text);
	case GIVEN_HASH:
		return take_hash(config, secret, given->text);
	case GIVEN_ELSEWHERE:
		secret->drop = true;
		return OK;
	case GIVEN_KEPT:
	default:
		return OK;
	}
}

enum err
config_secrets_take(const struct config *config, struct arena *arena,
    const struct config_canon *canon, const char *fresh, bool dry_run,
    struct config_secrets *secrets_r)
{
	struct config_secret *items =
	    arena_alloc(arena, (canon->given_count + 1) * sizeof *items);
	enum err err = items == NULL ? ERR_NOMEM : OK;

	for (size_t i = 0; i < canon->given_count && err == OK; i++)
		err = take_one(
		    config, arena, &canon->given[i], fresh, dry_run, &items[i]);
	if (err != OK)
		return err;
	if (canon->given_count > 1)
		qsort(
		    items, canon->given_count, sizeof *items, secrets_compare);
	*secrets_r = (struct config_secrets){items, canon->given_count};
	return OK;
}
