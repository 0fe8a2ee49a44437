/* Engines that fall silent, let jobs lie or lie themselves are taken out and
 * come back by one job; scripts' failures do not count; engines that are told
 * to leave; neighbouring protocol versions. */
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
#include "common/script_code.h"
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 16
#define QUEUE_MS  10000
#define LONG_MS   15000

static unsigned
healthy(struct bench *bench)
{
	struct dispatch_health health;

	dispatch_health(bench->d, &health);
	return health.engines;
}

static enum engine_standing
standing(struct bench *bench, const char *name)
{
	enum engine_standing found = ENGINE_OUT;
	const struct engine *engine;

	pthread_mutex_lock(&bench->d->lock);
	LIST_FOREACH (engine, &bench->d->engines, link)
		if (strcmp(engine->name, name) == 0)
			found = engine->health.standing;
	pthread_mutex_unlock(&bench->d->lock);
	return found;
}

/* Says what the script came to, and nothing of the engine's own. */
static struct message
report(struct bench *bench, struct bench_engine *engine, uint64_t job,
    uint64_t attempt, unsigned code)
{
	struct message result = {.type = MSG_RESULT};

	result.result.job = job;
	result.result.attempt = attempt;
	result.result.code = code;
	return bench_call(bench, engine, &result);
}

/* One execution by `engine`, which offers a slot on context 1. */
static void
serve_one(struct bench *bench, struct bench_engine *engine)
{
	struct bench_request *r;
	struct msg_job job;

	bench_ticket(bench, engine, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, engine, 1);
	bench_finish(bench, engine, &job, 2000, "");
	bench_expect_served(bench, r, engine->name, 1);
}

static void
scripts_failures_do_not_count(void **state)
{
	static const unsigned codes[] = {SCRIPT_TIMEOUT, SCRIPT_MEMORY,
	    SCRIPT_CRASHED, SCRIPT_VIOLATION, SCRIPT_THREW, SCRIPT_BAD_RESULT};
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	for (unsigned i = 0; i < 3 * HEALTH_LIES_MAX; i++) {
		unsigned code = codes[i % (sizeof codes / sizeof codes[0])];

		bench_ticket(bench, a, 1);
		r = bench_request(bench, IDP_ONE, "x", LONG_MS);
		job = bench_job(bench, a, 1);
		report(bench, a, job.job, job.attempt, code);
		bench_wait(bench, r);
		assert_int_equal(r->result.code, code);
		bench_request_free(r);
	}
	assert_int_equal(standing(bench, "a"), ENGINE_FULL);
}

static void
a_silent_engine_is_tried_with_one_job(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct bench_request *first, *second, *third;
	struct msg_job job, other;

	(void)state;
	/* b does not answer, and does not acknowledge. */
	b->mute = true;
	bench_ticket(bench, b, 1);
	bench_ticket(bench, b, 2);
	bench_ticket(bench, b, 3);
	first = bench_request(bench, IDP_ONE, "first", LONG_MS);
	(void)bench_job(bench, b, 1);
	bench_ticket(bench, a, 1);
	job = bench_job(bench, a, 1);
	assert_int_equal(job.attempt, 2);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, first, "a", 2);
	assert_int_equal(standing(bench, "b"), ENGINE_OUT);
	/* Heard again it gets one job, and the second goes to a. */
	b->mute = false;
	while (standing(bench, "b") != ENGINE_PROBE)
		bench_wait_queued(bench, 0);
	second = bench_request(bench, IDP_ONE, "second", LONG_MS);
	job = bench_job(bench, b, 2);
	bench_ack(bench, b, &job);
	third = bench_request(bench, IDP_ONE, "third", LONG_MS);
	bench_wait_queued(bench, 1);
	bench_ticket(bench, a, 1);
	other = bench_job(bench, a, 1);
	bench_finish(bench, b, &job, 2000, "");
	bench_expect_served(bench, second, "b", 1);
	assert_int_equal(standing(bench, "b"), ENGINE_FULL);
	bench_finish(bench, a, &other, 2000, "");
	bench_expect_served(bench, third, "a", 1);
}

