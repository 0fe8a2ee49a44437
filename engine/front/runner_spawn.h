/*
 * Starting postern-runner. The process gets /dev/null as standard input and
 * output, our standard error for its own last words (it closes that when it
 * builds its sandbox), an empty environment, default signals, and nothing of
 * the engine's descriptors.
 *
 * posix_spawn only: nng panics in a forked child.
 * Threads: the main one.
 */
#ifndef POSTERN_RUNNER_SPAWN_H
#define POSTERN_RUNNER_SPAWN_H

#include <sys/types.h>

#include "common/err.h"
#include "engine/front/front.h"

/* `socket` becomes its descriptor 3. Started as root, each template gets a uid
 * of its own (FRONT_UID_BASE). ERR_IO. */
enum err runner_spawn_template(const struct front_settings *settings,
    int socket, pid_t *pid_r, struct err_detail *detail) MUST_USE;

/* Runs `runner --check-sandbox` with `output` as its standard output. */
enum err runner_spawn_check(const char *runner, int output, pid_t *pid_r,
    struct err_detail *detail) MUST_USE;

#endif
