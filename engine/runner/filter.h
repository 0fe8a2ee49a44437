/*
 * seccomp filters as programs, built ahead and loaded with one system call.
 * Threads: one.
 */
#ifndef POSTERN_FILTER_H
#define POSTERN_FILTER_H

#include <linux/filter.h>

#include "common/err.h"

/* Whom a filter is for: bits, a rule of filter.c names several. */
enum filter_for {
	FILTER_TEMPLATE = 1, /* may fork a child and what leads to its filter */
	FILTER_CHILD = 2,    /* the last one, on top of the template's */
	FILTER_COMPILE = 4   /* --compile: stdin to stdout and stderr */
};

/* Builds the program; its memory lives as long as the process. Opens and
 * closes a descriptor, so it must come before any other layer. */
enum err filter_build(enum filter_for whom, struct sock_fprog *program_r,
    struct err_detail *detail) MUST_USE;

/* Puts this process under the program for good. Needs no_new_privs. */
enum err filter_load(
    const struct sock_fprog *program, struct err_detail *detail) MUST_USE;

#endif
