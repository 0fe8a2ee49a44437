/*
 * dispatch_idle: a shadow run gets a slot that is idle, or none; it has no
 * effects, is never run twice and holds up nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/dispatch/dispatch_idle.h"
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 16
#define QUEUE_MS  12000

#define RECORDING "what the live run was told"

/* Offers a slot and waits until the dispatcher has `total` of them. */
static void
offer(struct bench *bench, struct bench_engine *engine, unsigned context,
    unsigned total)
{
	struct message heartbeat = {.type = MSG_HEARTBEAT};
	int64_t hang_us = clock_mono_us() + BENCH_DEADLINE_MS * 1000;
	struct dispatch_health health;

	bench_ticket(bench, engine, context);
	do {
		assert_true(clock_mono_us() < hang_us);
		bench_call(bench, engine, &heartbeat);
		dispatch_health(bench->d, &health);
	} while (health.tickets != total);
}

static void
expect_end(struct bench *bench, struct bench_request *r, enum err err,
    enum script_code code)
{
	bench_wait(bench, r);
	assert_int_equal(r->err, err);
	if (err == OK)
		assert_int_equal(r->result.code, code);
	bench_request_free(r);
}

/* Half of an engine's four slots must be free. */
static void
test_runs_where_slots_are_idle(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "one", NULL);
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	expect_end(bench, bench_shadow(bench, IDP_ONE, RECORDING),
	    ERR_UNAVAILABLE, SCRIPT_OK);
	offer(bench, engine, 1, 1);
	expect_end(bench, bench_shadow(bench, IDP_ONE, RECORDING),
	    ERR_UNAVAILABLE, SCRIPT_OK);
	offer(bench, engine, 2, 2);
	r = bench_shadow(bench, IDP_ONE, RECORDING);
	job = bench_job(bench, engine, 2);
	assert_int_equal(job.attempt, 1);
	bench_finish(bench, engine, &job, 2000, "from the shadow");
	bench_wait(bench, r);
	assert_int_equal(r->err, OK);
	assert_int_equal(r->result.status, 2000);
	assert_true(span_is(r->result.payload, "from the shadow"));
	bench_request_free(r);
}

/* Whatever its engine says. */
static void
test_no_effect_is_granted(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "one", NULL);
	struct message store = {.type = MSG_CACHE_STORE};
	struct message fetch = {.type = MSG_CACHE_FETCH};
	struct message intent = {.type = MSG_HTTP_INTENT};
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	offer(bench, engine, 1, 1);
	offer(bench, engine, 2, 2);
	r = bench_shadow(bench, IDP_ONE, RECORDING);
	job = bench_job(bench, engine, 2);
	store.cache_store.job = fetch.cache_fetch.job = job.job;
	store.cache_store.attempt = fetch.cache_fetch.attempt = job.attempt;
	intent.http_intent.job = job.job;
	intent.http_intent.attempt = job.attempt;
	intent.http_intent.host = span_str("example.com");
	store.cache_store.key = fetch.cache_fetch.key = span_str("k");
	store.cache_store.value = span_str("v");
	bench_expect_go_away(bench_call(bench, engine, &store), GO_AWAY_STALE);
	bench_expect_go_away(bench_call(bench, engine, &fetch), GO_AWAY_STALE);
	bench_expect_go_away(bench_call(bench, engine, &intent), GO_AWAY_STALE);
	bench_finish(bench, engine, &job, 2000, "");
	expect_end(bench, r, OK, SCRIPT_OK);
}

static void
test_a_lost_one_is_not_run_again(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *first = bench_engine(bench, "one", NULL);
	struct bench_engine *second;
	struct dispatch_health health;
	struct bench_request *r;

	(void)state;
	offer(bench, first, 1, 1);
	offer(bench, first, 2, 2);
	r = bench_shadow(bench, IDP_ONE, RECORDING);
	(void)bench_job(bench, first, 2);
	second = bench_engine(bench, "two", NULL);
	bench_ticket(bench, second, 1);
	bench_break(bench, first);
	first->mute = true;
	expect_end(bench, r, OK, SCRIPT_LOST);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.queued, 0);
	assert_int_equal(health.running, 0);
}

static void
test_a_stop_waits_for_none(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "one", NULL);
	int64_t since_us;
	struct bench_request *r;

	(void)state;
	offer(bench, engine, 1, 1);
	offer(bench, engine, 2, 2);
	r = bench_shadow(bench, IDP_ONE, RECORDING);
	(void)bench_job(bench, engine, 2);
	since_us = clock_mono_us();
	dispatch_drain(bench->d, BENCH_DEADLINE_MS);
	/* Not until the deadline of what nobody ends. */
	assert_true(clock_mono_us() - since_us < BENCH_WALL_MS * 1000 / 2);
	expect_end(bench, r, OK, SCRIPT_LOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_runs_where_slots_are_idle),
	    cmocka_unit_test(test_no_effect_is_granted),
	    cmocka_unit_test(test_a_lost_one_is_not_run_again),
	    cmocka_unit_test(test_a_stop_waits_for_none),
	};
	int failed;

	log_setup("test", LOG_TEXT, LOG_ERROR);
	bench_set_up();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	bench_clean_up();
	fflush(stdout);
	/* nng cannot be closed while it runs. */
	_exit(failed != 0);
}
