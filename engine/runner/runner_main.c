/*
 * The executable postern-runner. Apart from runner.c so that a test build can
 * link the same modes with hostile native functions added.
 */
#include <stdio.h>
#include <unistd.h>

#include "engine/runner/runner.h"

int
main(int argc, char **argv)
{
	int status = runner_run(argc, argv, NULL);

	/* Nothing registered at exit may run inside the sandbox. */
	(void)fflush(stdout);
	_exit(status);
}
