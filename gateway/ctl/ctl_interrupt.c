/*
 * Signals that ask for an end; see ctl_interrupt.h. Runs in `postern`, which
 * has one thread.
 */
#include "gateway/ctl/ctl_interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t signal_came;

static void
notice(int number)
{
	signal_came = number;
}

void
ctl_interrupt_setup(void)
{
	/* Once: a second one ends a process that does not get to the end. No
	 * SA_RESTART: a read from a terminal is to be given up. */
	struct sigaction action = {
	    .sa_handler = notice, .sa_flags = (int)SA_RESETHAND};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

bool
ctl_interrupt_came(void)
{
	return signal_came != 0;
}

void
ctl_interrupt_obey(void)
{
	if (signal_came == 0)
		return;
	(void)signal(signal_came, SIG_DFL);
	(void)raise(signal_came);
}
