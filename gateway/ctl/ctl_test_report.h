/*
 * The results of script tests, for people and for programs.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_TEST_REPORT_H
#define POSTERN_CTL_TEST_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* One case, or what kept a file's cases from being run. */
struct ctl_test_result {
	const char *file; /* its path, for people */
	const char *name;
	int line;
	bool passed;
	int64_t wall_us;
	struct buf differences; /* "" if it passed */
};

/* On stdout: each file, its cases, and how many there were. */
void ctl_test_report_text(const struct ctl_test_result *results, size_t count);

/* On stdout: Test Anything Protocol, version 13. */
void ctl_test_report_tap(const struct ctl_test_result *results, size_t count);

/* Appends a JUnit document. */
void ctl_test_report_junit(
    const struct ctl_test_result *results, size_t count, struct buf *out);

#endif
