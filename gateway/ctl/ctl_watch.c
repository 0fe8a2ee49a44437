/*
 * inotify on folders and what is below them; see ctl_watch.h. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_watch.h"

#include <errno.h>
#include <fts.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "gateway/ctl/ctl_interrupt.h"

/* An editor's save is a handful of events within a few milliseconds. */
#define QUIET_MS 50

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

/* The file's folder, so that an editor may replace the file. */
static enum err
add_path(int fd, const char *path, struct err_detail *detail)
{
	char *folder;
	char *slash;
	enum err err = add_tree(fd, path, detail);

	if (err != OK)
		return err;
	folder = strdup(path);
	if (folder == NULL)
		return ERR_NOMEM;
	slash = strrchr(folder, '/');
	if (slash != NULL && slash != folder)
		*slash = '\0';
	/* Of a folder it is the one above, which is no harm; it may be one
	 * that cannot be read. */
	(void)inotify_add_watch(fd, slash == NULL ? "." : folder, EVENTS);
	free(folder);
	return OK;
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

static void
drop_events(int fd)
{
	char events[4096];

	while (read(fd, events, sizeof events) > 0)
		continue;
}

enum err
ctl_watch_wait(struct ctl_watch *watch, struct err_detail *detail)
{
	struct pollfd fd = {.fd = watch->fd, .events = POLLIN};
	int timeout_ms = -1;
	int ready;

	for (;;) {
		if (ctl_interrupt_came())
			return err_set(detail, ERR_STATE, "interrupted");
		ready = poll(&fd, 1, timeout_ms);
		if (ready == 0)
			return OK;
		if (ready < 0 && errno != EINTR)
			return err_set_errno(detail, ERR_IO, "poll");
		if (ready > 0) {
			drop_events(watch->fd);
			timeout_ms = QUIET_MS;
		}
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
