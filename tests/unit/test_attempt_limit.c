/*
 * attempt_limit: counting by client, IdP and source; windows; a full table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/clock.h"
#include "gateway/oauth/attempt_limit.h"

#define HANG_MS 20000

/* More sources than the table holds. */
#define MANY 20000

static const struct attempt_source somebody = {"app", "Idp", "192.0.2.1"};

static void
count(struct attempt_limit *limit, const struct attempt_source *source,
    int64_t window_secs, int times)
{
	while (times-- > 0)
		attempt_limit_count(limit, source, window_secs);
}

static void
test_counts_up_to_the_limit(void **state)
{
	struct attempt_limit *limit = attempt_limit_new();

	(void)state;
	assert_non_null(limit);
	assert_int_equal(attempt_limit_check(limit, &somebody, 3), 0);
	count(limit, &somebody, 600, 2);
	assert_int_equal(attempt_limit_check(limit, &somebody, 3), 0);
	count(limit, &somebody, 600, 1);
	assert_in_range(attempt_limit_check(limit, &somebody, 3), 1, 600);
	assert_int_equal(attempt_limit_check(limit, &somebody, 4), 0);
	assert_int_equal(attempt_limit_check(limit, &somebody, 0), 0);
	attempt_limit_free(limit);
}

static void
test_each_of_the_three_tells_apart(void **state)
{
	static const struct attempt_source others[] = {
	    {"app2", "Idp", "192.0.2.1"},
	    {"app", "Idp2", "192.0.2.1"},
	    {"app", "Idp", "192.0.2.2"},
	    {"appI", "dp", "192.0.2.1"},
	    {"app", "Idp1", "92.0.2.1"},
	    {"Idp", "app", "192.0.2.1"},
	};
	struct attempt_limit *limit = attempt_limit_new();

	(void)state;
	assert_non_null(limit);
	count(limit, &somebody, 600, 5);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(attempt_limit_check(limit, &others[i], 1), 0);
	assert_true(attempt_limit_check(limit, &somebody, 5) > 0);
	attempt_limit_free(limit);
}

static void
test_window_ends(void **state)
{
	struct attempt_limit *limit = attempt_limit_new();
	int64_t hang_ms = clock_mono_ms() + HANG_MS;

	(void)state;
	assert_non_null(limit);
	count(limit, &somebody, 0, 1);
	assert_int_equal(attempt_limit_check(limit, &somebody, 1), 0);
	count(limit, &somebody, 1, 2);
	while (attempt_limit_check(limit, &somebody, 2) != 0)
		assert_true(clock_mono_ms() < hang_ms);
	/* A new window starts from nothing. */
	count(limit, &somebody, 600, 1);
	assert_int_equal(attempt_limit_check(limit, &somebody, 2), 0);
	assert_true(attempt_limit_check(limit, &somebody, 1) > 0);
	attempt_limit_free(limit);
}

static void
test_full_table_keeps_the_latest(void **state)
{
	struct attempt_limit *limit = attempt_limit_new();
	struct attempt_source source = somebody;
	char text[32];

	(void)state;
	assert_non_null(limit);
	source.source = text;
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "198.51.%d.%d", i / 256, i % 256);
		attempt_limit_count(limit, &source, 600 + i);
		assert_true(attempt_limit_check(limit, &source, 1) > 0);
	}
	/* Short windows make room first. */
	attempt_limit_count(limit, &somebody, 100000);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "203.0.%d.%d", i / 256, i % 256);
		attempt_limit_count(limit, &source, 60);
	}
	assert_true(attempt_limit_check(limit, &somebody, 1) > 0);
	attempt_limit_free(limit);
	attempt_limit_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts_up_to_the_limit),
	    cmocka_unit_test(test_each_of_the_three_tells_apart),
	    cmocka_unit_test(test_window_ends),
	    cmocka_unit_test(test_full_table_keeps_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
