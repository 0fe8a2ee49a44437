/*
 * postern-runner --compile and --check-sandbox as the gateway and an operator
 * start them: the real executable, stdin, stdout and the exit status.
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/runner/runner.h"

extern char **environ;

#define OUTPUT_BYTES 8192

static void
runner_path(char path_r[PATH_MAX])
{
	char self[PATH_MAX] = {0};
	char *slash;

	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	slash = strrchr(self, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_true(snprintf(path_r, PATH_MAX, "%s/../bin/postern-runner",
			self) < PATH_MAX);
}

/* Runs it with `input` on stdin; files, so that nothing can block. */
static int
run(char *const argv[], const void *input, size_t len, char *output_r)
{
	char path[PATH_MAX];
	int in = memfd_create("in", MFD_CLOEXEC);
	int out = memfd_create("out", MFD_CLOEXEC);
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;
	ssize_t n;

	runner_path(path);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(write(in, input, len), (ssize_t)len);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in, 0), 0);
	assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out, 1), 0);
	assert_int_equal(
	    posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = pread(out, output_r, OUTPUT_BYTES - 1, 0);
	assert_true(n >= 0);
	output_r[n] = '\0';
	(void)close(in);
	(void)close(out);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
compile(const void *input, size_t len, char *output_r)
{
	char name[] = "postern-runner", flag[] = "--compile", file[] = "x.js";
	char *const argv[] = {name, flag, file, NULL};

	return run(argv, input, len, output_r);
}

static void
assert_compiles(const char *source, int status, const char *output)
{
	char actual[OUTPUT_BYTES];

	assert_int_equal(compile(source, strlen(source), actual), status);
	if (strncmp(actual, output, strlen(output)) != 0)
		fail_msg("%s: %s", source, actual);
}

static void
test_compile(void **state)
{
	(void)state;
	assert_compiles("function execute() {}", RUNNER_EXIT_DONE, "");
	assert_compiles("", RUNNER_EXIT_DONE, "");
	/* Never run: it would throw, or not end. */
	assert_compiles("throw 1; for (;;) {}", RUNNER_EXIT_DONE, "");
	assert_compiles(
	    "var a;\nvar = 1;\n", RUNNER_EXIT_SYNTAX, "2\nSyntaxError: ");
	assert_compiles("a\n\n)", RUNNER_EXIT_SYNTAX, "3\nSyntaxError: ");
	assert_compiles("'\xff'", RUNNER_EXIT_SYNTAX, "0\nnot valid UTF-8\n");
}

static void
test_sizes(void **state)
{
	const size_t most = RUNNER_SOURCE_MAX_BYTES;
	char *source = malloc(most + 1);
	char output[OUTPUT_BYTES];

	(void)state;
	assert_non_null(source);
	memset(source, ' ', most + 1);
	assert_int_equal(compile(source, most, output), RUNNER_EXIT_DONE);
	assert_int_equal(compile(source, most + 1, output), RUNNER_EXIT_USAGE);
	memset(source, '[', most);
	assert_int_equal(compile(source, most, output), RUNNER_EXIT_SYNTAX);
	free(source);
}

static void
test_check_sandbox(void **state)
{
	char name[] = "postern-runner", flag[] = "--check-sandbox";
	char *const argv[] = {name, flag, NULL};
	char output[OUTPUT_BYTES];
	int status = run(argv, "", 0, output);

	(void)state;
	assert_non_null(strstr(output, "landlock "));
	assert_non_null(strstr(output, "seccomp "));
	/* A kernel may lack a layer; then the answer must say so. */
	assert_int_equal(status, strstr(output, " off ") == NULL
				     ? RUNNER_EXIT_DONE
				     : RUNNER_EXIT_LAYER_OFF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compile),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_check_sandbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
