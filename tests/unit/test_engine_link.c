/*
 * The real postern-engine between a gateway played by this test and either a
 * fake runner that misbehaves on demand or the real one.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/script_code.h"
#include "engine_gateway.h"
#include "proto/frame.h"

static struct gateway *gateway;

static int
start_fake(void **state)
{
	(void)state;
	gateway = gateway_start(POSTERN_TEST_FAKE_RUNNER);
	gateway_welcome(gateway, 1);
	return 0;
}

static int
start_real(void **state)
{
	(void)state;
	gateway = NULL;
	if (access(POSTERN_TEST_RUNNER, X_OK) != 0)
		return 0;
	gateway = gateway_start(POSTERN_TEST_RUNNER);
	gateway_welcome(gateway, 1);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	if (gateway != NULL)
		gateway_stop(gateway);
	return 0;
}

static struct question *
take(enum message_type type)
{
	struct question *question = gateway_take(gateway, type);

	assert_non_null(question);
	return question;
}

/* Gives the job to the next ticket; a template's first also its source. */
static void
give(struct message job)
{
	gateway_answer(take(MSG_TICKET), &job);
}

static void
give_first(uint64_t number, const char *source, const char *data)
{
	give(gateway_job(number, source, data));
	gateway_serve_source(gateway, source);
}

static struct question *
take_result(uint64_t number, enum script_code code)
{
	struct question *question = take(MSG_RESULT);
	const struct msg_result *result = &question->message.result;

	if (result->code != code)
		(void)fprintf(stderr, "error: %.*s\n", SPAN_ARG(result->error));
	assert_int_equal(result->job, number);
	assert_int_equal(result->code, code);
	return question;
}

/* The payload of an outcome the gateway got. */
static void
assert_payload(const struct question *question, const char *expected)
{
	struct span outcome = question->message.result.outcome;
	struct message message;

	assert_int_equal(
	    message_decode(outcome, SENDER_CHILD, &message, NULL), OK);
	assert_int_equal(message.type, MSG_OUTCOME);
	assert_int_equal(message.outcome.code, 0);
	assert_int_equal(message.outcome.payload.len, strlen(expected));
	assert_memory_equal(
	    message.outcome.payload.data, expected, strlen(expected));
}

/* The engine still works: one more job goes through. */
static void
assert_serves(uint64_t number)
{
	struct question *result;

	give(gateway_job(number, "s", "again"));
	result = take_result(number, SCRIPT_OK);
	assert_payload(result, "again");
	gateway_answer_type(result, MSG_DONE);
}

static void
test_result_carries_ticket(void **state)
{
	struct question *result;
	struct message job;

	(void)state;
	give_first(1, "s", "one");
	result = take_result(1, SCRIPT_OK);
	assert_payload(result, "one");
	assert_true(result->message.result.ticket);
	job = gateway_job(2, "s", "two");
	gateway_answer(result, &job);
	result = take_result(2, SCRIPT_OK);
	assert_payload(result, "two");
	gateway_answer_type(result, MSG_DONE);
}

static void
test_wall_limit(void **state)
{
	struct message job = gateway_job(1, "s", "hang");
	int64_t since_ms;
	struct question *result;

	(void)state;
	job.job.wall_ms = 200;
	since_ms = clock_mono_ms();
	give(job);
	gateway_serve_source(gateway, "s");
	result = take_result(1, SCRIPT_TIMEOUT);
	assert_true(clock_mono_ms() - since_ms >= 200);
	assert_true(result->message.result.run_us >= 200000);
	gateway_answer_type(result, MSG_DONE);
	assert_serves(2);
}

static void
test_cpu_limit(void **state)
{
	struct message job = gateway_job(1, "s", "loop");
	struct question *result;

	(void)state;
	job.job.wall_ms = 60000;
	job.job.cpu_ms = 100;
	give(job);
	gateway_serve_source(gateway, "s");
	result = take_result(1, SCRIPT_TIMEOUT);
	assert_true(result->message.result.cpu_us >= 100000);
	gateway_answer_type(result, MSG_DONE);
	assert_serves(2);
}

static void
test_child_ends(void **state)
{
	static const struct {
		const char *data;
		enum script_code code;
	} ends[] = {{"segv", SCRIPT_CRASHED}, {"sigsys", SCRIPT_VIOLATION},
	    {"exit70", SCRIPT_MEMORY}, {"closes", SCRIPT_CRASHED},
	    {"garbage", SCRIPT_CRASHED}, {"huge", SCRIPT_CRASHED}};
	struct question *result;

	(void)state;
	give_first(1, "s", "first");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		give(gateway_job(10 + i, "s", ends[i].data));
		result = take_result(10 + i, ends[i].code);
		assert_true(result->message.result.error.len > 0);
		gateway_answer_type(result, MSG_DONE);
		assert_serves(100 + i);
	}
}

