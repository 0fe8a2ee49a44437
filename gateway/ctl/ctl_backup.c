/*
 * backup: the gateway's store into a file. Restoring is the gateway's own
 * affair, since then it does not run. Runs in `postern`, which has one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_resource.h"

/* Copying takes as long as the store is large, and the network slow. */
#define TIMEOUT_MS (3600 * (int64_t)1000)

/* Until it is whole: beside it, so that it can be renamed. */
#define SUFFIX ".part"

/* How an SQLite file begins, its NUL included. */
#define MAGIC       "SQLite format 3"
#define MAGIC_BYTES sizeof MAGIC

struct target {
	const char *path;
	char part[PATH_MAX];
	int file;
};

static enum ctl_exit
say_errno(const char *what, const char *path)
{
	return ctl_out_error(
	    CTL_FAILED, "%s %s: %s", what, path, strerror(errno));
}

static enum ctl_exit
open_part(struct target *target, bool force)
{
	struct stat status;
	int len = snprintf(
	    target->part, sizeof target->part, "%s" SUFFIX, target->path);

	if (len < 0 || (size_t)len >= sizeof target->part)
		return ctl_out_error(CTL_USAGE, "FILE: the path is too long");
	if (!force && lstat(target->path, &status) == 0)
		return ctl_out_error(CTL_CONFLICT,
		    "%s is there already: choose another name, or --force",
		    target->path);
	/* Of an earlier one that was interrupted. */
	(void)unlink(target->part);
	target->file = open(target->part,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return target->file < 0 ? say_errno("cannot make", target->part)
				: CTL_OK;
}

static enum ctl_exit
check_magic(const struct target *target)
{
	char bytes[MAGIC_BYTES] = "";

	if (pread(target->file, bytes, sizeof bytes, 0) ==
		(ssize_t)sizeof bytes &&
	    memcmp(bytes, MAGIC, sizeof bytes) == 0)
		return CTL_OK;
	return ctl_out_error(CTL_UNREACHABLE, "the gateway answered no backup");
}

static enum ctl_exit
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	enum ctl_exit exit = CTL_OK;
	int fd;

	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(len == 0 ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		exit = say_errno("cannot sync the folder of", path);
	if (fd >= 0)
		(void)close(fd);
	return exit;
}

/* A name that is there stands for a whole backup on disk. */
static enum ctl_exit
keep(const struct target *target)
{
	if (fsync(target->file) != 0)
		return say_errno("cannot write", target->part);
	if (rename(target->part, target->path) != 0)
		return say_errno("cannot make", target->path);
	return sync_folder(target->path);
}

static enum ctl_exit
fetch(const struct ctl_call *call, const struct target *target)
{
	const struct ctl_api_call with = {.file = &target->file,
	    .activity = "backing up",
	    .timeout_ms =
		ctl_command_option(call, OPT_TIMEOUT) == NULL ? TIMEOUT_MS : 0};
	struct ctl_api *api = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(
		    api, "GET", ctl_api_path("backup"), &with, NULL, NULL);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_backup(const struct ctl_call *call)
{
	struct target target = {
	    .path = ctl_command_argument(call, 0), .file = -1};
	enum ctl_exit exit =
	    open_part(&target, ctl_command_option(call, OPT_FORCE) != NULL);

	if (exit == CTL_OK)
		exit = fetch(call, &target);
	if (exit == CTL_OK)
		exit = check_magic(&target);
	if (exit == CTL_OK)
		exit = keep(&target);
	if (exit != CTL_OK && target.file >= 0)
		(void)unlink(target.part);
	if (target.file >= 0)
		(void)close(target.file);
	if (exit == CTL_OK)
		ctl_resource_print_done(call,
		    "%s: keep it apart from master.key, without which it is "
		    "nothing",
		    target.path);
	return exit;
}
