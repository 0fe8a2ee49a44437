/*
 * A realm directory as the documents that the API takes: read as the gateway
 * reads one, regular files (or links to such), each bounded.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_TREE_H
#define POSTERN_CTL_TREE_H

#include <jansson.h>

#include "gateway/ctl/ctl_command.h"

/* A file: larger than any script may be, and the documents of a realm of ten
 * thousand scopes. */
#define CTL_TREE_FILE_MAX ((size_t)4 * 1024 * 1024)

/* All files: what the gateway takes. */
#define CTL_TREE_BYTES_MAX ((size_t)32 * 1024 * 1024)

/* {"path": "text"}. What is wrong is said on stderr, and what is left out. */
enum ctl_exit ctl_tree_read(const char *directory, json_t **files_r);

/* One file of a folder as a JSON string; CTL_NOT_FOUND without a word. */
enum ctl_exit ctl_tree_read_file(
    int folder, const char *shown, const char *name, json_t **text_r);

#endif
