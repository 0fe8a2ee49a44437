/*
 * `postern-runner --check-sandbox` and its report: one line a layer, its name,
 * "on" or "off", why. Runs before the loop, so it may block.
 */
#include "engine/front/sandbox_check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "engine/front/front_limits.h"
#include "engine/front/runner_spawn.h"
#include "engine/runner/runner_exit.h"

/* A dozen layers with a sentence each. */
#define SANDBOX_OUTPUT_BYTES 4096

/* Reads until end of file or the deadline; false: the latter. */
static bool
sandbox_read(int fd, char *out, size_t out_bytes, int64_t until_ms)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	char rest[256];
	ssize_t got;

	out[0] = '\0';
	for (;;) {
		int64_t left_ms = until_ms - clock_mono_ms();

		if (left_ms <= 0 || poll(&waiting, 1, (int)left_ms) <= 0)
			return false;
		if (len + 1 < out_bytes)
			got = read(fd, out + len, out_bytes - 1 - len);
		else
			got = read(fd, rest, sizeof rest);
		if (got <= 0)
			return got == 0;
		if (len + 1 < out_bytes)
			len += (size_t)got;
		out[len] = '\0';
	}
}

/* Waits for the exit status of a process that closed its output. */
static bool
sandbox_wait(pid_t pid, bool in_time, int *status_r)
{
	if (!in_time)
		kill(pid, SIGKILL); /* ours, and not yet waited for */
	while (waitpid(pid, status_r, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return in_time;
}

static void
sandbox_add_missing(char *missing, const char *layer)
{
	size_t len = strlen(missing);

	(void)snprintf(missing + len, FRONT_SANDBOX_TEXT_BYTES - len, "%s%s",
	    len == 0 ? "" : ",", layer);
}

/* One line of the report. True: it is about a layer. */
static bool
sandbox_judge_line(char *line, char *missing)
{
	char *verdict = line + strcspn(line, " ");

	if (*verdict == '\0')
		return false;
	*verdict++ = '\0';
	verdict += strspn(verdict, " ");
	if (strncmp(verdict, "on ", 3) == 0)
		return true;
	if (strncmp(verdict, "off ", 4) != 0)
		return false;
	if (strstr(verdict, "(optional)") != NULL) {
		log_warn("optional sandbox layer missing",
		    LOG_STR("layer", line), LOG_STR("why", verdict));
		return true;
	}
	log_error("sandbox layer missing", LOG_STR("layer", line),
	    LOG_STR("why", verdict));
	sandbox_add_missing(missing, line);
	return true;
}

/* False: that was no report. */
static bool
sandbox_judge(char *output, char *missing)
{
	unsigned layers = 0;
	char *save = NULL;
	char *line;

	for (line = strtok_r(output, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!sandbox_judge_line(line, missing))
			return false;
		layers++;
	}
	return layers > 0;
}

enum err
sandbox_check(const char *runner, char missing_r[FRONT_SANDBOX_TEXT_BYTES],
    struct err_detail *detail)
{
	int64_t until_ms = clock_mono_ms() + FRONT_CHECK_SANDBOX_MS;
	char missing[FRONT_SANDBOX_TEXT_BYTES] = "";
	char output[SANDBOX_OUTPUT_BYTES];
	int ends[2];
	int status;
	bool in_time;
	pid_t pid;
	enum err err;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(detail, ERR_IO, "pipe");
	err = runner_spawn_check(runner, ends[1], &pid, detail);
	close(ends[1]);
	if (err != OK) {
		close(ends[0]);
		return err;
	}
	in_time = sandbox_read(ends[0], output, sizeof output, until_ms);
	close(ends[0]);
	if (!sandbox_wait(pid, in_time, &status))
		return err_set(detail, ERR_TIMEOUT,
		    "%s --check-sandbox did not answer within %d ms", runner,
		    FRONT_CHECK_SANDBOX_MS);
	/* Exit 1 alone may be an optional layer's. */
	if (!sandbox_judge(output, missing) || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != RUNNER_EXIT_DONE &&
		WEXITSTATUS(status) != RUNNER_EXIT_LAYER_OFF))
		return err_set(detail, ERR_IO,
		    "%s --check-sandbox gave no report", runner);
	memcpy(missing_r, missing, sizeof missing);
	return OK;
}
