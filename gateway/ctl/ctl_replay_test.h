/*
 * A recording as a test file (docs/TESTING-SCRIPTS.md): what the execution was
 * given and told, and what came of it when it was run again here.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_REPLAY_TEST_H
#define POSTERN_CTL_REPLAY_TEST_H

#include <jansson.h>

#include "common/buf.h"

/* Appends a file of one case. `job` and `outcome` have nothing in them that
 * may not lie in a repository (ctl_replay_masked()). */
void ctl_replay_test_append(struct buf *out, const json_t *recording,
    const json_t *job, const json_t *outcome);

#endif
