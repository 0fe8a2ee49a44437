/*
 * Fuzz target: a file of script tests, its cases and the patterns in them.
 * Every problem is one line of valid text.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/ctl/ctl_test_compare.h"
#include "gateway/ctl/ctl_test_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml leaks on an unclosed quote; see YAML_QUOTE_PAIRS_MAX. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

/* Each expectation against its own job, which is as good as any outcome. */
static void
compare(const struct ctl_test_file *file)
{
	struct buf differences;

	for (size_t i = 0; i < file->count; i++) {
		buf_init(&differences, (size_t)1 << 20);
		(void)ctl_test_compare(
		    file->cases[i].expect, file->cases[i].job, &differences);
		buf_fini(&differences);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_test_file file;
	struct buf problems;

	if (size > CTL_TEST_FILE_BYTES)
		return 0;
	buf_init(&problems, (size_t)1 << 20);
	if (ctl_test_file_read("complete.test.yaml", "file",
		span_of(data, size), &problems, &file) == OK) {
		compare(&file);
		ctl_test_file_fini(&file);
	} else {
		CHECK(problems.len > 0);
	}
	CHECK(utf8_is_valid(buf_span(&problems)));
	buf_fini(&problems);
	return 0;
}
