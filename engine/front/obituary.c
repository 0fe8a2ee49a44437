/*
 * Wait status to script code. The runner's own exit statuses are declared in
 * engine/runner/runner_exit.h.
 */
#include "engine/front/obituary.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/runner/runner_exit.h"

static enum script_code
obituary_exit(int code, char *sentence_r, size_t sentence_bytes)
{
	/* Everything runs protected: what is left is an allocation that failed
	 * where the interpreter cannot raise an error. */
	if (code == RUNNER_EXIT_FATAL) {
		(void)snprintf(sentence_r, sentence_bytes,
		    "the script's interpreter gave up for want of memory");
		return SCRIPT_MEMORY;
	}
	if (code == RUNNER_EXIT_SANDBOX)
		(void)snprintf(sentence_r, sentence_bytes,
		    "the script's process could not build its sandbox");
	else
		(void)snprintf(sentence_r, sentence_bytes,
		    "the script's process ended without a result (exit %d)",
		    code);
	return SCRIPT_CRASHED;
}

enum script_code
obituary_code(const int *status, char *sentence_r, size_t sentence_bytes)
{
	const char *name;

	if (status == NULL) {
		(void)snprintf(sentence_r, sentence_bytes,
		    "the script's process closed its socket without a result");
		return SCRIPT_CRASHED;
	}
	if (!WIFSIGNALED(*status))
		return obituary_exit(
		    WIFEXITED(*status) ? WEXITSTATUS(*status) : -1, sentence_r,
		    sentence_bytes);
	if (WTERMSIG(*status) == SIGSYS) {
		(void)snprintf(sentence_r, sentence_bytes,
		    "the script's process made a system call that its sandbox "
		    "forbids");
		return SCRIPT_VIOLATION;
	}
	name = sigabbrev_np(WTERMSIG(*status));
	(void)snprintf(sentence_r, sentence_bytes,
	    "the script's process was killed by SIG%s",
	    name == NULL ? "?" : name);
	return SCRIPT_CRASHED;
}
