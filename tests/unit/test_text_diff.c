/*
 * text_diff: what it says, and that what it says leads from one text to the
 * other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text_diff.h"

#define DIFF_BYTES ((size_t)1 << 20)

static const char *
diff_of(struct buf *out, const char *before, const char *after)
{
	buf_init(out, DIFF_BYTES);
	assert_int_equal(
	    text_diff(out, "f.js", span_str(before), span_str(after)), OK);
	return buf_cstr(out);
}

static void
expect_diff(const char *before, const char *after, const char *expected)
{
	struct buf out;

	assert_string_equal(diff_of(&out, before, after), expected);
	buf_fini(&out);
}

static void
test_what_it_says(void **state)
{
	(void)state;
	expect_diff("a\nb\n", "a\nb\n", "");
	expect_diff("a\nb\nc\n", "a\nx\nc\n",
	    "diff --git a/f.js b/f.js\n--- a/f.js\n+++ b/f.js\n"
	    "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
	expect_diff(NULL, "a\n",
	    "diff --git a/f.js b/f.js\nnew file\n--- /dev/null\n+++ b/f.js\n"
	    "@@ -0,0 +1 @@\n+a\n");
	expect_diff("a\n", NULL,
	    "diff --git a/f.js b/f.js\ndeleted file\n--- a/f.js\n"
	    "+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
	expect_diff("a", "a\n",
	    "diff --git a/f.js b/f.js\n--- a/f.js\n+++ b/f.js\n"
	    "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

static void
test_far_changes_are_two_hunks(void **state)
{
	static const char *const before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
	static const char *const after = "x\n2\n3\n4\n5\n6\n7\n8\n9\ny\n";

	(void)state;
	expect_diff(before, after,
	    "diff --git a/f.js b/f.js\n--- a/f.js\n+++ b/f.js\n"
	    "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
	    "@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-10\n+y\n");
}

static void
test_limit(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(
	    text_diff(&out, "f.js", span_str("a"), span_str("b")), ERR_LIMIT);
	buf_fini(&out);
}

/* ---- applied ------------------------------------------------------------- */

/* Appends lines of `text` from *at until line `until`; *at moves. */
static const char *
copy_lines(struct buf *out, const char *text, size_t *at, size_t until)
{
	while (*at < until) {
		const char *end = strchr(text, '\n');

		assert_non_null(end);
		buf_append(out, text, (size_t)(end - text) + 1);
		text = end + 1;
		(*at)++;
	}
	return text;
}

/* `before` with the diff applied; every line of it ends in a newline. */
static void
apply(const char *diff, const char *before, struct buf *out)
{
	size_t at = 0, a, a_count;
	const char *end;

	for (; *diff != '\0'; diff = end + 1) {
		end = strchr(diff, '\n');
		assert_non_null(end);
		if (sscanf(diff, "@@ -%zu,%zu", &a, &a_count) == 2 ||
		    (a_count = 1, sscanf(diff, "@@ -%zu ", &a) == 1)) {
			before = copy_lines(
			    out, before, &at, a_count == 0 ? a : a - 1);
		} else if (*diff == '+' && strncmp(diff, "+++ ", 4) != 0) {
			buf_append(out, diff + 1, (size_t)(end - diff));
		} else if ((*diff == '-' && strncmp(diff, "--- ", 4) != 0) ||
			   *diff == ' ') {
			assert_int_equal(
			    strncmp(before, diff + 1, (size_t)(end - diff)), 0);
			if (*diff == ' ')
				buf_append(out, diff + 1, (size_t)(end - diff));
			before += end - diff;
			at++;
		}
	}
	buf_append_str(out, before);
}

static void
expect_applies(const char *before, const char *after)
{
	struct buf diff, result;

	buf_init(&result, DIFF_BYTES);
	apply(diff_of(&diff, before, after), before, &result);
	assert_string_equal(result.len == 0 ? "" : buf_cstr(&result), after);
	buf_fini(&diff);
	buf_fini(&result);
}

/* A text of up to `max` lines, each one of `kinds`. */
static char *
random_text(unsigned *seed, int max, int kinds)
{
	int lines = rand_r(seed) % (max + 1);
	char *text = calloc((size_t)lines * 8 + 1, 1);
	size_t len = 0;

	assert_non_null(text);
	for (int i = 0; i < lines; i++)
		len += (size_t)snprintf(
		    text + len, 8, "%d\n", rand_r(seed) % kinds);
	return text;
}

static void
test_diffs_apply(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int kinds = 1 + i % 7;
		char *before = random_text(&seed, 24, kinds);
		char *after = random_text(&seed, 24, kinds);

		expect_applies(before, after);
		free(before);
		free(after);
	}
}

/* Beyond the bound of edits it is one stretch, and still right. */
static void
test_nothing_in_common(void **state)
{
	unsigned seed = 7;
	char *before = random_text(&seed, 4000, 100000);
	char *after = random_text(&seed, 4000, 100000);

	(void)state;
	expect_applies(before, after);
	free(before);
	free(after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_it_says),
	    cmocka_unit_test(test_far_changes_are_two_hunks),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_diffs_apply),
	    cmocka_unit_test(test_nothing_in_common),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
