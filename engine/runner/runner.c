/*
 * postern-runner's flags and modes (see runner.h). Not the modes themselves.
 */
#include "engine/runner/runner.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding.h"
#include "engine/runner/compile.h"
#include "engine/runner/sandbox.h"
#include "engine/runner/template.h"

/* (uid_t)-1 means "no change" to the kernel, so it is no uid. */
#define UID_MAX 4294967294LL

enum mode { MODE_NONE, MODE_TEMPLATE, MODE_COMPILE, MODE_CHECK };

enum flag {
	FLAG_TEMPLATE = 256,
	FLAG_COMPILE,
	FLAG_CHECK,
	FLAG_UID,
	FLAG_ALLOW,
	FLAG_VERSION,
	FLAG_HELP
};

static const struct option flags[] = {
    {"template", no_argument, NULL, FLAG_TEMPLATE},
    {"compile", required_argument, NULL, FLAG_COMPILE},
    {"check-sandbox", no_argument, NULL, FLAG_CHECK},
    {"uid", required_argument, NULL, FLAG_UID},
    {"allow-missing-layers", no_argument, NULL, FLAG_ALLOW},
    {"version", no_argument, NULL, FLAG_VERSION},
    {"help", no_argument, NULL, FLAG_HELP},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "postern-runner --template [--uid N] [--allow-missing-layers]\n"
    "    holds one script and forks its executions (descriptor 3: the engine)\n"
    "postern-runner --compile NAME\n"
    "    compiles the script on stdin, runs nothing; 0: fine, 65: does not\n"
    "    compile (line and message on stdout)\n"
    "postern-runner --check-sandbox [--uid N]\n"
    "    tries each layer of the sandbox; 0: all are on\n"
    "--uid is for starting as root only: scripts then run as that user\n";

struct request {
	enum mode mode;
	const char *name;
	struct sandbox sandbox;
};

static bool
parse_uid(const char *text, int64_t *uid_r)
{
	char *end;
	long long uid;

	errno = 0;
	uid = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || uid < 1 ||
	    uid > UID_MAX)
		return false;
	*uid_r = uid;
	return true;
}

/* False: not a flag or not its value. */
static bool
take_flag(int flag, struct request *request)
{
	switch (flag) {
	case FLAG_TEMPLATE:
		request->mode = MODE_TEMPLATE;
		return true;
	case FLAG_COMPILE:
		request->mode = MODE_COMPILE;
		request->name = optarg;
		return strlen(optarg) <= OUTCOME_FILE_MAX_BYTES &&
		       utf8_is_valid(span_str(optarg));
	case FLAG_CHECK:
		request->mode = MODE_CHECK;
		return true;
	case FLAG_UID:
		return parse_uid(optarg, &request->sandbox.uid);
	case FLAG_ALLOW:
		request->sandbox.allow_missing = true;
		return true;
	case FLAG_VERSION:
		puts("postern-runner " POSTERN_VERSION);
		exit(RUNNER_EXIT_DONE);
	case FLAG_HELP:
		fputs(usage, stdout);
		exit(RUNNER_EXIT_DONE);
	default:
		return false;
	}
}

/* What the engine blocked or ignored must not hold here. */
static void
reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
	(void)signal(SIGXCPU, SIG_DFL);
}

int
runner_run(int argc, char **argv, vm_extra_fn extra)
{
	struct request request = {.sandbox = {.uid = -1}};
	int flag;

	reset_signals();
	request.sandbox.engine = getppid();
	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1)
		if (!take_flag(flag, &request)) {
			fputs(usage, stderr);
			return RUNNER_EXIT_USAGE;
		}
	switch (request.mode) {
	case MODE_TEMPLATE:
		return template_main(&request.sandbox, extra);
	case MODE_COMPILE:
		return compile_main(&request.sandbox, request.name);
	case MODE_CHECK:
		return sandbox_report(&request.sandbox, stdout)
			   ? RUNNER_EXIT_DONE
			   : RUNNER_EXIT_LAYER_OFF;
	case MODE_NONE:
		break;
	}
	fputs(usage, stderr);
	return RUNNER_EXIT_USAGE;
}
