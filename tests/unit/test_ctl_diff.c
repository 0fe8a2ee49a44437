/*
 * Unified diffs: their text for known cases; and for many pairs of texts that
 * the diff, applied to the old text, gives the new one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/ctl_diff.h"

#define DIFF_BYTES ((size_t)1 << 22)

static void
expect(const char *before, const char *after, const char *diff)
{
	struct buf out;

	buf_init(&out, DIFF_BYTES);
	assert_int_equal(
	    ctl_diff(&out, "f", span_str(before), span_str(after)), OK);
	assert_string_equal(buf_cstr(&out), diff);
	buf_fini(&out);
}

static void
test_equal_texts_have_none(void **state)
{
	(void)state;
	expect("", "", "");
	expect("a\nb\n", "a\nb\n", "");
	expect(NULL, NULL, "");
}

static void
test_a_changed_line(void **state)
{
	(void)state;
	expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
	    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n"
	    " 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void
test_files_that_come_and_go(void **state)
{
	(void)state;
	expect(NULL, "a\nb\n",
	    "diff --git a/f b/f\nnew file\n--- /dev/null\n+++ b/f\n"
	    "@@ -0,0 +1,2 @@\n+a\n+b\n");
	expect("a\n", NULL,
	    "diff --git a/f b/f\ndeleted file\n--- a/f\n+++ /dev/null\n"
	    "@@ -1 +0,0 @@\n-a\n");
	expect(
	    NULL, "", "diff --git a/f b/f\nnew file\n--- /dev/null\n+++ b/f\n");
}

static void
test_a_missing_newline_is_told(void **state)
{
	(void)state;
	expect("a\n", "a",
	    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+a\n"
	    "\\ No newline at end of file\n");
}

static void
test_near_changes_share_a_hunk_and_far_ones_do_not(void **state)
{
	const char *near_diff =
	    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n"
	    "-1\n+A\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+B\n";
	const char *far_diff =
	    "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n"
	    "-1\n+A\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+B\n";

	(void)state;
	expect(
	    "1\n2\n3\n4\n5\n6\n7\n8\n", "A\n2\n3\n4\n5\n6\n7\nB\n", near_diff);
	expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "A\n2\n3\n4\n5\n6\n7\n8\nB\n",
	    far_diff);
}

/* ---- applied, it gives the new text -------------------------------------- */

static const char *
next_line(const char *text)
{
	const char *end = strchr(text, '\n');

	assert_non_null(end);
	return end + 1;
}

/* A line of a hunk without its mark; its newline too where `more` says that
 * there is none. */
static void
append_line(struct buf *out, const char *line)
{
	const char *end = next_line(line);

	buf_append(out, line + 1, (size_t)(end - line) - 1);
	if (*end == '\\')
		out->len--;
}

/* A patch(1) for one file whose context must fit. */
static void
apply(const char *before, const char *diff, struct buf *out)
{
	size_t at = 0;

	while (*diff != '\0' && *diff != '@')
		diff = next_line(diff);
	while (*diff == '@') {
		struct buf old;
		char *end;
		size_t line = strtoul(diff + 4, &end, 10);
		bool is_empty = strncmp(end, ",0 ", 3) == 0;

		buf_init(&old, DIFF_BYTES);
		for (size_t n = is_empty ? line : line - 1; n > at; at++) {
			buf_append(
			    out, before, (size_t)(next_line(before) - before));
			before = next_line(before);
		}
		diff = next_line(diff);
		for (; *diff != '\0' && *diff != '@'; diff = next_line(diff)) {
			if (*diff == ' ' || *diff == '-') {
				append_line(&old, diff);
				at++;
			}
			if (*diff == ' ' || *diff == '+')
				append_line(out, diff);
		}
		assert_memory_equal(
		    before, old.len == 0 ? "" : (char *)old.data, old.len);
		before += old.len;
		buf_fini(&old);
	}
	buf_append_str(out, before);
}

/* Lines of a few kinds, so that many are alike; repeatable. */
static void
make_text(uint32_t *seed, size_t lines, char *out_r)
{
	for (size_t i = 0; i < lines; i++) {
		*seed = *seed * 1664525 + 1013904223;
		*out_r++ = (char)('a' + (*seed >> 24) % 5);
		*out_r++ = '\n';
	}
	if (lines > 0 && (*seed >> 16 & 7) == 0)
		out_r--;
	*out_r = '\0';
}

static void
test_applied_it_gives_the_new_text(void **state)
{
	char before[128], after[128];
	uint32_t seed = 20261122;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct buf diff, result;

		make_text(&seed, seed >> 8 & 31, before);
		make_text(&seed, seed >> 9 & 31, after);
		buf_init(&diff, DIFF_BYTES);
		buf_init(&result, DIFF_BYTES);
		assert_int_equal(
		    ctl_diff(&diff, "f", span_str(before), span_str(after)),
		    OK);
		apply(before, buf_cstr(&diff), &result);
		assert_string_equal(buf_cstr(&result), after);
		buf_fini(&diff);
		buf_fini(&result);
	}
}

/* Beyond the edits it looks for, the whole is replaced. */
static void
test_long_texts_with_nothing_in_common(void **state)
{
	size_t lines = 3000;
	char *before = calloc(lines, 2);
	char *after = calloc(lines, 2);
	struct buf diff, result;

	(void)state;
	for (size_t i = 0; i + 1 < lines; i++) {
		memcpy(before + 2 * i, "a\n", 2);
		memcpy(after + 2 * i, "b\n", 2);
	}
	buf_init(&diff, DIFF_BYTES);
	buf_init(&result, DIFF_BYTES);
	assert_int_equal(
	    ctl_diff(&diff, "f", span_str(before), span_str(after)), OK);
	apply(before, buf_cstr(&diff), &result);
	assert_string_equal(buf_cstr(&result), after);
	buf_fini(&diff);
	buf_fini(&result);
	free(before);
	free(after);
}

static void
test_a_full_buffer_is_an_error(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(
	    ctl_diff(&out, "f", span_str("a\n"), span_str("b\n")), ERR_LIMIT);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_equal_texts_have_none),
	    cmocka_unit_test(test_a_changed_line),
	    cmocka_unit_test(test_files_that_come_and_go),
	    cmocka_unit_test(test_a_missing_newline_is_told),
	    cmocka_unit_test(
		test_near_changes_share_a_hunk_and_far_ones_do_not),
	    cmocka_unit_test(test_applied_it_gives_the_new_text),
	    cmocka_unit_test(test_long_texts_with_nothing_in_common),
	    cmocka_unit_test(test_a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
