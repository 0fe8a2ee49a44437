/*
 * Waiting until something changes below some folders (inotify).
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_WATCH_H
#define POSTERN_CTL_WATCH_H

#include <stddef.h>

#include "common/err.h"

struct ctl_watch;

/* From now on. A path may also be a file, whose folder is watched then. */
enum err ctl_watch_open(const char *const *paths, size_t count,
    struct ctl_watch **watch_r, struct err_detail *detail) MUST_USE;

/* Until something has changed and nothing more does for a moment. ERR_STATE:
 * a signal came first. */
enum err
ctl_watch_wait(struct ctl_watch *watch, struct err_detail *detail) MUST_USE;

void ctl_watch_close(struct ctl_watch *watch); /* NULL is fine */

#endif
