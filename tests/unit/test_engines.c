/*
 * engines: sessions, tickets and attempts, with engines that vanish, come back,
 * fall silent or answer late; what the keeper does about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 8
#define QUEUE_MS  2000

#define LONG_MS BENCH_DEADLINE_MS

static int64_t
events(const char *event)
{
	return metric_value(M_DISPATCH_EVENTS, event, NULL);
}

/* ---- sessions -------------------------------------------------------------
 */

static void
test_session_comes_first(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine_new(bench, "a", "");
	struct message ask = {.type = MSG_TICKET}, answer;
	struct message ping = {.type = MSG_PING};
	struct dispatch_health health;

	(void)state;
	bench_expect_go_away(
	    bench_call(bench, engine, &ask), GO_AWAY_UNKNOWN_SESSION);
	assert_int_equal(bench_call(bench, engine, &ping).type, MSG_DONE);
	answer = bench_hello(bench, engine, NULL);
	assert_int_equal(answer.type, MSG_WELCOME);
	assert_int_equal(answer.welcome.protocol, PROTOCOL_MAX);
	assert_int_equal(answer.welcome.heartbeat_ms, HEARTBEAT_MS);
	assert_int_equal(answer.welcome.ack_after_ms, ACK_AFTER_MS);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.engines, 1);
	/* What only a gateway may say. */
	ask = (struct message){.type = MSG_DONE};
	bench_expect_go_away(
	    bench_call(bench, engine, &ask), GO_AWAY_BAD_MESSAGE);
}

static void
test_foreign_version_and_name_are_refused(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine_new(bench, "a b", "");
	struct message hello = {.type = MSG_HELLO};

	(void)state;
	bench_expect_go_away(
	    bench_hello(bench, engine, NULL), GO_AWAY_BAD_MESSAGE);
	hello.hello.engine = span_str("a");
	hello.hello.boot_id = span_of(engine->boot_id, BOOT_ID_BYTES);
	hello.hello.slots = 1;
	hello.hello.protocol_min = PROTOCOL_MAX + 1;
	hello.hello.protocol_max = PROTOCOL_MAX + 2;
	bench_expect_go_away(
	    bench_call(bench, engine, &hello), GO_AWAY_VERSION);
	hello.hello.protocol_min = 0;
	hello.hello.protocol_max = PROTOCOL_MIN - 1;
	bench_expect_go_away(
	    bench_call(bench, engine, &hello), GO_AWAY_VERSION);
}

static void
test_second_hello_says_anew_what_is_held(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_request *listed, *unlisted;
	struct msg_job job, lost;

	(void)state;
	bench_ticket(bench, engine, 1);
	listed = bench_request(bench, IDP_ONE, "listed", LONG_MS);
	job = bench_job(bench, engine, 1);
	bench_ticket(bench, engine, 2);
	unlisted = bench_request(bench, IDP_ONE, "unlisted", LONG_MS);
	lost = bench_job(bench, engine, 2);
	bench_ticket(bench, engine, 3);
	bench_hello(bench, engine, &job);
	/* The ticket is void and answered: a slot must not wait for ever. */
	bench_expect_go_away(
	    bench_answer(bench, engine, 3), GO_AWAY_UNKNOWN_SESSION);
	bench_ticket(bench, engine, 3);
	lost = bench_job(bench, engine, 3);
	assert_int_equal(lost.attempt, 2);
	bench_finish(bench, engine, &lost, 2000, "");
	bench_finish(bench, engine, &job, 2000, "");
	bench_expect_served(bench, unlisted, "a", 2);
	bench_expect_served(bench, listed, "a", 1);
}

static void
test_other_engine_on_a_connection_ends_the_first(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct dispatch_health health;

	(void)state;
	bench_ticket(bench, engine, 1);
	engine->boot_id[0] ^= 1;
	bench_hello(bench, engine, NULL);
	/* Its tickets are answered, or it would be a slot short for ever. */
	bench_expect_go_away(
	    bench_answer(bench, engine, 1), GO_AWAY_UNKNOWN_SESSION);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.engines, 1);
	assert_int_equal(health.tickets, 0);
}

static void
test_draining_engine_gets_no_work(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_engine *other = bench_engine(bench, "b", "");
	struct message beat = {.type = MSG_HEARTBEAT};
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	engine->mute = true; /* the bench's heartbeats do not say it */
	bench_ticket(bench, engine, 1);
	beat.heartbeat.draining = true;
	assert_int_equal(bench_call(bench, engine, &beat).type, MSG_DONE);
	bench_ticket(bench, other, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, other, 1);
	bench_finish(bench, other, &job, 2000, "");
	bench_expect_served(bench, r, "b", 1);
}

/* ---- attempts -------------------------------------------------------------
 */

