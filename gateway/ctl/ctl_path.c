/*
 * Paths of realm files; see ctl_path.h. Opens nothing. Runs in `postern`,
 * which has one thread.
 */
#include "gateway/ctl/ctl_path.h"

#include <stddef.h>
#include <string.h>

/* An identity provider's identifier. */
#define IDP_ID_MAX 64

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool
is_one_of(const char *name, const char *const *names)
{
	while (*names != NULL && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* What follows "FOLDER/", else NULL. */
static const char *
below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/'
		   ? path + len + 1
		   : NULL;
}

bool
ctl_path_has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name);
	size_t tail = strlen(ending);

	return len > tail && strcmp(name + len - tail, ending) == 0;
}

/* The first `len` bytes, as a name that cannot leave its folder. */
static bool
is_name(const char *name, size_t len)
{
	return len > 0 && len <= CTL_PATH_NAME_MAX && name[0] != '.' &&
	       strspn(name, LETTERS "._~%-") >= len;
}

static bool
is_document_name(const char *name)
{
	return is_name(name, strlen(name)) &&
	       ctl_path_has_ending(name, ".yaml");
}

static bool
is_idp_file(const char *path)
{
	static const char *const names[] = {
	    "idp.yaml", "init.js", "complete.js", "backchannel.js", NULL};
	size_t len = strspn(path, LETTERS "_-");

	return len > 0 && len <= IDP_ID_MAX && path[len] == '/' &&
	       is_one_of(path + len + 1, names);
}

bool
ctl_path_is_realm_file(const char *path)
{
	static const char *const settings[] = {
	    "realm.yaml", "scopes.yaml", "properties.yaml", NULL};
	const char *name;

	if (is_one_of(path, settings))
		return true;
	name = below(path, "clients");
	if (name == NULL)
		name = below(path, "api-clients");
	if (name != NULL)
		return is_document_name(name);
	name = below(path, "idps");
	return name != NULL && is_idp_file(name);
}

bool
ctl_path_is_authorities(const char *path)
{
	for (int depth = 0; depth < CTL_PATH_DEPTH_MAX; depth++) {
		size_t len = strcspn(path, "/");

		if (!is_name(path, len))
			return false;
		if (path[len] == '\0')
			return ctl_path_has_ending(path, ".pem") ||
			       ctl_path_has_ending(path, ".crt");
		path += len + 1;
	}
	return false;
}

bool
ctl_path_is_realm_folder(const char *name)
{
	static const char *const folders[] = {
	    "clients", "api-clients", "idps", NULL};

	return is_one_of(name, folders);
}
