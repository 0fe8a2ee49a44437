/*
 * Which environment variables and files a realm may name, and where the files
 * are. Not what is in them. Runs on the loader's thread.
 */
#include "gateway/realm/realm_value.h"

#include <string.h>

const char *
realm_value_env_mistake(const struct realm_draft *draft, const char *name)
{
	size_t len = strlen(REALM_VALUE_PREFIX);

	if (!draft->sources->confined ||
	    strncmp(name, REALM_VALUE_PREFIX, len) == 0)
		return NULL;
	return "over the API only variables whose names begin "
	       "with " REALM_VALUE_PREFIX " are read";
}

/* The path below values_dir; NULL: it is not there, a sentence says so. */
static const char *
value_below(
    const struct realm_draft *draft, const char *path, const char **mistake_r)
{
	const char *dir = draft->sources->values_dir;
	size_t len = dir == NULL ? 0 : strlen(dir);

	*mistake_r = "over the API files are read only under the setting "
		     "value_files_dir, which is not set";
	if (dir == NULL)
		return NULL;
	*mistake_r = "over the API files are read only under the setting "
		     "value_files_dir";
	while (len > 0 && dir[len - 1] == '/')
		len--;
	if (path[0] == '/') {
		if (strncmp(path, dir, len) != 0 || path[len] != '/')
			return NULL;
		path += len + 1;
	}
	return realm_dir_path_is_good(span_str(path)) ? path : NULL;
}

const char *
realm_value_path(
    struct realm_draft *draft, const char *path, const char **mistake_r)
{
	const char *below;

	*mistake_r = NULL;
	if (!draft->sources->confined)
		return realm_dir_path(draft->dir, draft->scratch, path);
	below = value_below(draft, path, mistake_r);
	if (below == NULL)
		return NULL;
	*mistake_r = NULL;
	return arena_printf(
	    draft->scratch, "%s/%s", draft->sources->values_dir, below);
}

static enum err
value_read_below(struct realm_draft *draft, const char *path, struct buf *out,
    struct err_detail *detail)
{
	const char *mistake;
	const char *below = value_below(draft, path, &mistake);
	struct realm_dir *dir;
	enum err err;

	if (below == NULL)
		return err_set(detail, ERR_DENIED, "%s", mistake);
	err = realm_dir_open(draft->sources->values_dir, &dir, detail);
	if (err != OK)
		return err_prefix(detail, err, "value_files_dir");
	err = realm_dir_read(dir, below, out, NULL, detail);
	realm_dir_close(dir);
	return err;
}

enum err
realm_value_read(struct realm_draft *draft, const char *path, struct buf *out,
    struct err_detail *detail)
{
	enum err err = realm_dir_read(draft->dir, path, out, NULL, detail);

	if (!draft->sources->confined || err != ERR_NOT_FOUND)
		return err;
	return value_read_below(draft, path, out, detail);
}
