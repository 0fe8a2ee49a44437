/*
 * store_gather: who waits for a group to grow, who never does, and when it
 * ends. Time is what the test says a wait brought.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/store/store_gather.h"

/* Groups of a run: long enough for every average to settle. */
#define GROUPS 2000

/* Groups of `queued`, each wait bringing `brought`: how many waited. */
static unsigned
waits_of(struct store_gather *gather, unsigned queued, unsigned brought)
{
	unsigned waits = 0;

	for (int i = 0; i < GROUPS; i++) {
		unsigned until = store_gather_until(gather, queued);

		assert_true(until == 0 || until > queued);
		assert_true(until <= GATHER_ENOUGH);
		if (until > 0) {
			waits++;
			store_gather_waited(gather, queued, queued + brought);
		}
		store_gather_taken(gather, queued + (until > 0 ? brought : 0));
	}
	return waits;
}

static void
test_few_callers_never_wait(void **state)
{
	struct store_gather gather = {0};

	(void)state;
	assert_int_equal(waits_of(&gather, 1, 7), 0);
	assert_int_equal(waits_of(&gather, 4, 7), 0);
}

static void
test_many_callers_wait_while_it_pays(void **state)
{
	struct store_gather gather = {0};

	(void)state;
	store_gather_taken(&gather, 20); /* a burst shows them */
	assert_true(waits_of(&gather, 2, 7) > GROUPS / 2);
}

static void
test_waits_end_when_the_many_are_gone(void **state)
{
	struct store_gather gather = {0};

	(void)state;
	store_gather_taken(&gather, 20);
	(void)waits_of(&gather, 2, 7);
	(void)waits_of(&gather, 1, 0);
	assert_int_equal(waits_of(&gather, 1, 0), 0);
}

static void
test_waits_in_vain_are_few(void **state)
{
	struct store_gather gather = {0};
	unsigned waits;

	(void)state;
	store_gather_taken(&gather, 20);
	/* Groups that large need no company, but for the trials. */
	waits = waits_of(&gather, 10, 0);
	assert_true(waits > 0);
	assert_true(waits <= GROUPS / 16);
}

static void
test_as_many_as_of_late_are_enough(void **state)
{
	struct store_gather gather = {0};

	(void)state;
	store_gather_taken(&gather, 20);
	store_gather_waited(&gather, 2, 9);
	assert_int_equal(store_gather_until(&gather, 19), 20);
	assert_int_equal(store_gather_until(&gather, 20), 0);
	store_gather_taken(&gather, 500);
	assert_int_equal(store_gather_until(&gather, 19), GATHER_ENOUGH);
	assert_int_equal(store_gather_until(&gather, GATHER_ENOUGH), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_few_callers_never_wait),
	    cmocka_unit_test(test_many_callers_wait_while_it_pays),
	    cmocka_unit_test(test_waits_end_when_the_many_are_gone),
	    cmocka_unit_test(test_waits_in_vain_are_few),
	    cmocka_unit_test(test_as_many_as_of_late_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
