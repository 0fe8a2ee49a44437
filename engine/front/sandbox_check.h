/*
 * Which layers of the scripts' sandbox this host can build, by asking the
 * runner before anything is served.
 *
 * Threads: before any was started. Blocks for FRONT_CHECK_SANDBOX_MS at most.
 */
#ifndef POSTERN_SANDBOX_CHECK_H
#define POSTERN_SANDBOX_CHECK_H

#include "common/err.h"
#include "engine/front/front.h"

/*
 * Names of the missing layers, comma-separated, "" if all are there; each is
 * logged. Errors: the runner could not be run or did not answer in time.
 */
enum err
sandbox_check(const char *runner, char missing_r[FRONT_SANDBOX_TEXT_BYTES],
    struct err_detail *detail) MUST_USE;

#endif