static void
test_log_is_cut(void **state)
{
	struct question *result;
	struct message message = {.type = MSG_NONE};
	struct span cursor;
	struct span body;
	unsigned lines = 0;

	(void)state;
	give_first(1, "s", "log");
	result = take_result(1, SCRIPT_OK);
	cursor = result->message.result.log;
	while (frame_next(&cursor, &body) == OK) {
		assert_int_equal(
		    message_decode(body, SENDER_CHILD, &message, NULL), OK);
		assert_int_equal(message.type, MSG_LOG_LINE);
		lines++;
	}
	assert_int_equal(cursor.len, 0);
	assert_true(message.log_line.cut);
	assert_true(lines > 500 && lines < 2000);
	gateway_answer_type(result, MSG_DONE);
}

static void
test_host_calls(void **state)
{
	struct question *question;
	struct message value = {.type = MSG_CACHE_VALUE};

	(void)state;
	give_first(7, "s", "store");
	question = take(MSG_CACHE_STORE);
	assert_int_equal(question->message.cache_store.job, 7);
	assert_int_equal(question->message.cache_store.attempt, 1);
	gateway_answer_type(question, MSG_DONE);
	question = take_result(7, SCRIPT_OK);
	assert_payload(question, "call_done");
	assert_int_equal(question->message.result.host_calls, 1);
	gateway_answer_type(question, MSG_DONE);

	give(gateway_job(8, "s", "fetch"));
	value.cache_value.found = true;
	value.cache_value.value = span_str("kept");
	gateway_answer(take(MSG_CACHE_FETCH), &value);
	question = take_result(8, SCRIPT_OK);
	assert_payload(question, "kept");
	gateway_answer_type(question, MSG_DONE);

	give(gateway_job(9, "s", "endless"));
	for (int i = 0; i < 20; i++)
		gateway_answer(take(MSG_CACHE_FETCH), &value);
	gateway_answer_type(take_result(9, SCRIPT_HOST_CALLS), MSG_DONE);
}

static void
test_stale_call_kills(void **state)
{
	(void)state;
	give_first(1, "s", "store");
	gateway_go_away(take(MSG_CACHE_STORE), GO_AWAY_STALE);
	/* No result: the slots ask for more. */
	assert_serves(2);
	assert_serves(3);
}

static void
test_ack_refused_kills(void **state)
{
	(void)state;
	give_first(1, "s", "hang");
	gateway_go_away(take(MSG_ACK), GO_AWAY_NOT_YOURS);
	assert_serves(2);
	assert_serves(3);
}

static void
test_killed_runners_come_back(void **state)
{
	(void)state;
	give_first(1, "s", "hang");
	gateway_answer_type(take(MSG_ACK), MSG_DONE);
	assert_true(gateway_kill_runners(gateway) >= 2);
	gateway_answer_type(take_result(1, SCRIPT_CRASHED), MSG_DONE);
	assert_serves(2);
	assert_serves(3);
}

static void
test_result_survives_connection(void **state)
{
	struct question *question;
	struct message job = gateway_job(1, "s", "hang");

	(void)state;
	job.job.wall_ms = 300;
	give(job);
	gateway_serve_source(gateway, "s");
	gateway_hang_up(gateway, take(MSG_ACK));
	/* Not welcomed before it has ended. */
	question = take(MSG_HELLO);
	assert_true(question->message.hello.running.len > 0);
	gateway_go_away(question, GO_AWAY_DRAINING);
	question = take(MSG_HELLO);
	gateway_go_away(question, GO_AWAY_DRAINING);
	question = take(MSG_HELLO);
	assert_true(question->message.hello.running.len > 0);
	gateway_go_away(question, GO_AWAY_DRAINING);
	gateway_welcome(gateway, 1);
	gateway_answer_type(take_result(1, SCRIPT_TIMEOUT), MSG_DONE);
	assert_serves(2);
}

/* Answered but not heard: it is sent again, and told that it is old. */
static void
test_result_is_sent_again(void **state)
{
	(void)state;
	give_first(1, "s", "one");
	gateway_hang_up(gateway, take_result(1, SCRIPT_OK));
	gateway_welcome(gateway, 1);
	gateway_go_away(take_result(1, SCRIPT_OK), GO_AWAY_STALE);
	assert_serves(2);
	assert_serves(3);
}

static void
test_call_lost_with_connection(void **state)
{
	struct message value = {.type = MSG_CACHE_VALUE};

	(void)state;
	give_first(1, "s", "store");
	gateway_hang_up(gateway, take(MSG_CACHE_STORE));
	gateway_welcome(gateway, 1);
	gateway_answer_type(take_result(1, SCRIPT_LOST), MSG_DONE);

	give(gateway_job(2, "s", "fetch"));
	gateway_hang_up(gateway, take(MSG_CACHE_FETCH));
	gateway_welcome(gateway, 1);
	gateway_answer(take(MSG_CACHE_FETCH), &value);
	gateway_answer_type(take_result(2, SCRIPT_OK), MSG_DONE);
}

