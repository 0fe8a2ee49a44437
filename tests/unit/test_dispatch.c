/*
 * dispatch: admission, jobs and what is made of results, drain. Sessions and
 * attempts are test_engines.c's, CACHE is test_host_cache.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/outcomes.h"
#include "tests/unit/dispatch_bench.h"

#define QUEUE_MAX 8
#define QUEUE_MS  2000

#define LONG_MS BENCH_DEADLINE_MS

static int64_t
events(const char *event)
{
	return metric_value(M_DISPATCH_EVENTS, event, NULL);
}

static void
expect_code(struct bench *bench, struct bench_request *r, enum script_code code)
{
	bench_wait(bench, r);
	assert_int_equal(r->err, OK);
	assert_int_equal(r->result.code, code);
	assert_non_null(r->result.message);
	bench_request_free(r);
}

static enum refusal
refused_now(struct bench *bench, enum bench_idp idp, int64_t ms)
{
	enum refusal refusal = REFUSED_NOT;
	struct job *job;

	assert_int_equal(dispatch_admit(bench->d, &bench_realm.idps[idp], NULL,
			     clock_mono_us() + ms * 1000, &job, &refusal),
	    ERR_UNAVAILABLE);
	return refusal;
}

/* ---- admission ------------------------------------------------------------
 */

static void
test_no_engine_refuses_at_once(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, 20000);
	int64_t before_us = clock_mono_us();

	(void)state;
	assert_int_equal(
	    refused_now(bench, IDP_ONE, LONG_MS), REFUSED_NO_ENGINE);
	/* An engine that nobody's label fits is none. */
	bench_engine(bench, "a", "shop,x");
	assert_int_equal(
	    refused_now(bench, IDP_PINNED, LONG_MS), REFUSED_NO_ENGINE);
	assert_true(clock_mono_us() - before_us < 10 * 1000000);
}

static void
test_queue_has_an_end_a_share_and_a_time(void **state)
{
	struct bench *bench = bench_new(4, 1000);
	struct bench_request *waiting[4];

	(void)state;
	bench_engine(bench, "a", "bank");
	assert_int_equal(refused_now(bench, IDP_ONE, 100), REFUSED_LATE);
	waiting[0] = bench_request(bench, IDP_ONE, "1", LONG_MS);
	waiting[1] = bench_request(bench, IDP_ONE, "2", LONG_MS);
	bench_wait_queued(bench, 2);
	assert_int_equal(refused_now(bench, IDP_ONE, LONG_MS), REFUSED_FULL);
	waiting[2] = bench_request(bench, IDP_TWO, "3", LONG_MS);
	waiting[3] = bench_request(bench, IDP_PINNED, "4", LONG_MS);
	bench_wait_queued(bench, 4);
	assert_int_equal(
	    refused_now(bench, IDP_SHARED_A, LONG_MS), REFUSED_FULL);
	for (int i = 0; i < 4; i++) {
		bench_wait(bench, waiting[i]);
		assert_int_equal(waiting[i]->err, ERR_UNAVAILABLE);
		assert_int_equal(waiting[i]->refusal, REFUSED_LATE);
		bench_request_free(waiting[i]);
	}
	bench_wait_queued(bench, 0);
}

static void
test_first_come_first_served_but_for_labels(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, 15000);
	struct bench_engine *shop = bench_engine(bench, "shop", "shop");
	struct bench_engine *bank = bench_engine(bench, "bank", "shop, bank");
	struct bench_request *pinned, *one, *two;
	struct msg_job job;

	(void)state;
	pinned = bench_request(bench, IDP_PINNED, "pinned", LONG_MS);
	bench_wait_queued(bench, 1);
	one = bench_request(bench, IDP_ONE, "one", LONG_MS);
	bench_wait_queued(bench, 2);
	two = bench_request(bench, IDP_TWO, "two", LONG_MS);
	bench_wait_queued(bench, 3);
	bench_ticket(bench, shop, 1);
	job = bench_job(bench, shop, 1);
	assert_true(span_is(job.data, "one"));
	bench_finish(bench, shop, &job, 2000, "");
	bench_expect_served(bench, one, "shop", 1);
	bench_ticket(bench, bank, 1);
	job = bench_job(bench, bank, 1);
	assert_true(span_is(job.data, "pinned"));
	assert_true(span_is(job.idp, "Pinned"));
	bench_finish(bench, bank, &job, 2000, "");
	bench_expect_served(bench, pinned, "bank", 1);
	bench_ticket(bench, bank, 1);
	job = bench_job(bench, bank, 1);
	assert_true(span_is(job.data, "two"));
	bench_finish(bench, bank, &job, 2000, "");
	bench_expect_served(bench, two, "bank", 1);
}

