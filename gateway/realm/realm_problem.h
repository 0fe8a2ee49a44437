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

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Enough to mend a realm in a few rounds, little enough to read. */
#define REALM_PROBLEMS_MAX 100

/* Where something was found. */
struct realm_place {
	const char *file; /* relative to the realm directory */
	int line;         /* from 1; 0: none */
	const char *key;  /* NULL: none */
};

/* One of them, for those who want no lines. Borrowed by the call. */
struct realm_problem {
	bool warning;
	struct realm_place place;
	const char *message;
};

struct realm_problems {
	struct buf *out; /* the caller's lines; NULL: none wanted */
	/* NULL: not wanted. Called for those that are listed. */
	void (*each)(void *user, const struct realm_problem *problem);
	void *user;
	size_t mistakes; /* all of them, also those not listed */
	size_t lines;
};

void
realm_problem_add(struct realm_problems *problems, struct realm_place place,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As realm_problem_add(), but does not fail the load. */
void
realm_problem_warn(struct realm_problems *problems, struct realm_place place,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The last of them, where there are more than are listed. */
void realm_problem_close(struct realm_problems *problems);

#endif
