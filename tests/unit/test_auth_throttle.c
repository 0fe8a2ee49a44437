/*
 * auth_throttle: penalties begin, double, end; successes are exempt and no
 * flood of failures evicts them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "gateway/oauth/auth_throttle.h"

#define START_MS 1000000

static struct auth_throttle *throttle;

static int
set_up(void **state)
{
	(void)state;
	throttle = auth_throttle_new();
	return throttle == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	auth_throttle_free(throttle);
	return 0;
}

static struct auth_who
who(const char *source, const char *client_id)
{
	return (struct auth_who){source, "client", span_str(client_id)};
}

static enum auth_verdict
check(const char *source, const char *client_id, int64_t now_ms)
{
	struct auth_who w = who(source, client_id);

	return auth_throttle_check(throttle, &w, now_ms);
}

static bool
failed(const char *source, const char *client_id, int64_t now_ms)
{
	struct auth_who w = who(source, client_id);

	return auth_throttle_failed(throttle, &w, now_ms);
}

static void
succeeded(const char *source, const char *client_id, int64_t now_ms)
{
	struct auth_who w = who(source, client_id);

	auth_throttle_succeeded(throttle, &w, now_ms);
}

static void
test_penalties_double_from_the_sixth(void **state)
{
	static const int64_t penalties_ms[] = {
	    100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
	int64_t now = START_MS;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_false(failed("192.0.2.1", "app", now));
		assert_int_equal(check("192.0.2.1", "app", now), AUTH_CHECK);
	}
	for (size_t i = 0; i < sizeof penalties_ms / sizeof *penalties_ms;
	     i++) {
		assert_true(failed("192.0.2.1", "app", now));
		assert_int_equal(
		    check("192.0.2.1", "app", now + penalties_ms[i] - 1),
		    AUTH_REFUSE_CLIENT);
		now += penalties_ms[i];
		assert_int_equal(check("192.0.2.1", "app", now), AUTH_CHECK);
	}
	assert_int_equal(check("192.0.2.1", "other", now - 1), AUTH_CHECK);
	assert_int_equal(check("192.0.2.2", "app", now - 1), AUTH_CHECK);
}

static void
test_a_minute_forgets(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		(void)failed("192.0.2.1", "app", START_MS);
	assert_int_equal(
	    check("192.0.2.1", "app", START_MS + 10), AUTH_REFUSE_CLIENT);
	for (int i = 0; i < 5; i++)
		assert_false(failed("192.0.2.1", "app", START_MS + 60000));
}

static void
test_a_source_from_the_fiftieth(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < 49; i++) {
		snprintf(id, sizeof id, "c%d", i);
		assert_false(failed("192.0.2.1", id, START_MS));
	}
	assert_int_equal(check("192.0.2.1", "new", START_MS), AUTH_CHECK);
	assert_true(failed("192.0.2.1", "c49", START_MS));
	assert_int_equal(
	    check("192.0.2.1", "new", START_MS + 99), AUTH_REFUSE_SOURCE);
	assert_int_equal(check("192.0.2.1", "new", START_MS + 100), AUTH_CHECK);
}

/* One line has a /64; an IPv4 address is itself however it is written. */
static void
test_what_one_source_is(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		(void)failed("2001:db8::1", "app", START_MS);
		(void)failed("192.0.2.1", "app", START_MS);
		(void)failed("", "app", START_MS);
	}
	assert_int_equal(
	    check("2001:db8:0:0:ffff::2", "app", START_MS), AUTH_REFUSE_CLIENT);
	assert_int_equal(check("2001:db8:0:1::1", "app", START_MS), AUTH_CHECK);
	assert_int_equal(
	    check("::ffff:192.0.2.1", "app", START_MS), AUTH_REFUSE_CLIENT);
	assert_int_equal(check("192.0.2.2", "app", START_MS), AUTH_CHECK);
	assert_int_equal(check("", "app", START_MS), AUTH_REFUSE_CLIENT);
}

static void
test_kinds_are_apart(void **state)
{
	struct auth_who api = {"192.0.2.1", "api_client", span_str("app")};

	(void)state;
	for (int i = 0; i < 6; i++)
		(void)failed("192.0.2.1", "app", START_MS);
	assert_int_equal(
	    auth_throttle_check(throttle, &api, START_MS), AUTH_CHECK);
}

static void
test_a_success_is_exempt_and_forgives(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		(void)failed("192.0.2.1", "app", START_MS);
	succeeded("192.0.2.1", "app", START_MS);
	for (int i = 0; i < 5; i++)
		assert_false(failed("192.0.2.1", "app", START_MS));
	assert_true(failed("192.0.2.1", "app", START_MS));
	assert_int_equal(check("192.0.2.1", "app", START_MS), AUTH_CHECK_KNOWN);
	assert_int_equal(check("192.0.2.1", "app", START_MS + 100), AUTH_CHECK);
}

/* 10^5 client ids from 10^4 sources (the attacker). */
static void
test_a_flood_evicts_and_slows_nobody(void **state)
{
	char source[32];
	char id[32];

	(void)state;
	succeeded("192.0.2.1", "app", START_MS);
	for (int i = 0; i < 7; i++)
		(void)failed("192.0.2.9", "app", START_MS);
	for (int i = 0; i < 100000; i++) {
		snprintf(source, sizeof source, "10.%d.%d.1", i % 10000 / 250,
		    i % 250);
		snprintf(id, sizeof id, "guess-%d", i);
		(void)failed(source, id, START_MS);
	}
	/* Somebody who never failed and never came before. */
	assert_int_equal(check("198.51.100.1", "app", START_MS), AUTH_CHECK);
	/* Somebody whose own failures start a penalty is known all the same. */
	for (int i = 0; i < 6; i++)
		(void)failed("192.0.2.1", "app", START_MS);
	assert_int_equal(check("192.0.2.1", "app", START_MS), AUTH_CHECK_KNOWN);
	/* Who failed most is remembered before those who failed once. */
	assert_int_equal(
	    check("192.0.2.9", "app", START_MS), AUTH_REFUSE_CLIENT);
}

static void
test_no_table_no_throttle(void **state)
{
	struct auth_who w = who("192.0.2.1", "app");

	(void)state;
	assert_int_equal(auth_throttle_check(NULL, &w, 0), AUTH_CHECK);
	assert_false(auth_throttle_failed(NULL, &w, 0));
	auth_throttle_succeeded(NULL, &w, 0);
}

#define THROTTLE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    THROTTLE_TEST(test_penalties_double_from_the_sixth),
	    THROTTLE_TEST(test_a_minute_forgets),
	    THROTTLE_TEST(test_a_source_from_the_fiftieth),
	    THROTTLE_TEST(test_what_one_source_is),
	    THROTTLE_TEST(test_kinds_are_apart),
	    THROTTLE_TEST(test_a_success_is_exempt_and_forgives),
	    THROTTLE_TEST(test_a_flood_evicts_and_slows_nobody),
	    THROTTLE_TEST(test_no_table_no_throttle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