static void
test_new_gateway_boot_drops_jobs(void **state)
{
	(void)state;
	give_first(1, "s", "hang");
	gateway_hang_up(gateway, take(MSG_ACK));
	gateway_welcome(gateway, 2);
	assert_serves(2);
	assert_serves(3);
}

static void
test_unknown_session(void **state)
{
	(void)state;
	gateway_go_away(take(MSG_TICKET), GO_AWAY_UNKNOWN_SESSION);
	gateway_welcome(gateway, 1);
	give_first(1, "s", "one");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
}

static void
test_silent_gateway_is_dialled_anew(void **state)
{
	(void)state;
	gateway_set_deaf(gateway, true);
	gateway_welcome(gateway, 1);
	gateway_set_deaf(gateway, false);
	give_first(1, "s", "one");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
}

static void
test_unusable_answers(void **state)
{
	struct message answer = {.type = MSG_SOURCE};
	struct question *question;

	(void)state;
	answer.source.text = span_str("x");
	answer.source.file = span_str("x");
	gateway_answer(take(MSG_TICKET), &answer);
	/* A source that is refused costs the job, not the engine. */
	give(gateway_job(1, "s", "one"));
	gateway_go_away(take(MSG_SOURCE_GET), GO_AWAY_BAD_MESSAGE);
	gateway_answer_type(take_result(1, SCRIPT_CRASHED), MSG_DONE);
	question = take(MSG_PROPERTIES_GET);
	answer = (struct message){.type = MSG_PROPERTIES};
	answer.properties.json = span_str("{}");
	gateway_answer(question, &answer);
	give(gateway_job(2, "s", "two"));
	answer = (struct message){.type = MSG_SOURCE};
	answer.source.text = span_str("s");
	answer.source.file = span_str("x");
	gateway_answer(take(MSG_SOURCE_GET), &answer);
	gateway_answer_type(take_result(2, SCRIPT_OK), MSG_DONE);
}

static void
test_template_failures(void **state)
{
	struct question *result;

	(void)state;
	give_first(1, "fails", "x");
	result = take_result(1, SCRIPT_THREW);
	assert_non_null(memmem(result->message.result.error.data,
	    result->message.result.error.len, "complete.js:7", 13));
	gateway_answer_type(result, MSG_DONE);

	give_first(2, "dies", "x");
	gateway_answer_type(take_result(2, SCRIPT_CRASHED), MSG_DONE);

	give_first(3, "slow", "x");
	result = take_result(3, SCRIPT_OK);
	assert_true(result->message.result.cold);
	gateway_answer_type(result, MSG_DONE);

	give_first(4, "never ready", "x");
	gateway_answer_type(take_result(4, SCRIPT_CRASHED), MSG_DONE);

	give_first(5, "s", "x");
	gateway_answer_type(take_result(5, SCRIPT_OK), MSG_DONE);
}

/* A child in other hands can say all that its socket takes; only words of a
 * child are heard, and only about its own job. */
static void
test_lying_children(void **state)
{
	static const char *const lies[] = {"forge result", "forge source_get",
	    "forge template_ready", "forge child_ready"};
	struct question *result;

	(void)state;
	give_first(1, "s", "first");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
	for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		give(gateway_job(10 + i, "s", lies[i]));
		result = take_result(10 + i, SCRIPT_CRASHED);
		assert_null(result->message.result.outcome.data);
		gateway_answer_type(result, MSG_DONE);
		assert_serves(100 + i);
	}
}

/* Whom the template forked is not for it to say: the engine believes the
 * kernel, and signals nobody it did not get as a child. Other templates go on.
 */
static void
test_lying_templates(void **state)
{
	static const char *const lies[] = {"lies itself", "lies grandchild"};

	(void)state;
	give_first(1, "s", "first");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
	for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct message job = gateway_job(10 + i, lies[i], "x");

		job.job.wall_ms = 200;
		give(job);
		gateway_serve_source(gateway, lies[i]);
		assert_serves(100 + i);
		gateway_answer_type(
		    take_result(10 + i, SCRIPT_TIMEOUT), MSG_DONE);
		assert_serves(200 + i);
	}
}

/* Two processes on one socket: the second is nobody. */
static void
test_twins(void **state)
{
	struct question *result;

	(void)state;
	give_first(1, "s", "first");
	gateway_answer_type(take_result(1, SCRIPT_OK), MSG_DONE);
	give_first(2, "lies twins", "x");
	result = take(MSG_RESULT);
	assert_int_equal(result->message.result.job, 2);
	assert_int_not_equal(result->message.result.code, SCRIPT_VIOLATION);
	gateway_answer_type(result, MSG_DONE);
	assert_serves(100);
}

