/*
 * How runner processes end of themselves: apart from runner.h, because the
 * engine's front reads these and must not see duktape. Threads: any.
 */
#ifndef POSTERN_RUNNER_EXIT_H
#define POSTERN_RUNNER_EXIT_H

/* How a runner process ends of itself; 64 and up as in sysexits.h. */
enum runner_exit {
	RUNNER_EXIT_DONE = 0,
	RUNNER_EXIT_LAYER_OFF = 1, /* --check-sandbox: a layer is off */
	RUNNER_EXIT_USAGE = 64,    /* flags */
	RUNNER_EXIT_SYNTAX = 65,   /* --compile: it does not compile */
	RUNNER_EXIT_FATAL = 70,    /* duktape gave up, or out of memory */
	RUNNER_EXIT_SANDBOX = 71,  /* a mandatory layer cannot be applied */
	RUNNER_EXIT_CHANNEL = 72,  /* the engine vanished or spoke nonsense */
	RUNNER_EXIT_ORPHAN = 73,   /* the engine died while we were forked */
	RUNNER_EXIT_TIMEOUT = 75   /* --compile: not done within its limit */
};

#endif
