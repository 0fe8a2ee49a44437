/*
 * Whether a script compiles, asked of a sandboxed postern-runner --compile.
 * Threads: any; blocks up to COMPILE_CHECK_MS.
 */
#ifndef POSTERN_COMPILE_CHECK_H
#define POSTERN_COMPILE_CHECK_H

#include <stdint.h>

#include "common/err.h"
#include "gateway/realm/realm.h"

/* The runner's own limit; a compiler that needs longer is being attacked. */
#define COMPILE_CHECK_MS 2000

/*
 * OK: it compiles. ERR_SYNTAX: it does not; `line_r` (0: unknown) and `detail`
 * say where and why. Anything else: it could not be found out, `detail` says
 * why. What compiled once in this process is not asked again.
 */
enum err
compile_check_run(const char *runner_path, const struct realm_script *script,
    unsigned *line_r, struct err_detail *detail) MUST_USE;

#endif