static void
test_drain(void **state)
{
	struct message job = gateway_job(1, "s", "hang");
	struct question *result;

	(void)state;
	job.job.wall_ms = 500;
	give(job);
	gateway_serve_source(gateway, "s");
	gateway_answer_type(take(MSG_ACK), MSG_DONE);
	kill(gateway_engine(gateway), SIGTERM);
	result = take_result(1, SCRIPT_TIMEOUT);
	assert_false(result->message.result.ticket);
	gateway_answer_type(result, MSG_DONE);
	assert_int_equal(gateway_wait_exit(gateway), 0);
}

/* The gateway's operator drains the engine: as SIGTERM does. */
static void
test_told_to_leave(void **state)
{
	struct message job = gateway_job(1, "s", "hang");
	struct question *result;

	(void)state;
	job.job.wall_ms = 500;
	give(job);
	gateway_serve_source(gateway, "s");
	gateway_go_away(take(MSG_TICKET), GO_AWAY_LEAVE);
	result = take_result(1, SCRIPT_TIMEOUT);
	assert_false(result->message.result.ticket);
	gateway_answer_type(result, MSG_DONE);
	assert_int_equal(gateway_wait_exit(gateway), 0);
}

/* The gateway keeps a result's ticket; that is not owed any more. */
static void
test_drain_with_tickets_out(void **state)
{
	(void)state;
	give_first(1, "s", "one");
	(void)take_result(1, SCRIPT_OK);
	kill(gateway_engine(gateway), SIGTERM);
	assert_int_equal(gateway_wait_exit(gateway), 0);
}

static const char echo_script[] =
    "function execute(p) { return {status: 2000, responsePayload: p}; }";

static void
test_real_script(void **state)
{
	struct question *result;

	(void)state;
	if (gateway == NULL)
		skip();
	give_first(1, echo_script, "hello");
	result = take_result(1, SCRIPT_OK);
	assert_payload(result, "hello");
	gateway_answer_type(result, MSG_DONE);
}

static void
test_real_loop(void **state)
{
	struct message job;

	(void)state;
	if (gateway == NULL)
		skip();
	job = gateway_job(1, "function execute() { while (1) {} }", "x");
	job.job.wall_ms = 300;
	give(job);
	gateway_serve_source(gateway, "function execute() { while (1) {} }");
	gateway_answer_type(take_result(1, SCRIPT_TIMEOUT), MSG_DONE);
}

static void
test_real_cache(void **state)
{
	static const char script[] =
	    "function execute(p) { CACHE.store('k', p);"
	    " return {status: 2000, responsePayload: CACHE.fetch('k')}; }";
	struct message value = {.type = MSG_CACHE_VALUE};
	struct question *question;

	(void)state;
	if (gateway == NULL)
		skip();
	give_first(1, script, "hello");
	question = take(MSG_CACHE_STORE);
	assert_int_equal(question->message.cache_store.value.len, 5);
	gateway_answer_type(question, MSG_DONE);
	value.cache_value.found = true;
	value.cache_value.value = span_str("kept");
	gateway_answer(take(MSG_CACHE_FETCH), &value);
	question = take_result(1, SCRIPT_OK);
	assert_payload(question, "kept");
	gateway_answer_type(question, MSG_DONE);
}

#define FAKE(test) cmocka_unit_test_setup_teardown(test, start_fake, stop)
#define REAL(test) cmocka_unit_test_setup_teardown(test, start_real, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FAKE(test_result_carries_ticket),
	    FAKE(test_wall_limit),
	    FAKE(test_cpu_limit),
	    FAKE(test_child_ends),
	    FAKE(test_log_is_cut),
	    FAKE(test_host_calls),
	    FAKE(test_stale_call_kills),
	    FAKE(test_ack_refused_kills),
	    FAKE(test_killed_runners_come_back),
	    FAKE(test_result_survives_connection),
	    FAKE(test_result_is_sent_again),
	    FAKE(test_call_lost_with_connection),
	    FAKE(test_new_gateway_boot_drops_jobs),
	    FAKE(test_unknown_session),
	    FAKE(test_silent_gateway_is_dialled_anew),
	    FAKE(test_unusable_answers),
	    FAKE(test_lying_children),
	    FAKE(test_lying_templates),
	    FAKE(test_twins),
	    FAKE(test_template_failures),
	    FAKE(test_drain),
	    FAKE(test_told_to_leave),
	    FAKE(test_drain_with_tickets_out),
	    REAL(test_real_script),
	    REAL(test_real_loop),
	    REAL(test_real_cache),
	};

	/* nng's threads must not outlive what main() leaves: end at once. */
	_exit(cmocka_run_group_tests(tests, NULL, NULL));
}
