/*
 * share: no identity provider takes all of an engine's slots while another had
 * work lately; alone it has them all.
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
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 16
#define QUEUE_MS  12000
#define LONG_MS   BENCH_DEADLINE_MS

/* As the bench's engines say in their hello. */
#define SLOTS 4

/* A request that an engine with a free slot serves at once. */
static void
serve_one(struct bench *bench, struct bench_engine *engine, enum bench_idp idp)
{
	struct bench_request *r;
	struct msg_job job;

	bench_ticket(bench, engine, 1);
	r = bench_request(bench, idp, "x", LONG_MS);
	job = bench_job(bench, engine, 1);
	bench_finish(bench, engine, &job, 2000, "");
	bench_expect_served(bench, r, engine->name, 1);
}

static void
finish(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *job, struct bench_request *r)
{
	bench_finish(bench, engine, job, 2000, "");
	bench_wait(bench, r);
	assert_int_equal(r->result.code, SCRIPT_OK);
	bench_request_free(r);
}

/* Offers a slot and waits until the dispatcher has `total` of them. */
static void
offer(struct bench *bench, struct bench_engine *engine, unsigned context,
    unsigned total)
{
	struct message heartbeat = {.type = MSG_HEARTBEAT};
	int64_t hang_us = clock_mono_us() + LONG_MS * 1000;
	struct dispatch_health health;

	bench_ticket(bench, engine, context);
	do {
		assert_true(clock_mono_us() < hang_us);
		assert_int_equal(
		    bench_call(bench, engine, &heartbeat).type, MSG_DONE);
		dispatch_health(bench->d, &health);
	} while (health.tickets != total);
}

static void
acknowledge(
    struct bench *bench, struct bench_engine *engine, const struct msg_job *job)
{
	assert_int_equal(bench_ack(bench, engine, job).type, MSG_DONE);
}

static void
test_alone_has_every_slot(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_request *r[SLOTS];
	struct msg_job jobs[SLOTS];

	(void)state;
	for (unsigned i = 0; i < SLOTS; i++) {
		bench_ticket(bench, engine, i + 1);
		r[i] = bench_request(bench, IDP_ONE, "x", LONG_MS);
		jobs[i] = bench_job(bench, engine, i + 1);
		acknowledge(bench, engine, &jobs[i]);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		finish(bench, engine, &jobs[i], r[i]);
}

static void
test_a_slot_is_left_for_another(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_request *busy[SLOTS], *other;
	struct msg_job jobs[SLOTS], job;

	(void)state;
	serve_one(bench, engine, IDP_TWO);
	for (unsigned i = 0; i < SLOTS; i++)
		offer(bench, engine, i + 1, i + 1);
	for (unsigned i = 0; i < SLOTS - 1; i++) {
		busy[i] = bench_request(bench, IDP_ONE, "busy", LONG_MS);
		jobs[i] = bench_job(bench, engine, i + 1);
		acknowledge(bench, engine, &jobs[i]);
	}
	busy[SLOTS - 1] = bench_request(bench, IDP_ONE, "waits", LONG_MS);
	bench_wait_queued(bench, 1);
	/* It came later and overtakes: the last slot is not for the others. */
	other = bench_request(bench, IDP_TWO, "other", LONG_MS);
	job = bench_job(bench, engine, SLOTS);
	assert_true(span_is(job.idp, "Two"));
	finish(bench, engine, &job, other);
	/* One less than its share: what waited may go on. */
	offer(bench, engine, SLOTS, 1);
	finish(bench, engine, &jobs[0], busy[0]);
	finish(bench, engine, &jobs[1], busy[1]);
	job = bench_job(bench, engine, SLOTS);
	assert_true(span_is(job.data, "waits"));
	finish(bench, engine, &job, busy[SLOTS - 1]);
	finish(bench, engine, &jobs[2], busy[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alone_has_every_slot),
	    cmocka_unit_test(test_a_slot_is_left_for_another),
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
