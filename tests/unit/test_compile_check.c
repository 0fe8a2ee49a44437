/*
 * What compile_check makes of a runner that answers, lies, hangs, floods or is
 * not there. The runners are shell scripts written by the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/clock.h"
#include "gateway/realm/compile_check.h"
#include "realm_fixture.h"

static char *dir;
static char runner[600];

static int
set_up(void **state)
{
	(void)state;
	dir = fixture_temporary();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fixture_remove(dir);
	return 0;
}

/* A new name each: what compiled under one runner is remembered. */
static void
write_runner(const char *name, const char *body)
{
	char text[2000];

	(void)snprintf(text, sizeof text, "#!/bin/sh\n%s\n", body);
	fixture_write(dir, name, text, strlen(text));
	(void)snprintf(runner, sizeof runner, "%s/%s", dir, name);
	assert_int_equal(chmod(runner, 0700), 0);
}

static enum err
check_source(struct span source, unsigned *line_r, struct err_detail *detail)
{
	struct realm_script script = {
	    .file = "I/complete.js", .source = source};

	*line_r = 12345;
	digest_sha256(script.source, script.source_hash);
	return compile_check_run(runner, &script, line_r, detail);
}

static enum err
check(unsigned *line_r, struct err_detail *detail)
{
	*detail = (struct err_detail){{0}};
	return check_source(span_str("var a;\n"), line_r, detail);
}

static void
test_compiles(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	/* Arguments and stdin are what the runner was promised; nothing else
	 * is open, nothing of our environment is there. */
	write_runner("good",
	    "[ \"$1\" = --compile ] && [ \"$2\" = I/complete.js ] || exit 1\n"
	    "[ \"$(/bin/cat)\" = 'var a;' ] || exit 2\n"
	    "[ -z \"$HOME\" ] || exit 3\n"
	    "for fd in 3 4 5 6 7 8 9; do\n"
	    "  [ -e /proc/$$/fd/$fd ] && [ \"$(/bin/readlink "
	    "/proc/$$/fd/$fd)\" != \"$0\" ] && exit 4$fd\n"
	    "done\n"
	    "exit 0");
	assert_int_equal(check(&line, &detail), OK);
	assert_string_equal(detail.text, "");
}

static void
test_does_not_compile(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	write_runner("bad", "printf '7\\nunexpected token\\n'; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(line, 7);
	assert_string_equal(detail.text, "unexpected token");
}

static void
test_good_answer_is_remembered(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	write_runner("once", "[ -e $0.ran ] && exit 65; : > $0.ran; exit 0");
	assert_int_equal(check(&line, &detail), OK);
	assert_int_equal(check(&line, &detail), OK);
	/* Other text is asked again. */
	assert_int_equal(
	    check_source(span_str("b"), &line, &detail), ERR_UNAVAILABLE);
}

static void
test_bad_answer_is_not_remembered(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	write_runner("twice",
	    "[ -e $0.ran ] && exit 0; : > $0.ran; printf '1\\nno\\n'; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(check(&line, &detail), OK);
}

static void
test_garbage(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	write_runner("garbage", "printf '\\001\\377x'; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(line, 0);
	write_runner("huge-line", "printf '99999999999\\nno\\n'; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(line, 0);
	write_runner("silent", "exit 65");
	assert_int_equal(check(&line, &detail), ERR_UNAVAILABLE);
	write_runner("status", "exit 3");
	assert_int_equal(check(&line, &detail), ERR_UNAVAILABLE);
	assert_non_null(strstr(detail.text, "status 3"));
	write_runner("killed", "kill -9 $$");
	assert_int_equal(check(&line, &detail), ERR_UNAVAILABLE);
	assert_non_null(strstr(detail.text, "signal 9"));
}

/* More than any pipe holds, then an ordinary end. */
static void
test_flood(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	write_runner("flood",
	    "printf '3\\nno\\n'; /usr/bin/head -c 1000000 /dev/zero; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(line, 3);
	assert_string_equal(detail.text, "no");
}

/* Killed; also when it closed its output, or a child of it holds it open. */
static void
test_hang(void **state)
{
	struct err_detail detail;
	unsigned line;
	int64_t start_ms = clock_mono_ms();

	(void)state;
	write_runner("hang", "exec >&-; exec /bin/sleep 60");
	assert_int_equal(check(&line, &detail), ERR_TIMEOUT);
	write_runner("leaves", "/bin/sleep 4 & printf '2\\nno\\n'; exit 65");
	assert_int_equal(check(&line, &detail), ERR_SYNTAX);
	assert_int_equal(line, 2);
	assert_true(clock_mono_ms() - start_ms < 30000);
}

/* The source is larger than a pipe and nobody reads it. */
static void
test_source_is_not_read(void **state)
{
	size_t bytes = (size_t)512 << 10;
	char *text = malloc(bytes);
	struct err_detail detail = {{0}};
	unsigned line;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', bytes);
	write_runner("deaf", "exit 0");
	assert_int_equal(
	    check_source(span_of(text, bytes), &line, &detail), OK);
	free(text);
}

static void
test_no_runner(void **state)
{
	struct err_detail detail;
	unsigned line;

	(void)state;
	(void)snprintf(runner, sizeof runner, "%s/nothing", dir);
	assert_int_equal(check(&line, &detail), ERR_UNAVAILABLE);
	assert_non_null(strstr(detail.text, "cannot be run"));
}

/* As the operator sees it. */
static void
test_realm_names_the_line(void **state)
{
	struct realm_sources sources = {.check_only = true};
	const struct realm *realm = NULL;
	struct buf problems;
	char *realm_dir = fixture_temporary();

	(void)state;
	buf_init(&problems, 1 << 20);
	write_runner("picky",
	    "case $2 in OneStep/complete.js) printf '4\\nbad thing\\n'; "
	    "exit 65;; TwoStep/init.js) exit 9;; esac; exit 0");
	sources.runner_path = runner;
	fixture_write_good(realm_dir);
	assert_int_equal(
	    realm_load(realm_dir, &sources, &realm, &problems), ERR_INVALID);
	assert_string_equal(buf_cstr(&problems),
	    "idps/OneStep/complete.js:4: bad thing\n"
	    "idps/TwoStep/init.js: could not be checked: "
	    "the compiler ended with status 9\n");
	buf_fini(&problems);
	fixture_remove(realm_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compiles),
	    cmocka_unit_test(test_does_not_compile),
	    cmocka_unit_test(test_good_answer_is_remembered),
	    cmocka_unit_test(test_bad_answer_is_not_remembered),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_hang),
	    cmocka_unit_test(test_source_is_not_read),
	    cmocka_unit_test(test_no_runner),
	    cmocka_unit_test(test_realm_names_the_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
