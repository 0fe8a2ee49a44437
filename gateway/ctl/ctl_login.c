/*
 * login: credentials are asked for, tried and written to a profile. The secret
 * is in no argument, in no message and in nothing that is left behind but the
 * profile. Runs in `postern`, which has one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/secret.h"
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_profile.h"

/* A client id has at most 128 characters. */
#define LINE_BYTES_MAX CTL_SECRET_BYTES_MAX

/* ---- asking -------------------------------------------------------------- */

/* One line of a terminal without its end; false: interrupted or ended. */
static bool
read_line(int terminal, struct buf *line)
{
	for (;;) {
		char c;
		ssize_t got = read(terminal, &c, 1);

		if (got <= 0 || line->failed)
			return false;
		if (c == '\n')
			return true;
		buf_append(line, &c, 1);
	}
}

/* On the terminal itself: standard input and output may be something else. */
static bool
ask(const char *question, bool hidden, struct buf *line)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, silent;
	bool is_silent = false;
	bool is_read;

	if (terminal < 0)
		return false;
	if (hidden && tcgetattr(terminal, &before) == 0) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		is_silent = tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
	}
	/* Only now: what is typed before is thrown away. */
	(void)dprintf(terminal, "%s: ", question);
	/* What cannot be hidden is not asked for. */
	is_read = (!hidden || is_silent) && read_line(terminal, line);
	if (is_silent) {
		(void)tcsetattr(terminal, TCSAFLUSH, &before);
		(void)dprintf(terminal, "\n");
	}
	(void)close(terminal);
	return is_read;
}

/* ---- where credentials come from ----------------------------------------- */

static enum ctl_exit
take(struct ctl_profile *profile, struct span client_id, struct span secret)
{
	profile->client_id =
	    strndup((const char *)client_id.data, client_id.len);
	profile->secret = secret_new(secret);
	if (profile->client_id == NULL || profile->secret == NULL)
		return ctl_out_error(CTL_FAILED, "out of memory");
	if (client_id.len == 0 || secret.len == 0)
		return ctl_out_error(
		    CTL_USAGE, "the client id or the secret is empty");
	return CTL_OK;
}

/* "ID:SECRET" */
static enum ctl_exit
take_credential_file(struct ctl_profile *profile, const char *path)
{
	struct err_detail detail = {0};
	struct secret *text = NULL;
	const uint8_t *colon;
	struct span bytes;
	enum ctl_exit exit;

	if (secret_read_file(path, CTL_SECRET_BYTES_MAX, &text, &detail) != OK)
		return ctl_out_error(CTL_USAGE, "%s", detail.text);
	bytes = ctl_profile_trim(secret_bytes(text));
	colon = bytes.len == 0 ? NULL : memchr(bytes.data, ':', bytes.len);
	if (colon == NULL) {
		exit = ctl_out_error(CTL_USAGE,
		    "%s is no credential file: it says no ID:SECRET", path);
	} else {
		size_t len = (size_t)(colon - bytes.data);

		exit = take(profile, span_of(bytes.data, len),
		    span_of(colon + 1, bytes.len - len - 1));
	}
	secret_free(text);
	return exit;
}

static enum ctl_exit
read_secret(struct buf *secret)
{
	struct err_detail detail = {0};
	enum err err;

	if (isatty(STDIN_FILENO)) {
		if (ask("Secret", true, secret))
			return CTL_OK;
		return ctl_interrupt_came()
			   ? CTL_INTERRUPTED
			   : ctl_out_error(CTL_FAILED, "no secret was given");
	}
	err = ctl_file_read_argument("-", secret, &detail);
	return err == OK
		   ? CTL_OK
		   : ctl_out_error(CTL_USAGE, "%s", err_text(&detail, err));
}

static enum ctl_exit
take_answers(struct ctl_profile *profile, const char *client_id)
{
	struct buf id, secret;
	enum ctl_exit exit = CTL_OK;

	if (client_id == NULL)
		client_id = getenv("POSTERN_CLIENT_ID");
	buf_init(&id, LINE_BYTES_MAX);
	buf_init(&secret, CTL_SECRET_BYTES_MAX);
	if (client_id != NULL)
		buf_append_str(&id, client_id);
	else if (!isatty(STDIN_FILENO) || !ask("Client id", false, &id))
		exit = ctl_out_error(CTL_USAGE,
		    "who is it? Say --client-id ID or --credential "
		    "FILE");
	if (exit == CTL_OK)
		exit = read_secret(&secret);
	if (exit == CTL_OK)
		exit = take(profile, buf_span(&id),
		    ctl_profile_trim(
			secret.len == 0 ? span_str("") : buf_span(&secret)));
	buf_fini(&id);
	buf_wipe(&secret);
	return exit;
}

/* ---- the command --------------------------------------------------------- */

static enum ctl_exit
collect(const struct ctl_call *call, struct ctl_profile *profile)
{
	const char *credential = ctl_command_option(call, OPT_CREDENTIAL);
	const char *client_id = ctl_command_option(call, OPT_CLIENT_ID);
	const char *ca = ctl_command_option(call, OPT_CA);

	profile->url = strdup(ctl_command_argument(call, 0));
	if (profile->url == NULL)
		return ctl_out_error(CTL_FAILED, "out of memory");
	/* Absolute: the profile is used from other directories. */
	if (ca != NULL) {
		profile->ca = realpath(ca, NULL);
		if (profile->ca == NULL)
			return ctl_out_error(
			    CTL_USAGE, "%s: %s", ca, strerror(errno));
	}
	return credential != NULL ? take_credential_file(profile, credential)
				  : take_answers(profile, client_id);
}

/* A working gateway accepts the credentials, also those without the scope. */
static enum ctl_exit
try_credentials(struct ctl_api *api)
{
	json_t *status = NULL;
	enum ctl_exit exit = ctl_api_get(api, ctl_api_path("status"), &status);

	json_decref(status);
	return exit;
}

static enum ctl_exit
save(const struct ctl_call *call, const struct ctl_profile *profile)
{
	struct err_detail detail = {0};
	char *path = NULL;
	enum err err = ctl_profile_save(
	    ctl_command_option(call, OPT_PROFILE), profile, &path, &detail);

	if (err != OK)
		return ctl_out_error(CTL_FAILED, "%s", err_text(&detail, err));
	ctl_out_note("logged in to %s as %s; profile %s", profile->url,
	    profile->client_id, path);
	free(path);
	return CTL_OK;
}

enum ctl_exit
ctl_login(const struct ctl_call *call)
{
	struct ctl_profile profile = {0};
	struct ctl_api *api = NULL;
	enum ctl_exit exit = collect(call, &profile);

	if (exit == CTL_OK)
		exit = ctl_api_open_profile(call, &profile, &api);
	if (exit == CTL_OK)
		exit = try_credentials(api);
	if (exit == CTL_OK)
		exit = save(call, ctl_api_profile(api));
	ctl_api_close(api);
	ctl_profile_fini(&profile);
	return exit;
}