static void
test_cancelled_job_gives_its_ticket_back(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct dispatch_health health;
	struct bench_request *r;
	enum refusal refusal;
	struct msg_job sent;
	struct job *job;

	(void)state;
	bench_ticket(bench, engine, 1);
	assert_int_equal(
	    dispatch_admit(bench->d, &bench_realm.idps[IDP_ONE], NULL,
		clock_mono_us() + LONG_MS * 1000, &job, &refusal),
	    OK);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.tickets, 0);
	dispatch_cancel(bench->d, job);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	sent = bench_job(bench, engine, 1);
	assert_int_equal(sent.attempt, 1);
	bench_finish(bench, engine, &sent, 2000, "");
	bench_expect_served(bench, r, "a", 1);
}

static void
test_held_job_that_never_starts_never_runs(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	int64_t deadline_us = clock_mono_us() + 1000000;
	struct bench_request *r =
	    bench_request(bench, IDP_ONE, "first", LONG_MS);
	struct execution execution;
	struct execution_result result;
	struct dispatch_health health;
	enum refusal refusal;
	struct msg_job sent;
	struct job *job;

	(void)state;
	bench_ticket(bench, engine, 1);
	sent = bench_job(bench, engine, 1);
	bench_finish(bench, engine, &sent, 2000, "");
	bench_wait(bench, r);
	execution = r->execution;
	bench_ticket(bench, engine, 1);
	assert_int_equal(dispatch_admit(bench->d, execution.idp, NULL,
			     deadline_us, &job, &refusal),
	    OK);
	bench_break(bench, engine);
	bench_wait_queued(bench, 1); /* the ticket it held is gone */
	assert_int_equal(
	    dispatch_run(bench->d, job, &execution, r->arena, &result),
	    ERR_UNAVAILABLE);
	assert_true(clock_mono_us() >= deadline_us);
	bench_request_free(r);
	dispatch_health(bench->d, &health);
	assert_int_equal(health.queued, 0);
	assert_int_equal(health.running, 0);
}

/* ---- jobs and results -----------------------------------------------------
 */

static void
test_job_says_all_and_result_comes_back(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, engine, 1);
	r = bench_request(bench, IDP_ONE, "payload", LONG_MS);
	job = bench_job(bench, engine, 1);
	assert_true(job.job > 0);
	assert_int_equal(job.attempt, 1);
	assert_true(span_is(job.idp, "One"));
	assert_true(span_is(job.correlation_id, "corr-1"));
	assert_memory_equal(
	    job.release.data, r->execution.release->hash, DIGEST_BYTES);
	assert_int_equal(job.kind, SCRIPT_COMPLETE);
	assert_int_equal(job.wall_ms, BENCH_WALL_MS);
	assert_int_equal(job.heap_bytes, 32 * 1024 * 1024);
	assert_int_equal(job.host_calls, BENCH_HOST_CALLS);
	assert_int_equal(job.result_bytes, BENCH_RESULT_KIB * 1024);
	assert_int_equal(job.cache_ttl_secs, 300);
	assert_true(span_is(job.data, "payload"));
	assert_false(span_present(job.registration_data));
	assert_int_equal(
	    bench_finish(bench, engine, &job, 4001, "no").type, MSG_DONE);
	bench_wait(bench, r);
	assert_int_equal(r->result.code, SCRIPT_OK);
	assert_int_equal(r->result.status, 4001);
	assert_true(span_is(r->result.payload, "no"));
	assert_false(span_present(r->result.user));
	bench_request_free(r);
}

static void
test_wall_time_is_cut_to_the_deadline(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, engine, 1);
	r = bench_request(bench, IDP_ONE, "x", 2000);
	job = bench_job(bench, engine, 1);
	assert_in_range(job.wall_ms, 1, 2000 - ANSWER_MARGIN_MS);
	assert_int_equal(bench_ack(bench, engine, &job).type, MSG_DONE);
	/* Nobody answers: the request ends by itself, the late word is stale.
	 */
	expect_code(bench, r, SCRIPT_LOST);
	bench_expect_go_away(bench_ack(bench, engine, &job), GO_AWAY_STALE);
}

static void
test_result_brings_the_next_job(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	struct message result = {.type = MSG_RESULT}, answer;
	struct bench_request *first, *second;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, engine, 1);
	first = bench_request(bench, IDP_ONE, "1", LONG_MS);
	job = bench_job(bench, engine, 1);
	second = bench_request(bench, IDP_ONE, "2", LONG_MS);
	bench_wait_queued(bench, 1);
	result.result.job = job.job;
	result.result.attempt = job.attempt;
	result.result.ticket = true;
	result.result.code = SCRIPT_TIMEOUT;
	result.result.error = span_str("with hunter22 inside");
	answer = bench_call(bench, engine, &result);
	assert_int_equal(answer.type, MSG_JOB);
	bench_wait(bench, first);
	assert_int_equal(first->result.code, SCRIPT_TIMEOUT);
	assert_string_equal(first->result.message, "with *** inside");
	bench_request_free(first);
	job = answer.job;
	assert_true(span_is(job.data, "2"));
	bench_finish(bench, engine, &job, 2000, "");
	bench_expect_served(bench, second, "a", 1);
}

