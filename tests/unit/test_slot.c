/* Slot arithmetic, and the shares of a connection's questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/front/front_limits.h"
#include "engine/front/slot.h"
#include "proto/link_server.h"

static void
test_count(void **state)
{
	(void)state;
	assert_int_equal(slot_count(0, 2), 8);
	assert_int_equal(slot_count(0, 1), 4);
	assert_int_equal(slot_count(0, 1000), FRONT_SLOTS_MAX);
	assert_int_equal(slot_count(1, 64), 1);
	assert_int_equal(slot_count(FRONT_SLOTS_MAX + 1, 1), FRONT_SLOTS_MAX);
	/* sysconf() may fail with -1. */
	assert_int_equal(slot_count(0, -1), 1);
}

static void
test_shares_fit_the_pipe(void **state)
{
	(void)state;
	assert_int_equal(FRONT_CONTEXTS_MAX, LINK_UNANSWERED_MAX);
	assert_int_equal(FRONT_SLOTS_MAX + FRONT_CONTEXTS_CALLS +
			     FRONT_CONTEXTS_AUX + FRONT_CONTEXTS_CONTROL,
	    LINK_UNANSWERED_MAX);
	assert_true(FRONT_SLOTS_MAX >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_count),
	    cmocka_unit_test(test_shares_fit_the_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
