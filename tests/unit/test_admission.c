/*
 * admission: who may wait for an engine, and who is told at once that it would
 * be in vain. Those who wait are put into the queue by hand.
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
#include "gateway/dispatch/admission.h"
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 256
#define QUEUE_MS  2000
#define LEFT_MS   8000
#define WAITERS   64

static const struct dispatch_caller flooder = {"app", "203.0.113.1"};
static const struct dispatch_caller other = {"app", "203.0.113.2"};

struct queue {
	struct bench *bench;
	struct job *jobs[WAITERS];
	unsigned count;
};

static void
queue_start(struct queue *queue, unsigned workers)
{
	*queue = (struct queue){.bench = bench_new(QUEUE_MAX, QUEUE_MS)};
	bench_engine(queue->bench, "a", "");
	queue->bench->d->config.workers = workers;
}

static void
wait_as(struct queue *queue, enum bench_idp idp,
    const struct dispatch_caller *caller, unsigned count)
{
	struct dispatch *d = queue->bench->d;
	int64_t deadline_us = clock_mono_us() + LEFT_MS * 1000;

	pthread_mutex_lock(&d->lock);
	while (count-- > 0) {
		struct job *job =
		    job_new(d, &bench_realm.idps[idp], deadline_us);

		assert_non_null(job);
		job->caller = *caller;
		admission_place(d, job);
		queue->jobs[queue->count++] = job;
	}
	pthread_mutex_unlock(&d->lock);
}

static enum refusal
judge(struct queue *queue, enum bench_idp idp,
    const struct dispatch_caller *caller, int64_t left_ms)
{
	struct dispatch *d = queue->bench->d;
	enum refusal refusal;

	pthread_mutex_lock(&d->lock);
	refusal = admission_judge(d, &bench_realm.idps[idp], caller,
	    clock_mono_us() + left_ms * 1000);
	pthread_mutex_unlock(&d->lock);
	return refusal;
}

static void
queue_end(struct queue *queue)
{
	while (queue->count > 0)
		job_free(queue->bench->d, queue->jobs[--queue->count]);
}

/* Of 64 threads 56 may wait, 42 of one IdP, 31 of one caller of it. */
static void
test_shares_of_the_places(void **state)
{
	struct queue queue;

	(void)state;
	queue_start(&queue, 64);
	wait_as(&queue, IDP_ONE, &flooder, 30);
	assert_int_equal(judge(&queue, IDP_ONE, &flooder, LEFT_MS), 0);
	wait_as(&queue, IDP_ONE, &flooder, 1);
	assert_int_equal(
	    judge(&queue, IDP_ONE, &flooder, LEFT_MS), REFUSED_FULL);
	/* The flooder's other IdP, and others at this one, find places. */
	assert_int_equal(judge(&queue, IDP_TWO, &flooder, LEFT_MS), 0);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), 0);
	wait_as(&queue, IDP_ONE, &other, 11);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), REFUSED_FULL);
	assert_int_equal(judge(&queue, IDP_TWO, &other, LEFT_MS), 0);
	wait_as(&queue, IDP_TWO, &flooder, 14);
	assert_int_equal(judge(&queue, IDP_TWO, &other, LEFT_MS), REFUSED_FULL);
	queue_end(&queue);
	assert_int_equal(judge(&queue, IDP_TWO, &other, LEFT_MS), 0);
}

/* Who has few waiting passes those of one who has many at the same IdP; among
 * equals who came first is first. */
static void
test_order_of_callers(void **state)
{
	static const unsigned expected[] = {0, 4, 1, 5, 2, 3};
	const struct job *job;
	struct queue queue;
	unsigned i = 0;

	(void)state;
	queue_start(&queue, 64);
	wait_as(&queue, IDP_ONE, &flooder, 3);
	wait_as(&queue, IDP_TWO, &flooder, 1);
	wait_as(&queue, IDP_ONE, &other, 2);
	TAILQ_FOREACH (job, &queue.bench->d->jobs[JOB_QUEUED], link)
		assert_ptr_equal(job, queue.jobs[expected[i++]]);
	assert_int_equal(i, queue.count);
	queue_end(&queue);
}

/* The queue moves on between: nobody passes the caller's earlier ones. */
static void
test_no_caller_passes_itself(void **state)
{
	const struct job *job;
	struct queue queue;
	unsigned i = 0;

	(void)state;
	queue_start(&queue, 64);
	wait_as(&queue, IDP_ONE, &flooder, 4);
	job_free(queue.bench->d, queue.jobs[0]);
	job_free(queue.bench->d, queue.jobs[1]);
	queue.jobs[0] = queue.jobs[2];
	queue.jobs[1] = queue.jobs[3];
	queue.count = 2;
	wait_as(&queue, IDP_ONE, &flooder, 1);
	TAILQ_FOREACH (job, &queue.bench->d->jobs[JOB_QUEUED], link)
		assert_ptr_equal(job, queue.jobs[i++]);
	assert_int_equal(i, 3);
	queue_end(&queue);
}

static void
test_one_thread_still_serves(void **state)
{
	struct queue queue;

	(void)state;
	queue_start(&queue, 1);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), 0);
	wait_as(&queue, IDP_ONE, &flooder, 1);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), REFUSED_FULL);
	queue_end(&queue);
}

/* Executions of a second: who waits knows when it is in vain. */
static void
test_what_cannot_finish_is_refused(void **state)
{
	struct queue queue;
	unsigned slots;

	(void)state;
	queue_start(&queue, 64);
	slots = LIST_FIRST(&queue.bench->d->engines)->slots;
	wait_as(&queue, IDP_ONE, &flooder, 1);
	share_ran(queue.jobs[0]->share, 1000 * 1000);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), 0);
	/* It would begin in time, and not end. */
	assert_int_equal(judge(&queue, IDP_ONE, &other, 900), REFUSED_LATE);
	wait_as(&queue, IDP_ONE, &flooder, 2 * slots);
	assert_int_equal(judge(&queue, IDP_ONE, &other, LEFT_MS), REFUSED_LATE);
	assert_int_equal(judge(&queue, IDP_TWO, &other, LEFT_MS), 0);
	/* With nobody waiting it is tried: times may have changed. */
	while (queue.count > 0)
		job_free(queue.bench->d, queue.jobs[--queue.count]);
	assert_int_equal(judge(&queue, IDP_ONE, &other, 900), 0);
	queue_end(&queue);
}

static void
test_the_mean_follows(void **state)
{
	struct queue queue;
	struct share *share;

	(void)state;
	queue_start(&queue, 0);
	wait_as(&queue, IDP_ONE, &other, 1);
	share = queue.jobs[0]->share;
	assert_int_equal(share_run_us(queue.bench->d, share->idp), 0);
	share_ran(share, 8000);
	assert_int_equal(share_run_us(queue.bench->d, share->idp), 8000);
	share_ran(share, 16000);
	assert_int_equal(share_run_us(queue.bench->d, share->idp), 9000);
	assert_int_equal(share_run_us(queue.bench->d, "nobody"), 0);
	queue_end(&queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shares_of_the_places),
	    cmocka_unit_test(test_order_of_callers),
	    cmocka_unit_test(test_no_caller_passes_itself),
	    cmocka_unit_test(test_one_thread_still_serves),
	    cmocka_unit_test(test_what_cannot_finish_is_refused),
	    cmocka_unit_test(test_the_mean_follows),
	};
	int failed;

	log_setup("test", LOG_TEXT, LOG_ERROR);
	bench_set_up();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	bench_clean_up();
	(void)fflush(stdout);
	/* nng cannot be closed while it runs. */
	_exit(failed != 0);
}
