/*
 * What came against what was expected, told so that one sees what to mend.
 *
 * Threads: any.
 */
#ifndef POSTERN_CTL_TEST_COMPARE_H
#define POSTERN_CTL_TEST_COMPARE_H

#include <jansson.h>

#include "common/buf.h"

/*
 * Compares an outcome of the local engine with a case's expect. Appends for
 * each difference lines like
 *
 *	payload.message
 *	  - "Welcome"
 *	  + "Hello"
 *
 * where - is expected. Returns how many there are.
 */
unsigned
ctl_test_compare(const json_t *expect, const json_t *outcome, struct buf *out);

#endif
