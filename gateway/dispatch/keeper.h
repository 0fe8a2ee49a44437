/*
 * All that happens in the dispatcher because time passed.
 */
#ifndef POSTERN_KEEPER_H
#define POSTERN_KEEPER_H

#include "gateway/dispatch/jobs.h"

/* Starts the two threads: one looks at jobs and engines, the other sends the
 * listener its self-request (which blocks). They run until the process ends. */
enum err keeper_start(struct dispatch *d, struct err_detail *detail) MUST_USE;

/* One look, for the thread and for tests: lost engines past their grace,
 * silent ones, jobs nobody acknowledged. Not locked. */
void keeper_look(struct dispatch *d);

#endif
