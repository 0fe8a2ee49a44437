/*
 * posix_spawn of the runner, and which uid it runs under. Not what is said to
 * it afterwards. Runs on the main thread.
 */
#include "engine/front/runner_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"

/* The runner finds its control socket here. */
#define RUNNER_SOCKET_FD 3
#define RUNNER_ARGS_MAX  6

/* Which descriptor goes where; -1: /dev/null, respectively nothing. */
struct runner_fds {
	int output;
	int socket;
};

static int
runner_actions(
    posix_spawn_file_actions_t *actions, const struct runner_fds *fds)
{
	int error;

	error = posix_spawn_file_actions_addopen(
	    actions, 0, "/dev/null", O_RDONLY, 0);
	if (error == 0 && fds->output >= 0)
		error =
		    posix_spawn_file_actions_adddup2(actions, fds->output, 1);
	if (error == 0 && fds->output < 0)
		error = posix_spawn_file_actions_addopen(
		    actions, 1, "/dev/null", O_WRONLY, 0);
	/* Onto itself it still loses its close-on-exec flag. */
	if (error == 0 && fds->socket >= 0)
		error = posix_spawn_file_actions_adddup2(
		    actions, fds->socket, RUNNER_SOCKET_FD);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(
		    actions, fds->socket >= 0 ? RUNNER_SOCKET_FD + 1 : 3);
	return error;
}

static int
runner_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setflags(
		    attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return error;
}

static enum err
runner_spawn(const char *runner, char *const argv[],
    const struct runner_fds *fds, pid_t *pid_r, struct err_detail *detail)
{
	/* Its environment would be readable by a script's native code. What is
	 * bound at the first call is bound again by each child of a template:
	 * 20 us an execution. */
	static char bind_now[] = "LD_BIND_NOW=1";
	char *environment[3] = {bind_now, NULL, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

#ifdef POSTERN_SANITIZED
	static char options[] = "ASAN_OPTIONS=detect_leaks=0";
	environment[1] = options;
#endif
	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CHECK(posix_spawnattr_init(&attributes) == 0);
	error = runner_actions(&actions, fds);
	if (error == 0)
		error = runner_attributes(&attributes);
	if (error == 0)
		error = posix_spawn(
		    pid_r, runner, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error == 0)
		return OK;
	errno = error;
	return err_set_errno(detail, ERR_IO, "cannot start %s", runner);
}

enum err
runner_spawn_template(const struct front_settings *settings, int socket,
    pid_t *pid_r, struct err_detail *detail)
{
	static unsigned next_uid;
	struct runner_fds fds = {.output = -1, .socket = socket};
	char path[] = "postern-runner";
	char template_flag[] = "--template";
	char missing_flag[] = "--allow-missing-layers";
	char uid_flag[] = "--uid";
	char uid_text[16];
	char *argv[RUNNER_ARGS_MAX] = {path, template_flag};
	unsigned count = 2;

	if (settings->sandbox_missing[0] != '\0')
		argv[count++] = missing_flag;
	if (geteuid() == 0) {
		(void)snprintf(uid_text, sizeof uid_text, "%u",
		    FRONT_UID_BASE + next_uid++ % FRONT_UID_COUNT);
		argv[count++] = uid_flag;
		argv[count++] = uid_text;
	}
	CHECK(count < RUNNER_ARGS_MAX);
	return runner_spawn(settings->runner, argv, &fds, pid_r, detail);
}

enum err
runner_spawn_check(
    const char *runner, int output, pid_t *pid_r, struct err_detail *detail)
{
	struct runner_fds fds = {.output = output, .socket = -1};
	char path[] = "postern-runner";
	char check_flag[] = "--check-sandbox";
	char *argv[] = {path, check_flag, NULL};

	return runner_spawn(runner, argv, &fds, pid_r, detail);
}