static void
report(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *job, uint64_t code, struct span outcome)
{
	struct message result = {.type = MSG_RESULT};

	result.result.job = job->job;
	result.result.attempt = job->attempt;
	result.result.code = code;
	result.result.outcome = outcome;
	assert_int_equal(bench_call(bench, engine, &result).type, MSG_DONE);
}

/* An outcome as a child's bytes; the caller frees the buffer. */
static void
encode_outcome(struct buf *out, uint64_t code, uint64_t status, size_t payload)
{
	static char text[4 * BENCH_RESULT_KIB * 1024];
	struct message outcome = {.type = MSG_OUTCOME};

	memset(text, 'x', sizeof text);
	outcome.outcome.code = code;
	outcome.outcome.status = status;
	outcome.outcome.payload = span_of(text, payload);
	buf_init(out, MESSAGE_MAX_BYTES);
	assert_int_equal(message_encode(&outcome, out, NULL), OK);
}

static void
test_bad_reports_are_failures(void **state)
{
	static const struct {
		uint64_t engine_code, code, status;
		size_t payload, cut;
		enum script_code expected;
	} cases[] = {
	    {0, 0, 2000, 1, 0, SCRIPT_OK},
	    {0, 0, 5999, BENCH_RESULT_KIB * 1024, 0, SCRIPT_OK},
	    {0, 0, 2000, BENCH_RESULT_KIB * 1024 + 1, 0, SCRIPT_BAD_RESULT},
	    {0, 0, 1999, 1, 0, SCRIPT_BAD_RESULT},
	    {0, 0, 3000, 1, 0, SCRIPT_BAD_RESULT},
	    {0, 0, 6000, 1, 0, SCRIPT_BAD_RESULT},
	    {0, 0, 0, 1, 0, SCRIPT_BAD_RESULT},
	    {0, SCRIPT_THREW, 2000, 1, 0, SCRIPT_THREW},
	    {0, 17, 2000, 1, 0, SCRIPT_CRASHED},
	    {0, 0, 2000, 1, 1, SCRIPT_CRASHED},
	    {0, 0, 2000, 1, 1000, SCRIPT_CRASHED},
	    {4242, 0, 2000, 1, 0, SCRIPT_CRASHED},
	    {SCRIPT_MEMORY, 0, 2000, 1, 0, SCRIPT_MEMORY},
	};
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bench_request *r;
		struct msg_job job;
		struct buf bytes;

		encode_outcome(
		    &bytes, cases[i].code, cases[i].status, cases[i].payload);
		bytes.len -=
		    cases[i].cut < bytes.len ? cases[i].cut : bytes.len;
		bench_ticket(bench, engine, 1);
		r = bench_request(bench, IDP_ONE, "x", LONG_MS);
		job = bench_job(bench, engine, 1);
		report(bench, engine, &job, cases[i].engine_code,
		    buf_span(&bytes));
		buf_fini(&bytes);
		expect_code(bench, r, cases[i].expected);
	}
}

static void
test_only_the_holder_answers_and_once(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	int64_t stale = events("stale");
	struct bench_request *r;
	struct msg_job job, wrong;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	assert_int_equal(bench_ack(bench, a, &job).type, MSG_DONE);
	bench_expect_go_away(bench_ack(bench, b, &job), GO_AWAY_STALE);
	bench_finish(bench, b, &job, 2999, "theirs");
	wrong = job;
	wrong.attempt++;
	bench_finish(bench, a, &wrong, 2999, "other attempt");
	wrong = job;
	wrong.job++;
	bench_finish(bench, a, &wrong, 2999, "other job");
	assert_int_equal(events("stale"), stale + 3);
	bench_finish(bench, a, &job, 2000, "right");
	bench_finish(bench, a, &job, 2999, "again");
	assert_int_equal(events("stale"), stale + 4);
	bench_expect_served(bench, r, "a", 1);
}

