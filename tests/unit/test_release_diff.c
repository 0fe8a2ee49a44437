/*
 * release_diff: scripts and settings of two releases, as files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gateway/config/release_diff.h"

static const struct realm_script first = {
    .source = {(const uint8_t *)"one\ntwo\n", 8}};
static const struct realm_script second = {
    .source = {(const uint8_t *)"one\n2\n", 6}};

static void
expect_diff(const struct release *from, const struct release *to,
    const char *const *wanted, bool empty)
{
	struct buf out;
	const char *text;

	buf_init(&out, 65536);
	assert_int_equal(release_diff(from, to, &out), OK);
	assert_int_equal(out.len == 0, empty);
	text = out.len == 0 ? "" : buf_cstr(&out);
	for (; *wanted != NULL; wanted++)
		if (strstr(text, *wanted) == NULL)
			fail_msg("no %s in %s", *wanted, text);
	buf_fini(&out);
}

static void
test_scripts_and_settings(void **state)
{
	static const char *const nothing[] = {NULL};
	static const char *const changed[] = {
	    "--- a/idps/X/complete.js\n+++ b/idps/X/complete.js\n",
	    " one\n-two\n+2\n", "-  wall_ms: 0\n+  wall_ms: 7\n",
	    "+++ b/idps/X/init.js", "--- /dev/null", NULL};
	static const char *const removed[] = {
	    "--- a/idps/X/init.js\n+++ /dev/null\n", NULL};
	struct release old = {.idp = "X"};
	struct release new = {.idp = "X", .limits = {.wall_ms = 7}};

	(void)state;
	old.scripts[SCRIPT_COMPLETE] = &first;
	new.scripts[SCRIPT_COMPLETE] = &second;
	new.scripts[SCRIPT_INIT] = &first;
	expect_diff(&old, &old, nothing, true);
	expect_diff(&old, &new, changed, false);
	expect_diff(&new, &old, removed, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scripts_and_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
