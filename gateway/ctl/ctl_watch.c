/*
 * inotify on folders and what is below them; see ctl_watch.h. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_watch.h"

#include <errno.h>
#include <fts.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ctl/ctl_interrupt.h"

/* An editor's save is a handful of events within a few milliseconds. */
#define QUIET_MS 50
/* A signal between looking for one and waiting is seen after this. */
#define LOOK_MS 500

#define EVENTS                                                      \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | \
	    IN_DELETE | IN_DELETE_SELF)

struct ctl_watch {
	int fd;
};

/* Folders that begin with a dot are tools' own. */
static enum err
add_tree(int fd, const char *path, struct err_detail *detail)
{
	char *roots[] = {(char *)(uintptr_t)path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	enum err err = OK;
	FTSENT *entry;

	if (tree == NULL)
		return err_set_errno(detail, ERR_IO, "%s", path);
	while (err == OK && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info != FTS_D)
			continue;
		if (entry->fts_level > 0 && entry->fts_name[0] == '.')
			(void)fts_set(tree, entry, FTS_SKIP);
		else if (inotify_add_watch(fd, entry->fts_path, EVENTS) < 0 &&
			 errno != ENOENT)
			err = err_set_errno(
			    detail, ERR_IO, "%s", entry->fts_path);
	}
	(void)fts_close(tree);
	return err;
}

/* Of a file its folder, so that an editor may replace the file. */
static enum err
add_path(int fd, const char *path, struct err_detail *detail)
{
	struct stat status;
	char *folder;
	char *slash;
	enum err err = OK;

	if (stat(path, &status) != 0)
		return err_set_errno(detail, ERR_IO, "%s", path);
	if (S_ISDIR(status.st_mode))
		return add_tree(fd, path, detail);
	folder = strdup(path);
	if (folder == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	if (inotify_add_watch(fd, slash == NULL ? "." : folder, EVENTS) < 0)
		err = err_set_errno(detail, ERR_IO, "%s", folder);
	free(folder);
	return err;
}

enum err
ctl_watch_open(const char *const *paths, size_t count,
    struct ctl_watch **watch_r, struct err_detail *detail)
{
	struct ctl_watch *watch = calloc(1, sizeof *watch);
	enum err err = OK;

	if (watch == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0)
		err = err_set_errno(detail, ERR_IO, "inotify");
	for (size_t i = 0; err == OK && i < count; i++)
		err = add_path(watch->fd, paths[i], detail);
	if (err != OK) {
		ctl_watch_close(watch);
		return err;
	}
	*watch_r = watch;
	return OK;
}

/* Scripts, YAML and folders: not a report that is written beside them, nor an
 * editor's files of the moment. */
static bool
is_of_interest(const struct inotify_event *event)
{
	const char *ending = event->len > 0 ? strrchr(event->name, '.') : NULL;

	if ((event->mask & (IN_ISDIR | IN_Q_OVERFLOW | IN_DELETE_SELF)) != 0)
		return true;
	return ending != NULL && event->name[0] != '.' &&
	       (strcmp(ending, ".js") == 0 || strcmp(ending, ".yaml") == 0);
}

/* True: one of them mattered. */
static bool
take_events(int fd)
{
	_Alignas(struct inotify_event) char events[4096];
	bool mattered = false;
	ssize_t got;

	while ((got = read(fd, events, sizeof events)) > 0) {
		for (char *at = events; at < events + got;) {
			const struct inotify_event *event =
			    (const struct inotify_event *)(const void *)at;

			mattered |= is_of_interest(event);
			at += sizeof *event + event->len;
		}
	}
	return mattered;
}

enum err
ctl_watch_wait(struct ctl_watch *watch, struct err_detail *detail)
{
	struct pollfd fd = {.fd = watch->fd, .events = POLLIN};
	bool has_changed = false;
	int ready;

	for (;;) {
		if (ctl_interrupt_came())
			return err_set(detail, ERR_STATE, "interrupted");
		ready = poll(&fd, 1, has_changed ? QUIET_MS : LOOK_MS);
		if (ready == 0 && has_changed)
			return OK;
		if (ready < 0 && errno != EINTR)
			return err_set_errno(detail, ERR_IO, "poll");
		if (ready > 0)
			has_changed |= take_events(watch->fd);
	}
}

void
ctl_watch_close(struct ctl_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->fd >= 0)
		(void)close(watch->fd);
	free(watch);
}
