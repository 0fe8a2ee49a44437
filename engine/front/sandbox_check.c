/*
 * `postern-runner --check-sandbox` and its answer: one line a layer, "LAYER ok"
 * or "LAYER missing: why". Runs before the loop, so it may block.
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

static void
sandbox_judge(char *output, char *missing)
{
	char *save = NULL;
	char *line;

	for (line = strtok_r(output, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *verdict = strchr(line, ' ');

		if (verdict == NULL)
			continue;
		*verdict++ = '\0';
		if (strncmp(verdict, "missing", strlen("missing")) != 0)
			continue;
		log_error("sandbox layer missing", LOG_STR("layer", line),
		    LOG_STR("why", verdict));
		sandbox_add_missing(missing, line);
	}
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
	sandbox_judge(output, missing);
	if (status != 0 && missing[0] == '\0')
		return err_set(detail, ERR_IO,
		    "%s --check-sandbox failed without naming a layer", runner);
	memcpy(missing_r, missing, sizeof missing);
	return OK;
}
