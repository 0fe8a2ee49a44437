/*
 * What the runner's files share: its modes, its exit codes, its descriptor.
 *
 * The runner is one executable of one thread. It never links nng, sqlite or
 * an HTTP or TLS library; whatever reaches it can only come over descriptor 3.
 */
#ifndef POSTERN_RUNNER_H
#define POSTERN_RUNNER_H

#include <stddef.h>

#include "engine/runner/runner_exit.h"
#include "engine/runner/vm.h"

/* The one descriptor of template and child. */
#define RUNNER_FD 3

/* While a template loads: the memfd of its heap's image. */
#define RUNNER_IMAGE_FD 4

/* Source accepted by --compile; the wire's limit for a script. */
#define RUNNER_SOURCE_MAX_BYTES (512 * 1024)

/* Reads the flags and runs the mode they name; the process's exit status.
 * `extra` adds globals of a test build, NULL in the real one. */
int runner_run(int argc, char **argv, vm_extra_fn extra);

#endif
