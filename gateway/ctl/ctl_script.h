/*
 * A script file and what surrounds it as a job for a local engine: which
 * script of which identity provider it is, and what its realm's directory
 * says of limits and properties.
 *
 * DIR/idps/IDP/complete.js with DIR/realm.yaml or DIR/properties.yaml is a
 * script of a realm; any other file stands for itself.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_SCRIPT_H
#define POSTERN_CTL_SCRIPT_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

/*
 * A job without arguments: idp, script, file, source, properties, keys,
 * sensitive, limits, cache_ttl_secs, http_allow. `kind` NULL: by the file's
 * name. ERR_INVALID: `problems` has lines where the realm has mistakes.
 */
enum err ctl_script_job(const char *path, const char *kind,
    struct buf *problems, json_t **job_r, struct err_detail *detail) MUST_USE;

#endif
