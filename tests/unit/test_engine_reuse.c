/*
 * Children that serve more than one execution, and templates that are replaced
 * or evicted: the real postern-engine between a gateway played by this test
 * and a fake runner whose children tell their pid, or the real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/script_code.h"
#include "engine_gateway.h"
#include "proto/frame.h"

static struct gateway *gateway;
static uint64_t number;
static struct question *last; /* a result whose answer is the next job */

static int
start_with(const char *runner, const char *flag)
{
	gateway = gateway_start_as(runner, flag);
	gateway_welcome(gateway, 1);
	number = 0;
	last = NULL;
	return 0;
}

static int
start_fake(void **state)
{
	(void)state;
	return start_with(POSTERN_TEST_FAKE_RUNNER, NULL);
}

static int
start_renewing(void **state)
{
	(void)state;
	return start_with(POSTERN_TEST_RUNNER, "--template-forks=10");
}

static int
start_small(void **state)
{
	(void)state;
	return start_with(POSTERN_TEST_FAKE_RUNNER, "--templates-max-mib=8");
}

static int
start_real(void **state)
{
	(void)state;
	return start_with(POSTERN_TEST_RUNNER, NULL);
}

static int
stop(void **state)
{
	(void)state;
	if (last != NULL)
		gateway_answer_type(last, MSG_DONE);
	gateway_stop(gateway);
	return 0;
}

static struct message
job_of(const char *source, const char *data, uint64_t executions)
{
	struct message job = gateway_job(++number, source, data);

	job.job.executions_per_process = executions;
	return job;
}

/* Gives the job to whoever asks for one; the question holds its result, until
 * the next job is given. */
static struct question *
result_of(const struct message *job, const char *fetched_source)
{
	struct question *question = last;

	if (question == NULL)
		question = gateway_take(gateway, MSG_TICKET);
	assert_non_null(question);
	gateway_answer(question, job);
	if (fetched_source != NULL)
		gateway_serve_source(gateway, fetched_source);
	question = gateway_take(gateway, MSG_RESULT);
	assert_non_null(question);
	assert_int_equal(question->message.result.job, job->job.job);
	assert_true(question->message.result.ticket);
	last = question;
	return question;
}

static struct msg_outcome
outcome_in(const struct question *question)
{
	struct message message;

	assert_int_equal(question->message.result.code, SCRIPT_OK);
	assert_int_equal(message_decode(question->message.result.outcome,
			     SENDER_CHILD, &message, NULL),
	    OK);
	assert_int_equal(message.type, MSG_OUTCOME);
	return message.outcome;
}

/* The pid of the child that served a job with this data. */
static pid_t
pid_of(const char *data, uint64_t executions, bool is_first)
{
	struct message job = job_of("s", data, executions);
	struct question *result = result_of(&job, is_first ? "s" : NULL);
	struct msg_outcome outcome = outcome_in(result);
	char text[32];

	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(outcome.payload));
	return (pid_t)strtol(text, NULL, 10);
}

/* Runner processes of the engine: templates and children. */
static unsigned
count_runners(void)
{
	char path[64];
	unsigned count = 0;
	FILE *children;
	int pid;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children",
	    (int)gateway_engine(gateway), (int)gateway_engine(gateway));
	children = fopen(path, "re");
	assert_non_null(children);
	while (fscanf(children, "%d", &pid) == 1)
		count++;
	(void)fclose(children);
	return count;
}

#define SEEN_MAX 64

static unsigned
count_different(const pid_t *pids, unsigned count)
{
	unsigned different = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned j = 0;

		while (j < i && pids[j] != pids[i])
			j++;
		different += j == i;
	}
	return different;
}

static unsigned
times_seen(const pid_t *pids, unsigned count, pid_t pid)
{
	unsigned times = 0;

	for (unsigned i = 0; i < count; i++)
		times += pids[i] == pid;
	return times;
}

static void
test_one_execution_a_process_by_default(void **state)
{
	pid_t pids[20];

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		pids[i] = pid_of("pid", i % 2, i == 0);
	assert_int_equal(count_different(pids, 20), 20);
}

static void
test_a_process_serves_as_many_as_allowed(void **state)
{
	pid_t pids[SEEN_MAX];

	(void)state;
	for (unsigned i = 0; i < SEEN_MAX; i++)
		pids[i] = pid_of("pid", 5, i == 0);
	for (unsigned i = 0; i < SEEN_MAX; i++)
		assert_true(times_seen(pids, SEEN_MAX, pids[i]) <= 5);
	/* Two or three are warm at a time, the last ones not used up. */
	assert_true(count_different(pids, SEEN_MAX) <= SEEN_MAX / 5 + 4);
	assert_true(times_seen(pids, SEEN_MAX, pids[0]) == 5);
}

static void
test_what_misbehaves_between_two_is_not_kept(void **state)
{
	static const char *const data[] = {
	    "pid leaves", "pid mute", "pid chatty", "pid twice"};
	pid_t before;

	(void)state;
	(void)pid_of("pid", 1000, true);
	for (unsigned i = 0; i < sizeof data / sizeof data[0]; i++) {
		before = pid_of(data[i], 1000, false);
		for (int n = 0; n < 6; n++)
			assert_int_not_equal(
			    pid_of("pid", 1000, false), before);
	}
}

