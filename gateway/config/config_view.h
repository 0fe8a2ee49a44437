/*
 * Making a view of canonical files. Private to config/; what a view is:
 * config.h. Threads: any; a view never changes.
 */
#ifndef POSTERN_CONFIG_VIEW_H
#define POSTERN_CONFIG_VIEW_H

#include "gateway/config/config.h"

/*
 * With one reference; copies the files, which are canonical and sorted by
 * path. ERR_CORRUPT: one of them is no document, `detail` says which.
 */
enum err config_view_new(const struct config_file *files, size_t count,
    const struct config_view **view_r, struct err_detail *detail) MUST_USE;

/* Another reference on a view that the caller has one on. */
void config_view_hold(const struct config_view *view);

#endif
