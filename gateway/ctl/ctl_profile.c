/*
 * Profiles; see ctl_profile.h. Calls no gateway. Runs in `postern`, which has
 * one thread.
 */
#include "gateway/ctl/ctl_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_json.h"

/* A profile has a URL, an id, a secret and a path, escaped. */
#define PROFILE_BYTES_MAX 65536

#define NAME_BYTES_MAX 64

struct span
ctl_profile_trim(struct span secret)
{
	if (secret.len > 0 && secret.data[secret.len - 1] == '\n')
		secret.len--;
	if (secret.len > 0 && secret.data[secret.len - 1] == '\r')
		secret.len--;
	return secret;
}

void
ctl_profile_fini(struct ctl_profile *profile)
{
	free(profile->url);
	free(profile->client_id);
	free(profile->ca);
	secret_free(profile->secret);
	*profile = (struct ctl_profile){0};
}

/* ---- where --------------------------------------------------------------- */

static enum err
check_name(const char *name, struct err_detail *detail)
{
	size_t len = strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "_-");

	if (len == 0 || len > NAME_BYTES_MAX || name[len] != '\0')
		return err_set(detail, ERR_INVALID,
		    "a profile's name is of letters, digits, _ and -, at most "
		    "%d",
		    NAME_BYTES_MAX);
	return OK;
}

static const char *
name_or_default(const char *name)
{
	const char *from_environment = getenv("POSTERN_PROFILE");

	if (name != NULL)
		return name;
	return from_environment != NULL && *from_environment != '\0'
		   ? from_environment
		   : "default";
}

/* $XDG_CONFIG_HOME/postern, owned by the caller. */
static enum err
find_folder(char **folder_r, struct err_detail *detail)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int len;

	/* XDG base directories: a relative path is to be ignored */
	if (config != NULL && config[0] == '/')
		len = asprintf(folder_r, "%s/postern", config);
	else if (home != NULL && home[0] == '/')
		len = asprintf(folder_r, "%s/.config/postern", home);
	else
		return err_set(detail, ERR_NOT_FOUND,
		    "neither XDG_CONFIG_HOME nor HOME says where profiles are");
	return len < 0 ? err_set(detail, ERR_NOMEM, "out of memory") : OK;
}

static enum err
find_file(const char *name, char **path_r, struct err_detail *detail)
{
	char *folder = NULL;
	enum err err = check_name(name, detail);

	if (err == OK)
		err = find_folder(&folder, detail);
	if (err == OK && asprintf(path_r, "%s/%s.json", folder, name) < 0)
		err = err_set(detail, ERR_NOMEM, "out of memory");
	free(folder);
	return err;
}

/* ---- reading ------------------------------------------------------------- */

static enum err
fill(struct ctl_profile *profile, const char *url, const char *client_id,
    struct span secret, const char *ca)
{
	profile->url = strdup(url);
	profile->client_id = strdup(client_id);
	profile->secret = secret_new(secret);
	profile->ca = ca == NULL || *ca == '\0' ? NULL : strdup(ca);
	return profile->url == NULL || profile->client_id == NULL ||
		       profile->secret == NULL
		   ? ERR_NOMEM
		   : OK;
}

static enum err
parse(struct span text, struct ctl_profile *profile, struct err_detail *detail)
{
	json_t *document = NULL;
	const char *url, *client_id, *secret;
	enum err err = ctl_json_read(text, &document, detail);

	if (err != OK)
		return err;
	url = ctl_json_text(document, "url");
	client_id = ctl_json_text(document, "client_id");
	secret = ctl_json_text(document, "secret");
	if (url == NULL || client_id == NULL || secret == NULL)
		err = err_set(detail, ERR_INVALID,
		    "lacks url, client_id or secret; log in again");
	else
		err = fill(profile, url, client_id, span_str(secret),
		    ctl_json_text(document, "ca"));
	json_decref(document);
	return err;
}

static enum err
load_file(const char *path, const char *name, struct ctl_profile *profile,
    struct err_detail *detail)
{
	struct secret *text = NULL;
	enum err err = secret_read_file(path, PROFILE_BYTES_MAX, &text, detail);