static void
test_source_and_properties_are_the_holders(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_engine *b = bench_engine(bench, "b", "");
	struct message source = {.type = MSG_SOURCE_GET}, answer;
	struct message properties = {.type = MSG_PROPERTIES_GET};
	uint8_t other[DIGEST_BYTES] = {0};
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	assert_int_equal(bench_ack(bench, a, &job).type, MSG_DONE);
	source.source_get.job = properties.properties_get.job = job.job;
	source.source_get.source = job.source;
	properties.properties_get.properties = job.properties;
	answer = bench_call(bench, a, &source);
	assert_int_equal(answer.type, MSG_SOURCE);
	assert_true(span_is(answer.source.file, "One/complete.js"));
	answer = bench_call(bench, a, &properties);
	assert_int_equal(answer.type, MSG_PROPERTIES);
	bench_expect_go_away(bench_call(bench, b, &source), GO_AWAY_NOT_YOURS);
	bench_expect_go_away(
	    bench_call(bench, b, &properties), GO_AWAY_NOT_YOURS);
	source.source_get.source = span_of(other, sizeof other);
	bench_expect_go_away(bench_call(bench, a, &source), GO_AWAY_NOT_YOURS);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
	bench_expect_go_away(
	    bench_call(bench, a, &properties), GO_AWAY_NOT_YOURS);
}

static void
test_request_over_the_wires_limit_fails_alone(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *engine = bench_engine(bench, "a", "");
	size_t len = 600 * 1024;
	char *text = malloc(len + 1);
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	bench_ticket(bench, engine, 1);
	r = bench_request(bench, IDP_ONE, text, LONG_MS);
	expect_code(bench, r, SCRIPT_BAD_RESULT);
	free(text);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, engine, 1);
	bench_finish(bench, engine, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
}

/* ---- the end --------------------------------------------------------------
 */

static void *
drain(void *bench)
{
	dispatch_drain(((struct bench *)bench)->d, BENCH_DEADLINE_MS);
	return NULL;
}

static void
test_drain_ends_what_runs_and_refuses_the_rest(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_request *running, *waiting;
	struct msg_job job;
	pthread_t thread;

	(void)state;
	bench_ticket(bench, a, 1);
	running = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	waiting = bench_request(bench, IDP_ONE, "y", LONG_MS);
	bench_wait_queued(bench, 1);
	assert_int_equal(pthread_create(&thread, NULL, drain, bench), 0);
	bench_wait(bench, waiting);
	assert_int_equal(waiting->err, ERR_UNAVAILABLE);
	assert_int_equal(waiting->refusal, REFUSED_DRAINING);
	bench_request_free(waiting);
	assert_int_equal(
	    refused_now(bench, IDP_ONE, LONG_MS), REFUSED_DRAINING);
	bench_ticket(bench, a, 1);
	bench_expect_go_away(bench_answer(bench, a, 1), GO_AWAY_DRAINING);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, running, "a", 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
test_drain_keeps_to_its_grace(void **state)
{
	struct bench *bench = bench_new(QUEUE_MAX, QUEUE_MS);
	struct bench_engine *a = bench_engine(bench, "a", "");
	struct bench_request *r;
	struct msg_job job;

	(void)state;
	bench_ticket(bench, a, 1);
	bench_ticket(bench, a, 2);
	r = bench_request(bench, IDP_ONE, "x", LONG_MS);
	job = bench_job(bench, a, 1);
	bench_ack(bench, a, &job);
	dispatch_drain(bench->d, 50);
	bench_expect_go_away(bench_answer(bench, a, 2), GO_AWAY_DRAINING);
	bench_finish(bench, a, &job, 2000, "");
	bench_expect_served(bench, r, "a", 1);
}

static void
test_masking(void **state)
{
	static const char *const items[] = {"abc", "secret", "xxxx"};
	const struct string_set values = {items, 3};
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_non_null(arena);
	assert_true(span_is(
	    outcome_mask(span_str("secretabcsecret xxxxx"), &values, arena),
	    "***abc*** ***x"));
	assert_true(span_is(outcome_mask(span_str(""), &values, arena), ""));
	assert_false(
	    span_present(outcome_mask((struct span){NULL, 0}, &values, arena)));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_engine_refuses_at_once),
	    cmocka_unit_test(test_queue_has_an_end_a_share_and_a_time),
	    cmocka_unit_test(test_first_come_first_served_but_for_labels),
	    cmocka_unit_test(test_cancelled_job_gives_its_ticket_back),
	    cmocka_unit_test(test_held_job_that_never_starts_never_runs),
	    cmocka_unit_test(test_job_says_all_and_result_comes_back),
	    cmocka_unit_test(test_wall_time_is_cut_to_the_deadline),
	    cmocka_unit_test(test_result_brings_the_next_job),
	    cmocka_unit_test(test_bad_reports_are_failures),
	    cmocka_unit_test(test_only_the_holder_answers_and_once),
	    cmocka_unit_test(test_source_and_properties_are_the_holders),
	    cmocka_unit_test(test_request_over_the_wires_limit_fails_alone),
	    cmocka_unit_test(test_drain_ends_what_runs_and_refuses_the_rest),
	    cmocka_unit_test(test_drain_keeps_to_its_grace),
	    cmocka_unit_test(test_masking),
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
