/*
 * export: the gateway's realm into a directory. Which files there are says the
 * gateway, where they may be says ctl_path.h: nothing is written or removed
 * outside the directory, and no link is followed. Runs in `postern`, which has
 * one thread.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/check.h"
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_path.h"
#include "gateway/ctl/ctl_tree.h"

/* Names of entries, of as many as a folder may have. */
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct target {
	const char *directory; /* as on the command line */
	int root;
	struct arena *arena;
	const json_t *files;
	size_t written;
	size_t unchanged;
	size_t removed;
};

static enum ctl_exit
say_place(const struct target *target, const char *path, enum err err,
    const struct err_detail *detail)
{
	return ctl_out_error(CTL_FAILED, "%s/%s: %s", target->directory, path,
	    err_text(detail, err));
}

/* ---- the answer ---------------------------------------------------------- */

static enum ctl_exit
check_files(json_t *files)
{
	const char *path;
	json_t *text;

	if (!json_is_object(files))
		return ctl_out_error(
		    CTL_UNREACHABLE, "the gateway's export has no files");
	json_object_foreach (files, path, text) {
		if (!ctl_path_is_realm_file(path) &&
		    !ctl_path_is_authorities(path))
			return ctl_out_error(CTL_FAILED,
			    "the gateway's export has a file that no realm "
			    "has, and nothing was written: %s",
			    path);
		if (!json_is_string(text) ||
		    json_string_length(text) > CTL_TREE_FILE_MAX)
			return ctl_out_error(CTL_FAILED,
			    "%s is no text or too long in the gateway's "
			    "export, and nothing was written",
			    path);
	}
	return CTL_OK;
}

/* ---- the directory ------------------------------------------------------- */

/* What an earlier export or a realm's author leaves at the top. */
static bool
belongs_to_realm(const char *name)
{
	return ctl_path_is_realm_file(name) || ctl_path_is_realm_folder(name) ||
	       ctl_path_is_authorities(name) || strcmp(name, "README.md") == 0;
}

/* A directory with a realm.yaml, or with nothing else than realms have. */
static enum ctl_exit
check_directory(const struct target *target)
{
	struct err_detail detail = {0};
	const char *const *names = NULL;
	const char *foreign = NULL;
	size_t count = 0;
	enum err err = ctl_file_names(
	    target->root, target->arena, &names, &count, &detail);

	if (err != OK)
		return say_place(target, ".", err, &detail);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], "realm.yaml") == 0)
			return CTL_OK;
		if (!belongs_to_realm(names[i]))
			foreign = names[i];
	}
	if (foreign == NULL)
		return CTL_OK;
	return ctl_out_error(CTL_USAGE,
	    "%s is no realm: it has %s in it; choose another directory, or "
	    "--force",
	    target->directory, foreign);
}

static enum ctl_exit
open_directory(const struct ctl_call *call, struct target *target)
{
	/* The open says what is the matter where this cannot be done. */
	(void)mkdir(target->directory, 0777);
	target->root =
	    open(target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->root < 0)
		return ctl_out_error(CTL_USAGE,
		    "%s is not a directory, and none can be made there",
		    target->directory);
	if (ctl_command_option(call, OPT_FORCE) != NULL)
		return CTL_OK;
	return check_directory(target);
}

/* ---- writing ------------------------------------------------------------- */

/* The folder that the path's file is in, made where it is missing; *name_r is
 * the file's name in it. */
static enum err
open_parent(const struct target *target, const char *path, bool make,
    int *folder_r, const char **name_r, struct err_detail *detail)
{
	int folder = dup(target->root);

	if (folder < 0)
		return err_set_errno(detail, ERR_IO, "cannot be opened");
	for (;;) {
		char name[CTL_PATH_NAME_MAX + 1];
		size_t len = strcspn(path, "/");
		int below = -1;
		enum err err;

		if (path[len] == '\0')
			break;
		CHECK(len < sizeof name);
		memcpy(name, path, len);
		name[len] = '\0';
		err = ctl_file_open_folder(folder, name, make, &below, detail);
		(void)close(folder);
		if (err != OK)
			return err;
		folder = below;
		path += len + 1;
	}
	*folder_r = folder;
	*name_r = path;
	return OK;
}

/* A link is never what is wanted, whatever it points to. */
static bool
is_unchanged(int folder, const char *name, struct span text)
{
	struct err_detail detail;
	struct stat st;
	struct buf present;
	bool is_same;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || (size_t)st.st_size != text.len)
		return false;
	buf_init(&present, CTL_TREE_FILE_MAX);
	is_same = ctl_file_read(folder, name, &present, &detail) == OK &&
		  span_equal(buf_span(&present), text);
	buf_fini(&present);
	return is_same;
}

static enum ctl_exit
write_file(struct target *target, const char *path, struct span text)
{
	struct err_detail detail = {0};
	const char *name = path;
	int folder = -1;
	enum err err = open_parent(target, path, true, &folder, &name, &detail);

	if (err != OK)
		return say_place(target, path, err, &detail);
	if (is_unchanged(folder, name, text)) {
		target->unchanged++;
	} else {
		err = ctl_file_replace(folder, name, text, 0666, &detail);
		target->written++;
	}
	(void)close(folder);
	return err == OK ? CTL_OK : say_place(target, path, err, &detail);
}