	if (err == ERR_NOT_FOUND)
		return err_set(detail, err,
		    "there is no profile %s; make one with: postern login URL "
		    "--profile %s",
		    name, name);
	if (err != OK)
		return err;
	err = parse(secret_bytes(text), profile, detail);
	secret_free(text);
	return err == OK ? OK : err_prefix(detail, err, "%s", path);
}

static enum err
load_environment(struct ctl_profile *profile, struct err_detail *detail)
{
	const char *url = getenv("POSTERN_URL");
	const char *client_id = getenv("POSTERN_CLIENT_ID");
	const char *path = getenv("POSTERN_SECRET_FILE");
	struct secret *secret = NULL;
	enum err err;

	if (url == NULL || client_id == NULL || path == NULL)
		return err_set(detail, ERR_INVALID,
		    "POSTERN_URL, POSTERN_CLIENT_ID and POSTERN_SECRET_FILE "
		    "count together: set the missing one or unset the others");
	err = secret_read_file(path, CTL_SECRET_BYTES_MAX, &secret, detail);
	if (err != OK)
		return err_prefix(detail, err, "POSTERN_SECRET_FILE");
	err = fill(profile, url, client_id,
	    ctl_profile_trim(secret_bytes(secret)), getenv("POSTERN_CA"));
	secret_free(secret);
	return err;
}

enum err
ctl_profile_load(
    const char *name, struct ctl_profile *profile_r, struct err_detail *detail)
{
	struct ctl_profile profile = {0};
	char *path = NULL;
	enum err err;

	if (name == NULL && (getenv("POSTERN_URL") != NULL ||
				getenv("POSTERN_CLIENT_ID") != NULL ||
				getenv("POSTERN_SECRET_FILE") != NULL)) {
		err = load_environment(&profile, detail);
	} else {
		name = name_or_default(name);
		err = find_file(name, &path, detail);
		if (err == OK)
			err = load_file(path, name, &profile, detail);
		free(path);
	}
	if (err == OK)
		*profile_r = profile;
	else
		ctl_profile_fini(&profile);
	return err;
}

/* ---- writing ------------------------------------------------------------- */

static enum err
dump(const struct ctl_profile *profile, struct buf *out)
{
	struct span secret = secret_bytes(profile->secret);
	json_t *document = json_pack("{s:s, s:s, s:s%, s:s*}", "url",
	    profile->url, "client_id", profile->client_id, "secret",
	    (const char *)secret.data, secret.len, "ca", profile->ca);
	enum err err;

	/* Also where the secret is no UTF-8. */
	if (document == NULL)
		return ERR_INVALID;
	err = ctl_json_dump(document, out);
	buf_append_char(out, '\n');
	json_decref(document);
	return err == OK ? buf_status(out) : err;
}

/* Every folder on the way that is not there yet, for nobody else's eyes. */
static enum err
make_folders(char *path, struct err_detail *detail)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_set_errno(
			    detail, ERR_IO, "%s cannot be made", path);
		*slash = '/';
	}
	return OK;
}

static enum err
write_profile(char *path, struct span text, struct err_detail *detail)
{
	char *slash = strrchr(path, '/');
	enum err err = make_folders(path, detail);
	int folder;

	if (err != OK)
		return err;
	*slash = '\0';
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (folder < 0)
		return err_set_errno(
		    detail, ERR_IO, "%s's folder cannot be opened", path);
	err = ctl_file_replace(folder, slash + 1, text, 0600, detail);
	(void)close(folder);
	return err == OK ? OK : err_prefix(detail, err, "%s", path);
}

enum err
ctl_profile_save(const char *name, const struct ctl_profile *profile,
    char **path_r, struct err_detail *detail)
{
	char *path = NULL;
	struct buf text;
	enum err err;

	buf_init(&text, PROFILE_BYTES_MAX);
	err = find_file(name_or_default(name), &path, detail);
	if (err == OK) {
		err = dump(profile, &text);
		if (err != OK)
			(void)err_set(detail, err,
			    "the client id or secret is too long or no text");
	}
	if (err == OK)
		err = write_profile(path, buf_span(&text), detail);
	buf_wipe(&text);
	if (err == OK)
		*path_r = path;
	else
		free(path);
	return err;
}
