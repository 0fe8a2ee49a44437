/*
 * --compile: does a script compile? Threads: one.
 */
#ifndef POSTERN_COMPILE_H
#define POSTERN_COMPILE_H

#include "engine/runner/sandbox.h"

/* Checks the script on stdin, `name` in error messages; the exit status. */
int compile_main(struct sandbox *sandbox, const char *name);

#endif
