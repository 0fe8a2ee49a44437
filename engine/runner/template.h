/*
 * The template: one release, compiled in a sandbox, forking children.
 * Threads: one.
 */
#ifndef POSTERN_TEMPLATE_H
#define POSTERN_TEMPLATE_H

#include "engine/runner/sandbox.h"
#include "engine/runner/vm.h"

/* Serves the control socket at RUNNER_FD until the engine closes it; the
 * process's exit status. */
int template_main(struct sandbox *sandbox, vm_extra_fn extra);

#endif
