/*
 * The list of mistakes and warnings of one load, as lines for the operator.
 *
 * A line reads "FILE:LINE: KEY: sentence", without what does not apply (line 0,
 * key NULL). A value of a setting is never part of it: it may be a secret.
 *
 * Threads: one at a time, the loader's.
 */
#ifndef POSTERN_REALM_PROBLEM_H
#define POSTERN_REALM_PROBLEM_H

#include <stddef.h>

#include "common/buf.h"

/* Enough to mend a realm in a few rounds, little enough to read. */
#define REALM_PROBLEMS_MAX 100

struct realm_problems {
	struct buf *out; /* the caller's */
	size_t mistakes; /* all of them, also those not listed */
	size_t lines;
};

/* Where something was found. */
struct realm_place {
	const char *file; /* relative to the realm directory */
	int line;         /* from 1; 0: none */
	const char *key;  /* NULL: none */
};

void
realm_problem_add(struct realm_problems *problems, struct realm_place place,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As realm_problem_add(), but does not fail the load. */
void
realm_problem_warn(struct realm_problems *problems, struct realm_place place,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The last line, where there are more than are listed. */
void realm_problem_close(struct realm_problems *problems);

#endif
