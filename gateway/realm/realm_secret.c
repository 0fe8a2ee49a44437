/*
 * Where a client's secret comes from, and its digest. Not its check against a
 * request: that is the authenticator's. Runs on the loader's thread, the
 * digest on any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/encoding.h"
#include "common/random.h"
#include "common/secret.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/realm/realm_value.h"

/* Of a secret in an environment variable or a file. */
#define SECRET_TEXT_BYTES ((size_t)1024)

/* Of a generated secret; 256 bits cannot be guessed. */
#define SECRET_RANDOM_BYTES 32

/* kind NUL id NUL secret */
#define SECRET_DIGEST_INPUT_BYTES ((size_t)64 << 10)

void
realm_secret_digest(struct vault *vault, const char *kind, struct span id,
    struct span secret, uint8_t out_r[DIGEST_BYTES])
{
	const struct span end = span_of("", 1);
	const struct span parts[] = {span_str(kind), end, id, end, secret};

	/* What is too long equals no digest but by chance of 2^-256. */
	if (id.len > SECRET_DIGEST_INPUT_BYTES ||
	    secret.len > SECRET_DIGEST_INPUT_BYTES)
		random_bytes(out_r, DIGEST_BYTES);
	else
		vault_mac_parts(vault, VAULT_CLIENT_SECRETS, parts,
		    sizeof parts / sizeof parts[0], out_r);
}

static void
secret_problem(struct realm_draft *draft, const struct secret_client *client,
    int line, const char *key, const char *sentence)
{
	realm_problem_add(&draft->problems,
	    (struct realm_place){client->file, line, key}, "%s", sentence);
}

static void
secret_set(struct realm_draft *draft, const struct secret_client *client,
    struct span text, struct realm_secret *secret)
{
	secret->kind = SECRET_DIGEST;
	/* --check needs no master key. */
	if (draft->sources->vault != NULL)
		realm_secret_digest(draft->sources->vault, client->kind,
		    span_str(client->client_id), text, secret->digest);
}

static bool
secret_take_file(struct realm_draft *draft, const struct secret_client *client,
    const struct setting *setting, struct realm_secret *secret_r)
{
	struct err_detail detail = {0};
	struct secret *secret;
	struct span text;
	const char *mistake;
	const char *path;
	enum err err;

	if (draft->dir == NULL)
		return true;
	path = realm_value_path(draft, setting->text, &mistake);
	if (mistake != NULL)
		secret_problem(draft, client, setting->line,
		    "client_secret.file", mistake);
	if (path == NULL)
		return mistake != NULL;
	err = secret_read_file(path, SECRET_TEXT_BYTES + 1, &secret, &detail);
	if (err != OK) {
		secret_problem(draft, client, setting->line,
		    "client_secret.file", err_text(&detail, err));
		return true;
	}
	text = secret_bytes(secret);
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (text.len == 0)
		secret_problem(draft, client, setting->line,
		    "client_secret.file", "the file is empty");
	else
		secret_set(draft, client, text, secret_r);
	secret_free(secret);
	return true;
}

static void
secret_take_env(struct realm_draft *draft, const struct secret_client *client,
    const struct setting *setting, struct realm_secret *secret_r)
{
	const char *mistake = realm_value_env_mistake(draft, setting->text);
	const char *text = getenv(setting->text);

	if (mistake != NULL)
		secret_problem(
		    draft, client, setting->line, "client_secret.env", mistake);
	else if (text == NULL || text[0] == '\0' ||
		 strlen(text) > SECRET_TEXT_BYTES)
		secret_problem(draft, client, setting->line,
		    "client_secret.env",
		    "the environment variable is not set, empty or too long");
	else
		secret_set(draft, client, span_str(text), secret_r);
}

static void
secret_take_plain(struct realm_draft *draft, const struct secret_client *client,
    const struct setting *setting, struct realm_secret *secret_r)
{
	if (client->exposed)
		realm_problem_warn(&draft->problems,
		    (struct realm_place){
			client->file, setting->line, "client_secret.plain"},
		    "others may read this file");
	secret_set(draft, client, span_str(setting->text), secret_r);
}

static bool
secret_take_hash(struct realm_draft *draft, const struct setting *setting,
    struct realm_secret *secret_r)
{
	secret_r->kind = SECRET_PHC;
	secret_r->phc = arena_strdup(draft->kept, setting->text);
	return secret_r->phc != NULL;
}

static bool
secret_take_one(struct realm_draft *draft, const struct secret_client *client,
    const struct secret_block *block, struct realm_secret *secret_r)
{
	if (block->hash.given)
		return secret_take_hash(draft, &block->hash, secret_r);
	if (block->file.given)
		return secret_take_file(draft, client, &block->file, secret_r);
	if (block->env.given)
		secret_take_env(draft, client, &block->env, secret_r);
	else if (block->plain.given)
		secret_take_plain(draft, client, &block->plain, secret_r);
	else if (strcmp(block->keep.text, client->client_id) != 0)
		secret_problem(draft, client, block->keep.line,
		    "client_secret.keep", "expects the client's own id");
	return true;
}

bool
realm_secret_take(struct realm_draft *draft, const struct secret_client *client,
    struct realm_secret *secret_r, enum secret_source *source_r)
{
	const struct yaml_source source =
	    realm_draft_source(draft, client->file);
	struct secret_block block;
	size_t mistakes = draft->problems.mistakes;

