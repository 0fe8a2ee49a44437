/*
 * One child: a fork of a template that runs one execution and exits, or more
 * if it is told to, each from the pristine heap.
 * Threads: one.
 */
#ifndef POSTERN_CHILD_H
#define POSTERN_CHILD_H

#include "engine/runner/heap_image.h"
#include "engine/runner/sandbox.h"
#include "engine/runner/vm.h"

/* Never returns. `vm` is the template's, loaded and settled, its heap sealed
 * in `image`; `fd` the child's socket, which becomes its only descriptor. */
_Noreturn void child_main(struct vm *vm, const struct heap_image *image,
    const struct sandbox *sandbox, int fd);

#endif
