/*
 * host_cache: CACHE through the real store: its semantics, its namespaces, its
 * limits, and what a granted effect means for a lost attempt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/metric.h"
#include "tests/unit/dispatch_bench.h"

/* One execution that an engine holds and acknowledged. */
struct held {
	struct bench *bench;
	struct bench_engine *engine;
	struct bench_request *request;
	struct msg_job job;
};

static struct held
hold(struct bench *bench, struct bench_engine *engine, enum bench_idp idp)
{
	struct held h = {.bench = bench, .engine = engine};

	bench_ticket(bench, engine, 1);
	h.request = bench_request(bench, idp, "x", BENCH_DEADLINE_MS);
	h.job = bench_job(bench, engine, 1);
	assert_int_equal(bench_ack(bench, engine, &h.job).type, MSG_DONE);
	return h;
}

static void
release(struct held *h)
{
	bench_finish(h->bench, h->engine, &h->job, 2000, "");
	bench_wait(h->bench, h->request);
	assert_int_equal(h->request->result.code, SCRIPT_OK);
	bench_request_free(h->request);
}

static struct message
store_value(struct held *h, const char *key, struct span value)
{
	struct message m = {.type = MSG_CACHE_STORE};

	m.cache_store.job = h->job.job;
	m.cache_store.attempt = h->job.attempt;
	m.cache_store.key = span_str(key);
	m.cache_store.value = value;
	return bench_call(h->bench, h->engine, &m);
}

static void
put(struct held *h, const char *key, const char *value)
{
	assert_int_equal(store_value(h, key, span_str(value)).type, MSG_DONE);
}

/* One of the four that answer cache_value. */
static struct message
call(struct held *h, enum message_type type, const char *key)
{
	struct message m = {.type = type};

	if (type == MSG_CACHE_DELETE)
		m.cache_delete = (struct msg_cache_delete){
		    h->job.job, h->job.attempt, span_str(key), 0};
	else if (type == MSG_CACHE_TAKE)
		m.cache_take = (struct msg_cache_take){
		    h->job.job, h->job.attempt, span_str(key), 0};
	else if (type == MSG_CACHE_INCREMENT)
		m.cache_increment = (struct msg_cache_increment){
		    h->job.job, h->job.attempt, span_str(key), 0, 0};
	else
		m.cache_fetch = (struct msg_cache_fetch){
		    h->job.job, h->job.attempt, span_str(key), 0};
	return bench_call(h->bench, h->engine, &m);
}

static void
expect_cached(struct message answer, const char *value)
{
	assert_int_equal(answer.type, MSG_CACHE_VALUE);
	assert_int_equal(answer.cache_value.found, value != NULL);
	if (value != NULL)
		assert_true(span_is(answer.cache_value.value, value));
	else
		assert_false(span_present(answer.cache_value.value));
}

static void
expect_failed(struct message answer, const char *error)
{
	assert_int_equal(answer.type, MSG_CALL_FAILED);
	assert_true(span_is(answer.call_failed.error, error));
}

static void
test_values_come_back_and_are_taken_once(void **state)
{
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct held h = hold(bench, a, IDP_ONE);
	struct message answer;

	(void)state;
	put(&h, "k", "v");
	put(&h, "k", "w");
	expect_cached(call(&h, MSG_CACHE_FETCH, "k"), "w");
	expect_cached(call(&h, MSG_CACHE_TAKE, "k"), "w");
	expect_cached(call(&h, MSG_CACHE_TAKE, "k"), NULL);
	expect_cached(call(&h, MSG_CACHE_FETCH, "k"), NULL);
	release(&h);
	h = hold(bench, a, IDP_ONE);
	put(&h, "e", "");
	expect_cached(call(&h, MSG_CACHE_FETCH, "e"), "");
	answer = call(&h, MSG_CACHE_DELETE, "e");
	assert_int_equal(answer.type, MSG_CACHE_VALUE);
	assert_true(answer.cache_value.found);
	assert_false(span_present(answer.cache_value.value));
	expect_cached(call(&h, MSG_CACHE_DELETE, "e"), NULL);
	release(&h);
}

static void
test_increment_counts_and_wants_numbers(void **state)
{
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct held h = hold(bench, a, IDP_ONE);

	(void)state;
	expect_cached(call(&h, MSG_CACHE_INCREMENT, "n"), "1");
	expect_cached(call(&h, MSG_CACHE_INCREMENT, "n"), "2");
	expect_cached(call(&h, MSG_CACHE_TAKE, "n"), "2");
	put(&h, "n", "twelve");
	expect_failed(call(&h, MSG_CACHE_INCREMENT, "n"), "invalid");
	expect_cached(call(&h, MSG_CACHE_TAKE, "n"), "twelve");
	release(&h);
}