static void
an_engine_that_lies_is_out(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	/* b tells of a's job, and of attempts that never were. */
	for (unsigned i = 0; i < HEALTH_LIES_MAX; i++) {
		assert_int_equal(standing(bench, "b"), ENGINE_FULL);
		report(bench, b, job.job, job.attempt + i, SCRIPT_OK);
	}
	assert_int_equal(standing(bench, "b"), ENGINE_OUT);
	assert_int_equal(healthy(bench), 1);
	/* a tells of it twice, which is no lie. */
	for (unsigned i = 0; i < 2 * HEALTH_LIES_MAX; i++)
		bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
	assert_int_equal(standing(bench, "a"), ENGINE_FULL);
	/* Out for a while, then one job: and in again. */
	while (standing(bench, "b") != ENGINE_PROBE)
		bench_wait_queued(bench, 0);
	serve_one(bench, b);
	assert_int_equal(standing(bench, "b"), ENGINE_FULL);
}

static void
an_unknown_code_is_a_lie(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	for (unsigned i = 0; i < HEALTH_LIES_MAX; i++) {
		bench_ticket(bench, a, 1);
		r = bench_request(bench, IDP_ONE, "x", LONG_MS);
		job = bench_job(bench, a, 1);
		report(bench, a, job.job, job.attempt, 9998);
		bench_wait(bench, r);
		assert_int_equal(r->result.code, SCRIPT_CRASHED);
		bench_request_free(r);
	}
	assert_int_equal(standing(bench, "a"), ENGINE_OUT);
}

static void
who_is_told_to_leave_gets_no_work(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct message beat = {.type = MSG_HEARTBEAT};
	struct bench_request *running, *later;
	struct msg_job job, other;

	(void)state;
	a->mute = true;
	bench_ticket(bench, a, 1);
	running = bench_request(bench, IDP_ONE, "running", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	bench_ticket(bench, a, 2);
	assert_int_equal(
	    dispatch_engine_drain(bench->d, span_str("c")), ERR_NOT_FOUND);
	assert_int_equal(dispatch_engine_drain(bench->d, span_str("a")), OK);
	/* By its ticket, its heartbeat, and any ticket it sends. */
	bench_expect_go_away(bench_answer(bench, a, 2), GO_AWAY_LEAVE);
	bench_expect_go_away(bench_call(bench, a, &beat), GO_AWAY_LEAVE);
	beat.heartbeat.draining = true;
	assert_int_equal(bench_call(bench, a, &beat).type, MSG_DONE);
	beat.heartbeat.draining = false; /* a lie does not help it */
	bench_expect_go_away(bench_call(bench, a, &beat), GO_AWAY_LEAVE);
	assert_int_equal(healthy(bench), 1);
	bench_ticket(bench, b, 1);
	later = bench_request(bench, IDP_ONE, "later", LONG_MS);
	other = bench_job(bench, b, 1);
	bench_finish(bench, b, &other, 2000, "");
	bench_expect_served(bench, later, "b", 1);
	/* What it runs counts. */
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, running, "a", 1);
}

static struct message
hello_with_versions(struct bench *bench, struct bench_engine *engine,
    uint64_t min, uint64_t max)
{
	struct message hello = {.type = MSG_HELLO};

	hello.hello.engine = span_str("a");
	hello.hello.boot_id = span_of(engine->boot_id, BOOT_ID_BYTES);
	hello.hello.slots = 1;
	hello.hello.protocol_min = min;
	hello.hello.protocol_max = max;
	return bench_call(bench, engine, &hello);
}

static void
neighbouring_versions_work_together(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine_new(bench, "a", "");
	struct message answer;

	(void)state;
	answer = hello_with_versions(bench, a, PROTOCOL_MAX, PROTOCOL_MAX + 1);
	assert_int_equal(answer.type, MSG_WELCOME);
	assert_int_equal(answer.welcome.protocol, PROTOCOL_MAX);
	answer = hello_with_versions(bench, a, 0, PROTOCOL_MIN);
	assert_int_equal(answer.type, MSG_WELCOME);
	assert_int_equal(answer.welcome.protocol, PROTOCOL_MIN);
	answer =
	    hello_with_versions(bench, a, PROTOCOL_MAX + 1, PROTOCOL_MAX + 2);
	bench_expect_go_away(answer, GO_AWAY_VERSION);
	assert_non_null(memmem(answer.go_away.sentence.data,
	    answer.go_away.sentence.len, "upgrade the gateway", 19));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scripts_failures_do_not_count),
	    cmocka_unit_test(a_silent_engine_is_tried_with_one_job),
	    cmocka_unit_test(an_engine_that_lies_is_out),
	    cmocka_unit_test(an_unknown_code_is_a_lie),
	    cmocka_unit_test(who_is_told_to_leave_gets_no_work),
	    cmocka_unit_test(neighbouring_versions_work_together),
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