static void
test_a_kept_child_that_grows_is_replaced(void **state)
{
	pid_t pids[SEEN_MAX];

	(void)state;
	for (unsigned i = 0; i < SEEN_MAX; i++)
		pids[i] = pid_of("pid bloats", 1000, i == 0);
	for (unsigned i = 0; i < SEEN_MAX; i++)
		assert_true(times_seen(pids, SEEN_MAX, pids[i]) <= 16);
}

static void
test_an_ended_execution_ends_its_process(void **state)
{
	struct message job;
	struct question *result;
	unsigned i;

	(void)state;
	(void)pid_of("pid", 1000, true);
	for (i = 0; i < 3; i++) {
		job = job_of("s", "hang", 1000);
		job.job.wall_ms = 50;
		result = result_of(&job, NULL);
		assert_int_equal(result->message.result.code, SCRIPT_TIMEOUT);
		assert_true(pid_of("pid", 1000, false) > 0);
	}
}

/* CPU of earlier executions of the same process does not count. */
static void
test_cpu_is_counted_by_execution(void **state)
{
	static const char source[] =
	    "function execute(p) { var end = Date.now() + 60;"
	    " while (p === 'loop' || Date.now() < end);"
	    " return {status: 2000, responsePayload: 'done'} }";
	struct message job;
	struct question *result;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		job = job_of(source, "x", 1000);
		job.job.cpu_ms = 300;
		result = result_of(&job, i == 0 ? source : NULL);
		(void)outcome_in(result);
		assert_true(result->message.result.cpu_us < 300000);
	}
	job = job_of(source, "loop", 1000);
	job.job.cpu_ms = 100;
	result = result_of(&job, NULL);
	assert_int_equal(result->message.result.code, SCRIPT_TIMEOUT);
	assert_non_null(memmem(result->message.result.error.data,
	    result->message.result.error.len, "CPU", 3));
}

/* Built-ins of native code do not look at any clock: only SIGKILL helps. */
static void
test_a_long_built_in_is_killed_in_time(void **state)
{
	static const char source[] =
	    "function execute(p) { if (p === 'ok') return {status: 2000};"
	    " return {status: 2000,"
	    "  responsePayload: Array(1e9).join('x')} }";
	struct message job;
	struct question *result;
	int64_t since_ms;

	(void)state;
	job = job_of(source, "ok", 1);
	(void)outcome_in(result_of(&job, source));
	job = job_of(source, "x", 1);
	job.job.wall_ms = 300;
	since_ms = clock_mono_ms();
	result = result_of(&job, NULL);
	assert_int_equal(result->message.result.code, SCRIPT_TIMEOUT);
	assert_true(clock_mono_ms() - since_ms < 5000);
	job = job_of(source, "ok", 1);
	result = result_of(&job, NULL);
	(void)outcome_in(result);
}

static void
test_real_children_are_kept_and_pristine(void **state)
{
	static const char source[] =
	    "var n = 0; function execute(p) { Array.prototype.x = ++n;"
	    " if (p === 'throw') throw new Error('no');"
	    " return {status: 2000, responsePayload: '' + n} }";
	struct question *result;
	struct message job;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		job = job_of(source, i % 10 == 9 ? "throw" : "x", 1000);
		result = result_of(&job, i == 0 ? source : NULL);
		if (i % 10 == 9)
			assert_int_equal(outcome_in(result).code, SCRIPT_THREW);
		else
			assert_true(span_is(outcome_in(result).payload, "1"));
	}
}

static void
test_a_template_is_replaced_after_its_forks(void **state)
{
	static const char source[] =
	    "var n = 0; function execute() { return {status: 2000,"
	    " responsePayload: '' + ++n} }";

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct message job = job_of(source, "x", i % 3);

		assert_true(span_is(
		    outcome_in(result_of(&job, i == 0 ? source : NULL)).payload,
		    "1"));
	}
	/* One template, and no more children than are warm or were just used.
	 */
	assert_true(count_runners() <= 1 + 2 + 3);
}

/* 8 MiB: room for two templates with their children. */
static void
test_the_least_recently_used_template_goes(void **state)
{
	char source[2] = "a";

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct message job;

		source[0] = (char)('a' + i);
		job = job_of(source, "x", 1);
		(void)outcome_in(result_of(&job, source));
		assert_true(count_runners() <= 3 * 4 + 2);
	}
	/* The last one is still there, the first one has to be fetched. */
	{
		struct message job = job_of("l", "x", 1);

		(void)outcome_in(result_of(&job, NULL));
		job = job_of("a", "x", 1);
		(void)outcome_in(result_of(&job, "a"));
	}
}

int
main(void)
{
#define WITH(kind, test) \
	cmocka_unit_test_setup_teardown(test, start_##kind, stop)
	const struct CMUnitTest tests[] = {
	    WITH(fake, test_one_execution_a_process_by_default),
	    WITH(fake, test_a_process_serves_as_many_as_allowed),
	    WITH(fake, test_what_misbehaves_between_two_is_not_kept),
	    WITH(fake, test_a_kept_child_that_grows_is_replaced),
	    WITH(fake, test_an_ended_execution_ends_its_process),
	    WITH(renewing, test_a_template_is_replaced_after_its_forks),
	    WITH(small, test_the_least_recently_used_template_goes),
	    WITH(real, test_cpu_is_counted_by_execution),
	    WITH(real, test_a_long_built_in_is_killed_in_time),
	    WITH(real, test_real_children_are_kept_and_pristine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