static void
test_unacknowledged_goes_to_another(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct bench_request *r;
	struct msg_job first, second;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	first = bench_job(bench, a, 1);
	bench_ticket(bench, b, 1);
	second = bench_job(bench, b, 1);
	assert_true(second.job == first.job);
	assert_int_equal(second.attempt, 2);
	bench_finish(bench, a, &first, 2999, "late");
	bench_expect_go_away(bench_ack(bench, a, &first), GO_AWAY_STALE);
	bench_finish(bench, b, &second, 2000, "");
	bench_expect_served(bench, r, "b", 2);
}

static void
test_acknowledged_stays(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	int64_t unacknowledged = events("unacknowledged");
	struct bench_request *kept, *moved;
	struct msg_job job, other;

	(void)state;
	bench_ticket(bench, a, 1);
	kept = bench_request(bench, IDP_ONE, "kept", LONG_MS);
	job = bench_job(bench, a, 1);
	assert_int_equal(bench_ack(bench, a, &job).type, MSG_DONE);
	/* By the time a later one was taken away, the first would have been. */
	bench_ticket(bench, a, 1);
	moved = bench_request(bench, IDP_ONE, "moved", LONG_MS);
	other = bench_job(bench, a, 1);
	bench_ticket(bench, a, 2);
	other = bench_job(bench, a, 2);
	assert_int_equal(other.attempt, 2);
	assert_int_equal(events("unacknowledged"), unacknowledged + 1);
	bench_finish(bench, a, &other, 2000, "");
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, moved, "a", 2);
	bench_expect_served(bench, kept, "a", 1);
}

static void
test_back_in_time_the_result_counts(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	int64_t resumed = events("resumed");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	bench_ticket(bench, a, 2);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	bench_break(bench, a);
	assert_int_equal(bench_hello(bench, a, &job).type, MSG_WELCOME);
	assert_int_equal(events("resumed"), resumed + 1);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
}

static void
test_half_open_session_is_taken_over(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *before = bench_engine(bench, "a", "");
	struct bench_engine *after = bench_engine_new(bench, "a", "");
	struct dispatch_health health;
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, before, 1);
	bench_ticket(bench, before, 2);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, before, 1);
	before->session = false;
	memcpy(after->boot_id, before->boot_id, BOOT_ID_BYTES);
	assert_int_equal(bench_hello(bench, after, &job).type, MSG_WELCOME);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.engines, 1);
	assert_int_equal(health.tickets, 0);
	/* Being listed acknowledged it. */
	bench_ticket(bench, after, 1);
	bench_finish(bench, after, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
	/* The old ticket got nothing: its connection is dead for the engine. */
	assert_true(before->contexts[2].busy);
}

static void
test_back_without_the_job_it_runs_again(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	bench_break(bench, a);
	bench_hello(bench, a, NULL);
	bench_ticket(bench, a, 1);
	job = bench_job(bench, a, 1);
	assert_int_equal(job.attempt, 2);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 2);
}

static void
test_gone_for_good_it_runs_elsewhere(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct bench_request *r;
	struct msg_job first, second;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	first = bench_job(bench, a, 1);
	bench_ack(bench, a, &first);
	bench_break(bench, a);
	bench_ticket(bench, b, 1);
	second = bench_job(bench, b, 1);
	assert_int_equal(second.attempt, 2);
	/* Too late: it was forgotten, so this is a new session. */
	bench_hello(bench, a, &first);
	bench_finish(bench, a, &first, 2999, "late");
	bench_finish(bench, b, &second, 2000, "");
	bench_expect_served(bench, r, "b", 2);
}

static void
test_silent_engine_loses_its_jobs(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	int64_t silent = events("engine_silent");
	struct dispatch_health health;
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	bench_ticket(bench, a, 2);
	a->mute = true;
	bench_ticket(bench, b, 1);
	job = bench_job(bench, b, 1);
	assert_int_equal(job.attempt, 2);
	assert_true(events("engine_silent") > silent);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.engines, 1);
	bench_finish(bench, b, &job, 2000, "");
	bench_expect_served(bench, r, "b", 2);
	/* Heard again, its old ticket is good. */
	a->mute = false;
	r = bench_request(bench, IDP_ONE, "y", LONG_MS);
	job = bench_job(bench, a, 2);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_comes_first),
	    cmocka_unit_test(test_foreign_version_and_name_are_refused),
	    cmocka_unit_test(test_second_hello_says_anew_what_is_held),
	    cmocka_unit_test(test_other_engine_on_a_connection_ends_the_first),
	    cmocka_unit_test(test_draining_engine_gets_no_work),
	    cmocka_unit_test(test_unacknowledged_goes_to_another),
	    cmocka_unit_test(test_acknowledged_stays),
	    cmocka_unit_test(test_back_in_time_the_result_counts),
	    cmocka_unit_test(test_half_open_session_is_taken_over),
	    cmocka_unit_test(test_back_without_the_job_it_runs_again),
	    cmocka_unit_test(test_gone_for_good_it_runs_elsewhere),
	    cmocka_unit_test(test_silent_engine_loses_its_jobs),
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