static void
test_namespaces_do_not_meet(void **state)
{
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct held one = hold(bench, a, IDP_ONE);
	struct held two = hold(bench, a, IDP_TWO);
	struct held shared_a = hold(bench, a, IDP_SHARED_A);
	struct held shared_b = hold(bench, a, IDP_SHARED_B);

	(void)state;
	put(&one, "k", "one's");
	expect_cached(call(&two, MSG_CACHE_TAKE, "k"), NULL);
	expect_cached(call(&shared_a, MSG_CACHE_FETCH, "k"), NULL);
	put(&shared_a, "k", "all's");
	expect_cached(call(&shared_b, MSG_CACHE_TAKE, "k"), "all's");
	expect_cached(call(&shared_a, MSG_CACHE_FETCH, "k"), NULL);
	expect_cached(call(&one, MSG_CACHE_TAKE, "k"), "one's");
	release(&shared_b);
	release(&shared_a);
	release(&two);
	release(&one);
}

static void
test_limits(void **state)
{
	char text[BENCH_VALUE_KIB * 1024 + 1];
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct held h = hold(bench, a, IDP_TWO);

	(void)state;
	memset(text, 'x', sizeof text);
	put(&h, "1", "v");
	put(&h, "2", "v");
	put(&h, "3", "v");
	assert_int_equal(
	    store_value(&h, "4", span_of(text, sizeof text - 1)).type,
	    MSG_DONE);
	expect_failed(store_value(&h, "5", span_str("v")), "limit");
	expect_failed(store_value(&h, "", span_str("v")), "limit");
	/* The budget is spent, refusals included. */
	expect_failed(call(&h, MSG_CACHE_FETCH, "1"), "limit");
	release(&h);
	h = hold(bench, a, IDP_TWO);
	expect_failed(
	    store_value(&h, "1", span_of(text, sizeof text)), "limit");
	for (int i = 1; i <= 4; i++)
		expect_cached(call(&h, MSG_CACHE_DELETE, "9"), NULL);
	release(&h);
}

/* ---- effects --------------------------------------------------------------
 */

static void
test_lost_after_an_effect_never_runs_again(void **state)
{
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct held h = hold(bench, a, IDP_ONE);
	struct dispatch_health health;

	(void)state;
	put(&h, "effect", "v");
	bench_ticket(bench, b, 1);
	bench_break(bench, a);
	bench_wait(bench, h.request);
	assert_int_equal(h.request->err, OK);
	assert_int_equal(h.request->result.code, SCRIPT_LOST);
	assert_int_equal(h.request->result.attempts, 1);
	bench_request_free(h.request);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.tickets, 1);
}

static void
test_lost_after_reading_or_a_refusal_runs_again(void **state)
{
	char text[BENCH_VALUE_KIB * 1024 + 1];
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct held h = hold(bench, a, IDP_ONE);

	(void)state;
	memset(text, 'x', sizeof text);
	expect_cached(call(&h, MSG_CACHE_FETCH, "nothing"), NULL);
	expect_failed(
	    store_value(&h, "k", span_of(text, sizeof text)), "limit");
	bench_ticket(bench, b, 1);
	bench_break(bench, a);
	h.engine = b;
	h.job = bench_job(bench, b, 1);
	assert_int_equal(h.job.attempt, 2);
	/* It starts with a budget of its own. */
	for (int i = 0; i < BENCH_HOST_CALLS; i++)
		expect_cached(call(&h, MSG_CACHE_FETCH, "nothing"), NULL);
	release(&h);
}

static void
test_stale_attempt_changes_nothing(void **state)
{
	struct bench *bench = bench_new(8, 2000);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct held first = hold(bench, a, IDP_ONE), second;
	struct message answer;

	(void)state;
	bench_break(bench, a);
	second = first;
	second.engine = b;
	bench_ticket(bench, b, 1);
	second.job = bench_job(bench, b, 1);
	bench_hello(bench, a, NULL);
	answer = store_value(&first, "stale", span_str("v"));
	assert_int_equal(answer.type, MSG_GO_AWAY);
	assert_int_equal(answer.go_away.reason, GO_AWAY_STALE);
	expect_cached(call(&second, MSG_CACHE_FETCH, "stale"), NULL);
	release(&second);
	answer = call(&second, MSG_CACHE_TAKE, "stale");
	assert_int_equal(answer.go_away.reason, GO_AWAY_STALE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_come_back_and_are_taken_once),
	    cmocka_unit_test(test_increment_counts_and_wants_numbers),
	    cmocka_unit_test(test_namespaces_do_not_meet),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_lost_after_an_effect_never_runs_again),
	    cmocka_unit_test(test_lost_after_reading_or_a_refusal_runs_again),
	    cmocka_unit_test(test_stale_attempt_changes_nothing),
	};
	int failed;

	log_setup("test", LOG_TEXT, LOG_ERROR);
	bench_set_up();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	bench_clean_up();
	fflush(stdout);
	_exit(failed != 0);
}
