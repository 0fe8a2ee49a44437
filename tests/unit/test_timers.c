/* The sorted list of timers, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/front/timers.h"

static struct timers timers;
static char order[16];
static unsigned fired;

static void
note(void *owner)
{
	order[fired++] = *(const char *)owner;
	order[fired] = '\0';
}

static int
reset(void **state)
{
	(void)state;
	timers_init(&timers);
	fired = 0;
	order[0] = '\0';
	return 0;
}

static void
test_order(void **state)
{
	char names[] = "abcd";
	struct timer timer[4];
	const int64_t at_us[] = {300, 100, 200, 100};

	(void)state;
	for (int i = 0; i < 4; i++) {
		timer_init(&timer[i], note, &names[i]);
		timer_set(&timers, &timer[i], at_us[i]);
	}
	timers_run(&timers, 99);
	assert_string_equal(order, "");
	timers_run(&timers, 200);
	/* Equal times fire in the order they were set. */
	assert_string_equal(order, "bdc");
	assert_true(timer[0].armed);
	assert_false(timer[1].armed);
	timers_run(&timers, 1000);
	assert_string_equal(order, "bdca");
	assert_int_equal(timers_wait_ms(&timers, 1000), -1);
}

static void
test_clear_and_set_again(void **state)
{
	char names[] = "ab";
	struct timer a, b;

	(void)state;
	timer_init(&a, note, &names[0]);
	timer_init(&b, note, &names[1]);
	timer_clear(&timers, &a);
	timer_set(&timers, &a, 10);
	timer_set(&timers, &b, 20);
	timer_set(&timers, &a, 30);
	timers_run(&timers, 25);
	assert_string_equal(order, "b");
	timer_clear(&timers, &a);
	timer_clear(&timers, &a);
	timers_run(&timers, 100);
	assert_string_equal(order, "b");
}

static void
test_wait_rounds_up(void **state)
{
	char name = 'a';
	struct timer a;

	(void)state;
	timer_init(&a, note, &name);
	timer_set(&timers, &a, 5001);
	assert_int_equal(timers_wait_ms(&timers, 0), 6);
	assert_int_equal(timers_wait_ms(&timers, 4001), 1);
	assert_int_equal(timers_wait_ms(&timers, 5000), 1);
	assert_int_equal(timers_wait_ms(&timers, 5001), 0);
	assert_int_equal(timers_wait_ms(&timers, 9000), 0);
	timer_set(&timers, &a, INT64_MAX);
	assert_true(timers_wait_ms(&timers, 0) > 0);
}

static struct timer self, other;

static void
set_self_again(void *owner)
{
	note(owner);
	timer_set(&timers, &self, 0);
	timer_clear(&timers, &other);
}

static void
test_handler_changes_timers(void **state)
{
	char names[] = "so";

	(void)state;
	timer_init(&self, set_self_again, &names[0]);
	timer_init(&other, note, &names[1]);
	timer_set(&timers, &self, 5);
	timer_set(&timers, &other, 6);
	timers_run(&timers, 10);
	/* Once, though it set itself to the past, and the other never. */
	assert_string_equal(order, "s");
	timers_run(&timers, 11);
	assert_string_equal(order, "ss");
	timer_clear(&timers, &self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_order, reset),
	    cmocka_unit_test_setup(test_clear_and_set_again, reset),
	    cmocka_unit_test_setup(test_wait_rounds_up, reset),
	    cmocka_unit_test_setup(test_handler_changes_timers, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