static enum ctl_exit
write_files(struct target *target, json_t *files)
{
	size_t count = json_object_size(files);
	const char *path;
	json_t *text;

	json_object_foreach (files, path, text) {
		enum ctl_exit exit =
		    write_file(target, path, ctl_json_span(text));

		if (exit != CTL_OK)
			return exit;
		if (ctl_interrupt_came())
			return CTL_INTERRUPTED;
		ctl_out_progress("writing: %zu of %zu files",
		    target->written + target->unchanged, count);
	}
	return CTL_OK;
}

/* ---- removing what is gone ----------------------------------------------- */

static enum ctl_exit
remove_file(
    struct target *target, int folder, const char *path, const char *name)
{
	struct err_detail detail = {0};

	/* Only what an export writes can be an old one's. */
	if (!ctl_path_is_realm_file(path) ||
	    json_object_get(target->files, path) != NULL)
		return CTL_OK;
	if (unlinkat(folder, name, 0) == 0) {
		target->removed++;
		return CTL_OK;
	}
	(void)err_set_errno(&detail, ERR_IO, "cannot be removed");
	return say_place(target, path, ERR_IO, &detail);
}

/* Goes through a folder that may be missing; `each` gets its entries. */
static enum ctl_exit
sweep(struct target *target, int parent, const char *path, const char *name,
    enum ctl_exit (*each)(
	struct target *target, int folder, const char *path, const char *name))
{
	struct err_detail detail = {0};
	const char *const *names = NULL;
	size_t count = 0;
	enum ctl_exit exit = CTL_OK;
	int folder = -1;
	enum err err =
	    ctl_file_open_folder(parent, name, false, &folder, &detail);

	/* Not a folder: nothing of an export's is in it. */
	if (err == ERR_NOT_FOUND || err == ERR_DENIED)
		return CTL_OK;
	if (err == OK)
		err = ctl_file_names(
		    folder, target->arena, &names, &count, &detail);
	if (err != OK)
		exit = say_place(target, path, err, &detail);
	for (size_t i = 0; i < count && exit == CTL_OK; i++) {
		const char *below =
		    arena_printf(target->arena, "%s/%s", path, names[i]);

		CHECK(below != NULL);
		exit = each(target, folder, below, names[i]);
	}
	if (folder >= 0)
		(void)close(folder);
	return exit;
}

static enum ctl_exit
sweep_idp(struct target *target, int folder, const char *path, const char *name)
{
	char document[CTL_PATH_NAME_MAX + 16];
	enum ctl_exit exit = sweep(target, folder, path, name, remove_file);
	int len = snprintf(document, sizeof document, "%s/idp.yaml", path);

	if (exit != CTL_OK || len < 0 || (size_t)len >= sizeof document ||
	    json_object_get(target->files, document) != NULL)
		return exit;
	/* Its author's own files, tests for instance, keep it. */
	(void)unlinkat(folder, name, AT_REMOVEDIR);
	return CTL_OK;
}

static enum ctl_exit
remove_gone(struct target *target)
{
	static const char *const settings[] = {
	    "realm.yaml", "scopes.yaml", "properties.yaml"};
	enum ctl_exit exit = CTL_OK;

	for (size_t i = 0; i < 3 && exit == CTL_OK; i++) {
		if (faccessat(target->root, settings[i], F_OK,
			AT_SYMLINK_NOFOLLOW) == 0)
			exit = remove_file(
			    target, target->root, settings[i], settings[i]);
	}
	if (exit == CTL_OK)
		exit = sweep(
		    target, target->root, "clients", "clients", remove_file);
	if (exit == CTL_OK)
		exit = sweep(target, target->root, "api-clients", "api-clients",
		    remove_file);
	if (exit == CTL_OK)
		exit = sweep(target, target->root, "idps", "idps", sweep_idp);
	return exit;
}

/* ---- the command --------------------------------------------------------- */

static void
say_done(const struct ctl_call *call, const struct target *target,
    const json_t *answer)
{
	const char *revision = ctl_json_text(answer, "revision");
	json_t *done;

	if (!ctl_api_wants_json(call)) {
		ctl_out_note("%s: %zu files written, %zu unchanged, %zu "
			     "removed",
		    target->directory, target->written, target->unchanged,
		    target->removed);
		return;
	}
	done = json_pack("{s:s*, s:I, s:I, s:I}", "revision", revision,
	    "written", (json_int_t)target->written, "unchanged",
	    (json_int_t)target->unchanged, "removed",
	    (json_int_t)target->removed);
	ctl_json_print(done);
	json_decref(done);
}

static enum ctl_exit
write_export(const struct ctl_call *call, const json_t *answer)
{
	json_t *files = json_object_get(answer, "files");
	struct target target = {.directory = ctl_command_argument(call, 0),
	    .root = -1,
	    .arena = arena_new(ARENA_BYTES),
	    .files = files};
	enum ctl_exit exit = check_files(files);

	CHECK(target.arena != NULL);
	if (exit == CTL_OK)
		exit = open_directory(call, &target);
	if (exit == CTL_OK)
		exit = write_files(&target, files);
	if (exit == CTL_OK)
		exit = remove_gone(&target);
	if (exit == CTL_OK)
		say_done(call, &target, answer);
	if (target.root >= 0)
		(void)close(target.root);
	arena_free(target.arena);
	return exit;
}

enum ctl_exit
ctl_export(const struct ctl_call *call)
{
	const struct ctl_api_call with = {
	    .activity = "exporting", .answer_max_bytes = CTL_API_REALM_MAX};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(api, "GET", ctl_api_path("realm/export"),
		    &with, &answer, NULL);
	if (exit == CTL_OK)
		exit = write_export(call, answer);
	json_decref(answer);
	ctl_api_close(api);
	return exit;
}
