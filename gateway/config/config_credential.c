/*
 * The first API client: a file "ID:SECRET", made at first start where none is
 * set. Not its check against a request. Main thread, at the start.
 */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/random.h"
#include "common/secret.h"
#include "gateway/config/config_state.h"

/* An id, a colon, a secret, a line end. */
#define CREDENTIAL_BYTES ((size_t)2048)

/* 256 bits cannot be guessed; what an operator chose should not be either. */
#define MADE_BYTES       32
#define SECRET_BYTES_MIN 16

#define MADE_ID "admin"

static enum err
credential_make(const char *path, struct err_detail *detail)
{
	uint8_t bytes[MADE_BYTES];
	struct buf text;
	enum err err;

	random_bytes(bytes, sizeof bytes);
	buf_init(&text, CREDENTIAL_BYTES);
	buf_append_str(&text, MADE_ID ":");
	base64url_append(&text, span_of(bytes, sizeof bytes));
	buf_append_char(&text, '\n');
	err = buf_status(&text);
	if (err == OK)
		err = secret_write_file(path, buf_span(&text), detail);
	secret_wipe(bytes, sizeof bytes);
	buf_wipe(&text);
	/* Another start made it in between: that one counts. */
	return err == ERR_EXISTS ? OK : err;
}

static enum err
credential_take(
    struct config *config, struct span text, struct err_detail *detail)
{
	const uint8_t *colon =
	    text.len == 0 ? NULL : memchr(text.data, ':', text.len);
	struct span id, secret;

	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (colon == NULL)
		return err_set(detail, ERR_INVALID, "expects ID:SECRET");
	id = span_of(text.data, (size_t)(colon - text.data));
	secret = span_of(colon + 1, text.len - id.len - 1);
	if (!realm_syntax_is_client_id(id))
		return err_set(detail, ERR_INVALID,
		    "expects a client id before the colon");
	if (secret.len < SECRET_BYTES_MIN || !realm_syntax_is_ascii(secret))
		return err_set(detail, ERR_INVALID,
		    "expects at least %d printable characters after the colon",
		    SECRET_BYTES_MIN);
	memcpy(config->first_id, id.data, id.len);
	config->first_id[id.len] = '\0';
	config->first_client = (struct realm_api_client){
	    .client_id = config->first_id,
	    .name = "admin_credential",
	    .secret = {.kind = SECRET_DIGEST},
	    .enabled = true,
	    .scopes = API_CONFIG | API_ADMIN,
	};
	realm_secret_digest(config->options.vault, "api_client", id, secret,
	    config->first_client.secret.digest);
	return OK;
}

enum err
config_credential_open(struct config *config, struct err_detail *detail)
{
	const char *path = config->options.admin_credential;
	char made_path[4096];
	struct secret *file;
	enum err err;

	(void)snprintf(made_path, sizeof made_path, "%s/admin.credential",
	    config->options.data_dir);
	if (path == NULL)
		path = made_path;
	err = secret_read_file(path, CREDENTIAL_BYTES, &file, detail);
	if (err == ERR_NOT_FOUND && path == made_path) {
		err = credential_make(path, detail);
		if (err == OK)
			err = secret_read_file(
			    path, CREDENTIAL_BYTES, &file, detail);
	}
	if (err != OK)
		return err_prefix(detail, err, "admin_credential: %s", path);
	err = credential_take(config, secret_bytes(file), detail);
	secret_free(file);
	if (err != OK)
		return err_prefix(detail, err, "admin_credential: %s", path);
	return OK;
}