	*source_r = SECRET_READY;
	if (!client->setting->given) {
		*source_r = SECRET_MADE;
		return true;
	}
	if (!realm_schema_read_block(&source, SCHEMA_secret_block,
		client->setting, "client_secret", &block))
		return false;
	if (draft->problems.mistakes != mistakes)
		return true;
	if (block.plain.given + block.env.given + block.file.given +
		block.hash.given + block.keep.given !=
	    1) {
		secret_problem(draft, client, client->setting->line,
		    "client_secret",
		    "expects exactly one of plain, env, file, hash and keep");
		return true;
	}
	if (block.keep.given)
		*source_r = SECRET_STORED;
	return secret_take_one(draft, client, &block, secret_r);
}

/* ---- secrets of ours ---------------------------------------------------- */

static enum err
secret_fail(struct realm_draft *draft, const struct secret_client *client,
    enum err err, const char *sentence)
{
	secret_problem(
	    draft, client, client->setting->line, "client_secret", sentence);
	return err;
}

/* One that was written by a load that died before it kept the digest. */
static enum err
secret_read_made(struct realm_draft *draft, const struct secret_client *client,
    const char *path, struct realm_secret *secret)
{
	struct err_detail detail = {0};
	struct secret *made;
	struct span text;
	enum err err =
	    secret_read_file(path, SECRET_TEXT_BYTES + 1, &made, &detail);

	if (err != OK)
		return secret_fail(
		    draft, client, ERR_IO, err_text(&detail, err));
	text = secret_bytes(made);
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	secret_set(draft, client, text, secret);
	err = text.len == 0 ? secret_fail(draft, client, ERR_IO,
				  "the file with its secret is empty")
			    : OK;
	secret_free(made);
	return err;
}

static enum err
secret_write_made(struct realm_draft *draft, const struct secret_client *client,
    const char *path, struct realm_secret *secret)
{
	uint8_t bytes[SECRET_RANDOM_BYTES];
	struct err_detail detail = {0};
	struct buf text;
	enum err err;

	random_bytes(bytes, sizeof bytes);
	buf_init(&text, SECRET_TEXT_BYTES);
	base64url_append(&text, span_of(bytes, sizeof bytes));
	secret_set(draft, client, buf_span(&text), secret);
	buf_append_char(&text, '\n');
	err = buf_status(&text);
	if (err == OK)
		err = secret_write_file(path, buf_span(&text), &detail);
	secret_wipe(bytes, sizeof bytes);
	buf_wipe(&text);
	if (err == ERR_EXISTS)
		return secret_read_made(draft, client, path, secret);
	if (err != OK)
		return secret_fail(
		    draft, client, ERR_IO, err_text(&detail, err));
	return OK;
}

/*
 * The file first, the digest after: a crash between them leaves a file that
 * the next load takes up, never a client whose secret nobody knows.
 */
static enum err
secret_make(struct realm_draft *draft, const struct secret_client *client,
    struct realm_secret *secret)
{
	const struct realm_sources *sources = draft->sources;
	const char *path;
	enum err err;

	if (mkdir(sources->secrets_dir, 0700) != 0 && errno != EEXIST)
		return secret_fail(draft, client, ERR_IO,
		    "the directory for generated secrets cannot be made");
	/* A client id has no slash, and the kind keeps it from being "..". */
	path = arena_printf(draft->scratch, "%s/%s-%s", sources->secrets_dir,
	    client->kind, client->client_id);
	if (path == NULL)
		return ERR_NOMEM;
	err = secret_write_made(draft, client, path, secret);
	if (err != OK)
		return err;
	err = sources->secret_put(
	    sources->user, client->kind, client->client_id, secret->digest);
	if (err != OK)
		return secret_fail(draft, client, ERR_IO,
		    "the store does not take its digest");
	return OK;
}

/* What is stored for the client: the digest of a secret or an imported hash. */
static enum err
secret_get(struct realm_draft *draft, const struct secret_client *client,
    struct realm_secret *secret)
{
	const struct realm_sources *sources = draft->sources;
	struct buf phc;
	enum err err = ERR_NOT_FOUND;

	secret->kind = SECRET_DIGEST;
	if (sources->secret_get != NULL)
		err = sources->secret_get(sources->user, client->kind,
		    client->client_id, secret->digest);
	if (err != ERR_NOT_FOUND || sources->phc_get == NULL)
		return err;
	buf_init(&phc, REALM_FILE_BYTES);
	err = sources->phc_get(
	    sources->user, client->kind, client->client_id, &phc);
	if (err == OK) {
		secret->kind = SECRET_PHC;
		secret->phc = arena_copy_str(draft->kept, buf_span(&phc));
		err = secret->phc == NULL ? ERR_NOMEM : OK;
	}
	buf_wipe(&phc);
	return err;
}

enum err
realm_secret_settle(struct realm_draft *draft,
    const struct secret_client *client, enum secret_source source,
    struct realm_secret *secret)
{
	const struct realm_sources *sources = draft->sources;
	enum err err;

	if (source == SECRET_READY)
		return OK;
	if (sources->secret_get == NULL && sources->check_only)
		return OK;
	err = secret_get(draft, client, secret);
	if (err == OK)
		return OK;
	secret->kind = SECRET_DIGEST;
	if (err != ERR_NOT_FOUND)
		return secret_fail(
		    draft, client, ERR_IO, "what is stored cannot be read");
	if (source == SECRET_STORED)
		return secret_fail(draft, client, ERR_INVALID,
		    "there is no secret to keep; none is stored for this "
		    "client");
	return sources->check_only ? OK : secret_make(draft, client, secret);
}
