/* What a wait status means to a script. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/front/obituary.h"
#include "engine/runner/runner_exit.h"

/* As wait4() encodes them. */
#define EXITED(code)   ((code) << 8)
#define SIGNALLED(sig) (sig)

static void
expect(const int *status, enum script_code code, const char *word)
{
	char sentence[256];

	assert_int_equal(
	    obituary_code(status, sentence, sizeof sentence), code);
	assert_non_null(strstr(sentence, word));
}

static void
test_codes(void **state)
{
	const int done = EXITED(0);
	const int fatal = EXITED(RUNNER_EXIT_FATAL);
	const int sandbox = EXITED(RUNNER_EXIT_SANDBOX);
	const int violation = SIGNALLED(SIGSYS);
	const int killed = SIGNALLED(SIGKILL);

	(void)state;
	expect(&done, SCRIPT_CRASHED, "exit 0");
	expect(&fatal, SCRIPT_MEMORY, "memory");
	expect(&sandbox, SCRIPT_CRASHED, "sandbox");
	expect(&violation, SCRIPT_VIOLATION, "forbids");
	expect(&killed, SCRIPT_CRASHED, "SIGKILL");
	expect(NULL, SCRIPT_CRASHED, "closed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
