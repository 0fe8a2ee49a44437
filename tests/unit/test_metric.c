/* Metrics: counting, the bound on series, rendering, threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/metric.h"

#define THREADS 4
#define ROUNDS  5000

static bool
rendered(const char *line)
{
	struct buf out;
	bool found;

	buf_init(&out, 1 << 20);
	metric_render(&out);
	assert_int_equal(buf_status(&out), OK);
	found = strstr(buf_cstr(&out), line) != NULL;
	buf_fini(&out);
	return found;
}

static void
counters_and_gauges(void **state)
{
	(void)state;
	assert_int_equal(metric_value(M_CLIENT_AUTH, "basic", "ok"), 0);
	metric_count(M_CLIENT_AUTH, "basic", "ok");
	metric_add(M_CLIENT_AUTH, "basic", "ok", 4);
	metric_count(M_CLIENT_AUTH, "basic", NULL);
	assert_int_equal(metric_value(M_CLIENT_AUTH, "basic", "ok"), 5);
	assert_int_equal(metric_value(M_CLIENT_AUTH, "basic", "none"), 1);
	metric_move(M_TICKETS, NULL, 7);
	metric_move(M_TICKETS, NULL, -9);
	assert_int_equal(metric_value(M_TICKETS, NULL, NULL), -2);
	assert_true(rendered("# TYPE postern_client_auth_total counter\n"));
	assert_true(rendered(
	    "\npostern_client_auth_total{kind=\"basic\",outcome=\"ok\"} 5\n"));
	assert_true(rendered("\n# TYPE postern_tickets gauge\n"
			     "postern_tickets -2\n"));
	/* Never used, but without labels. */
	assert_true(rendered("\npostern_engines 0\n"));
	assert_true(rendered("\npostern_store_commit_seconds_count 0\n"));
}

static void
gauges_that_are_hidden(void **state)
{
	(void)state;
	metric_set(M_ENGINE_RSS, "a", 4096);
	metric_set(M_ENGINE_RSS, "a", 8192);
	assert_true(
	    rendered("\npostern_engine_resident_bytes{engine=\"a\"} 8192\n"));
	metric_hide(M_ENGINE_RSS);
	assert_false(rendered("postern_engine_resident_bytes{"));
	metric_set(M_ENGINE_RSS, "b", 1);
	assert_true(
	    rendered("\npostern_engine_resident_bytes{engine=\"b\"} 1\n"));
	assert_false(rendered("{engine=\"a\"}"));
	metric_hide(M_LAST_SUCCESS);
	assert_false(rendered("\npostern_last_success_age_seconds "));
}

static void
histograms_of_sizes(void **state)
{
	(void)state;
	metric_observe_size(M_STORE_BATCH, NULL, 1);
	metric_observe_size(M_STORE_BATCH, NULL, 3);
	metric_observe_size(M_STORE_BATCH, NULL, 5000);
	assert_true(
	    rendered("\npostern_store_batch_operations_bucket{le=\"2\"} 1\n"));
	assert_true(
	    rendered("\npostern_store_batch_operations_bucket{le=\"3\"} 2\n"));
	assert_true(rendered(
	    "\npostern_store_batch_operations_bucket{le=\"+Inf\"} 3\n"));
	assert_true(rendered("\npostern_store_batch_operations_sum 5004\n"));
}

static void
histograms(void **state)
{
	(void)state;
	metric_observe_us(M_HTTP_SECONDS, "token", NULL, -5);
	metric_observe_us(M_HTTP_SECONDS, "token", NULL, 100);
	metric_observe_us(M_HTTP_SECONDS, "token", NULL, 101);
	metric_observe_us(M_HTTP_SECONDS, "token", NULL, 10000000);
	metric_observe_us(M_HTTP_SECONDS, "token", NULL, 10000001);
#define NAME "\npostern_http_request_seconds"
	assert_true(
	    rendered(NAME "_bucket{route=\"token\",le=\"0.0001\"} 2\n"));
	assert_true(
	    rendered(NAME "_bucket{route=\"token\",le=\"0.00025\"} 3\n"));
	assert_true(rendered(NAME "_bucket{route=\"token\",le=\"5\"} 3\n"));
	assert_true(rendered(NAME "_bucket{route=\"token\",le=\"10\"} 4\n"));
	assert_true(rendered(NAME "_bucket{route=\"token\",le=\"+Inf\"} 5\n"));
	assert_true(rendered(NAME "_sum{route=\"token\"} 20.000202\n"));
	assert_true(rendered(NAME "_count{route=\"token\"} 5\n"));
#undef NAME
}

static void
values_are_escaped(void **state)
{
	(void)state;
	metric_count(M_TRANSACTIONS, "a\"b\\c\nd", NULL);
	assert_true(rendered(
	    "postern_transactions_total{event=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

static void
series_are_bounded(void **state)
{
	char value[200];

	(void)state;
	for (int i = 0; i < METRIC_SERIES_MAX + 100; i++) {
		(void)snprintf(value, sizeof value, "idp-%d", i);
		metric_count(M_EXECUTIONS, value, "ok");
	}
	assert_int_equal(metric_value(M_EXECUTIONS, "idp-0", "ok"), 1);
	assert_int_equal(metric_value(M_EXECUTIONS, "idp-510", "ok"), 1);
	assert_int_equal(metric_value(M_EXECUTIONS, "idp-511", "ok"), 0);
	assert_int_equal(metric_value(M_EXECUTIONS, "other", "other"), 101);
	metric_count(M_EXECUTIONS, "idp-0", "ok");
	assert_int_equal(metric_value(M_EXECUTIONS, "idp-0", "ok"), 2);
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	metric_count(M_REALM_LOADS, value, NULL);
	assert_int_equal(metric_value(M_REALM_LOADS, "other", NULL), 1);
}

static void *
count_in_thread(void *argument)
{
	char label[16];

	(void)argument;
	for (int i = 0; i < ROUNDS; i++) {
		/* All threads make the same series at about the same time. */
		(void)snprintf(label, sizeof label, "r%d", i / 250);
		metric_count(M_HTTP_REFUSED, label, NULL);
		metric_count(M_HTTP_REFUSED, "all", NULL);
		metric_observe_us(M_EXECUTION_SECONDS, "run", NULL, i);
	}
	return NULL;
}

static void
threads_lose_no_count(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, count_in_thread, NULL),
		    0);
	(void)rendered(""); /* at the same time */
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(
	    metric_value(M_HTTP_REFUSED, "all", NULL), THREADS * ROUNDS);
	assert_int_equal(
	    metric_value(M_HTTP_REFUSED, "r0", NULL), THREADS * 250);
	assert_int_equal(
	    metric_value(M_HTTP_REFUSED, "r19", NULL), THREADS * 250);
	assert_true(rendered("_count{part=\"run\"} 20000\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counters_and_gauges),
	    cmocka_unit_test(gauges_that_are_hidden),
	    cmocka_unit_test(histograms_of_sizes),
	    cmocka_unit_test(histograms),
	    cmocka_unit_test(values_are_escaped),
	    cmocka_unit_test(series_are_bounded),
	    cmocka_unit_test(threads_lose_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
