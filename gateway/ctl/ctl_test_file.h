/*
 * Files of script tests, *.test.yaml (docs/TESTING-SCRIPTS.md): read, checked
 * as a whole, and each case made into a job for a local engine and what is
 * expected of its outcome. A key that is not known is a mistake with its line.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_TEST_FILE_H
#define POSTERN_CTL_TEST_FILE_H

#include <jansson.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

#define CTL_TEST_FILE_ENDING ".test.yaml"
#define CTL_TEST_FILE_BYTES  ((size_t)4 << 20)

struct ctl_test_case {
	char *name;
	int line;
	json_t *job;    /* members for ctl_script_job()'s document */
	json_t *expect; /* an object; {}: it succeeds */
};

struct ctl_test_file {
	char *script; /* name of the script's file, beside the test's */
	struct ctl_test_case *cases;
	size_t count;
};

/*
 * `name` is the file's own, which names the script where the file does not:
 * complete.test.yaml and complete.password.test.yaml are of complete.js.
 * `shown` is its path for people, in problems. ERR_INVALID: `problems` has a
 * line "FILE:LINE: KEY: sentence" for each mistake. ERR_NOMEM.
 */
enum err
ctl_test_file_read(const char *name, const char *shown, struct span bytes,
    struct buf *problems, struct ctl_test_file *file_r) MUST_USE;

void ctl_test_file_fini(struct ctl_test_file *file);

#endif
