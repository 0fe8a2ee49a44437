/*
 * One process, many executions: nothing an execution does reaches the next,
 * and nothing accumulates. The real executable over socketpairs.
 */
#include "tests/unit/runner_fixture.h"

/* Of SPEC 3.3's promise and the issue's: enough to show any leak. */
#define EXECUTIONS 10000

static struct message
run_kept(struct engine *engine, const char *data)
{
	struct message message = {.type = MSG_RUN};

	message.run = default_run;
	message.run.data = span_str(data);
	message.run.keep = true;
	peer_send(&engine->child, &message, -1);
	return message;
}

static struct msg_outcome
outcome_of(struct engine *engine)
{
	struct message message;

	do {
		assert_true(
		    peer_receive(&engine->child, SENDER_CHILD, &message));
	} while (message.type == MSG_LOG_LINE);
	assert_string_equal(
	    message_name(message.type), message_name(MSG_OUTCOME));
	return message.outcome;
}

static void
expect_idle(struct engine *engine)
{
	struct message message;

	expect(&engine->child, SENDER_CHILD, MSG_CHILD_IDLE, &message);
}

/* Runs with `data` and gives the payload as a string. */
static void
payload_of(struct engine *engine, const char *data, char *text_r, size_t bytes)
{
	struct msg_outcome outcome;

	(void)run_kept(engine, data);
	outcome = outcome_of(engine);
	if (outcome.code != SCRIPT_OK)
		fail_msg("%.*s", SPAN_ARG(outcome.message));
	(void)snprintf(text_r, bytes, "%.*s", SPAN_ARG(outcome.payload));
	expect_idle(engine);
}

/* The engine closes the socket of one it does not need. */
static void
dismiss(struct engine *engine)
{
	int status;

	assert_int_equal(shutdown(engine->child.fd, SHUT_WR), 0);
	status = reap(engine, NULL);
	assert_true(WIFEXITED(status));
}

/* What one execution spoils and the next one must find as it was. */
static const char spoiler[] =
    "var closure = (function () { var n = 0;"
    "  return function () { return ++n } })();"
    "var list = [1, 2], bytes = new Uint8Array(4), re = /a/g;"
    "var frozen = Object.freeze({a: 1});"
    "function hidden() { return 'own' }"
    "function look() { var seen = ["
    "  closure(), typeof leak, list.join(), bytes[0], re.lastIndex,"
    "  [].x, ''.x, (0).x, (function () {}).x, ({}).x, JSON.x, Math.x,"
    "  Object.getOwnPropertyNames(this).length,"
    "  Object.getOwnPropertyNames(Array.prototype).length,"
    "  Object.getOwnPropertyNames(String.prototype).length,"
    "  parseInt('11', 2), [3, 1, 2].sort().join(), JSON.stringify({a: 1}),"
    "  hidden(), typeof execute, PROPERTIES.url, String(new Date(0).getTime()),"
    "  Object.isFrozen(PROPERTIES), 'ab'.equals('ab'), typeof LOG.info,"
    "  isFinite(1), encodeURIComponent('ä'), (0.1 + 0.2), Error.x,"
    "  Object.prototype.toString.call([]), Date.x, typeof setTimeout,"
    "  'payload'.secret, typeof CACHE.fetch];"
    "  return seen.join('|') }"
    "function spoil() {"
    "  leak = 1; list.push(9); bytes[0] = 7; re.test('xa');"
    "  Array.prototype.x = String.prototype.x = Number.prototype.x ="
    "    Function.prototype.x = Object.prototype.x = JSON.x = Math.x ="
    "    Error.x = Date.x = 'left';"
    "  Array.prototype.sort = function () { return ['mine'] };"
    "  JSON.stringify = function () { return 'mine' };"
    "  parseInt = isFinite = function () { return 'mine' };"
    "  String.prototype.equals = null; hidden = null;"
    "  Object.defineProperty(this, 'getter', {get: function () {"
    "    return 'mine' }});"
    "  LOG.info = CACHE.fetch = null; delete this.encodeURIComponent;"
    "  Date = function () {}; PROPERTIES = {url: 'mine'};"
    "  Object.prototype.toJSON = function () { return {status: 2000,"
    "    responsePayload: 'spoilt'} };"
    "  execute = function () { return {status: 2000,"
    "    responsePayload: 'mine'} } }"
    "function execute(p) { LOG.info('line');"
    "  var seen = look(); if (p !== 'look') spoil();"
    "  return {status: 2000, responsePayload: seen} }";

static void
test_nothing_of_a_script_survives(void **state)
{
	struct engine engine;
	char first[2048], later[2048];

	(void)state;
	start(&engine, spoiler);
	fork_child(&engine);
	payload_of(&engine, "look", first, sizeof first);
	assert_memory_equal(first, "1|undefined|1,2|0|0||", 21);
	for (int i = 0; i < 5; i++) {
		payload_of(&engine, "{\"secret\":1}", later, sizeof later);
		payload_of(&engine, "look", later, sizeof later);
		assert_string_equal(later, first);
	}
	dismiss(&engine);
	stop(&engine);
}

static void
test_random_numbers_follow_the_seed_alone(void **state)
{
	struct engine engine;
	char first[64], second[64], again[64];

	(void)state;
	start(&engine,
	    "function execute(p) { for (var i = 0; i < p.length; i++)"
	    " Math.random(); return {status: 2000, responsePayload:"
	    " '' + Math.random()} }");
	fork_child(&engine);
	payload_of(&engine, "", first, sizeof first);
	payload_of(&engine, "xxxxx", second, sizeof second);
	assert_string_not_equal(first, second);
	payload_of(&engine, "", again, sizeof again);
	assert_string_equal(first, again);
	default_run.seed = span_of("X123456789abcdef0123456789abcdef", 32);
	payload_of(&engine, "", again, sizeof again);
	assert_string_not_equal(first, again);
	default_run.seed = span_of("0123456789abcdef0123456789abcdef", 32);
	dismiss(&engine);
	stop(&engine);
}

static void
answer_fetches(struct engine *engine, int count)
{
	struct message message;
	struct message answer = {.type = MSG_CACHE_VALUE};

	for (int i = 0; i < count; i++) {
		expect(&engine->child, SENDER_CHILD, MSG_CACHE_FETCH, &message);
		peer_send(&engine->child, &answer, -1);
	}
}

static void
test_each_execution_has_its_own_limits(void **state)
{
	struct engine engine;
	struct message message;

	(void)state;
	default_run.host_calls = 2;
	default_run.log_bytes = 100;
	start(&engine, "function execute() { CACHE.fetch('a');"
		       " CACHE.fetch('b'); LOG.info('12345678901234567890"
		       "12345678901234567890123456789012345678901234567890');"
		       " LOG.info('2nd'); return {status: 2000} }");
	fork_child(&engine);
	for (int i = 0; i < 3; i++) {
		(void)run_kept(&engine, NULL);
		answer_fetches(&engine, 2);
		expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
		assert_false(message.log_line.cut);
		expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
		assert_true(message.log_line.cut);
		assert_int_equal(outcome_of(&engine).code, SCRIPT_OK);
		expect_idle(&engine);
	}
	dismiss(&engine);
	stop(&engine);
	default_run.host_calls = 20;
	default_run.log_bytes = 16384;
}

/* Whatever is not a plain result costs the process. */
static void
test_an_abnormal_outcome_ends_the_process(void **state)
{
	static const char *const bodies[] = {"throw 1", "return 1",
	    "var s = 'x'; for (;;) s += s", "return {status: 1}",
	    "return {status: 2000, responsePayload: '\\ud800'}",
	    "for (;;) CACHE.fetch('k')"};
	struct engine engine;
	char source[256];
	int status;

	(void)state;
	default_run.host_calls = 1;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		(void)snprintf(source, sizeof source,
		    "function execute() { %s }", bodies[i]);
		start(&engine, source);
		fork_child(&engine);
		(void)run_kept(&engine, NULL);
		if (strstr(bodies[i], "CACHE") != NULL)
			answer_fetches(&engine, 1);
		assert_int_not_equal(outcome_of(&engine).code, SCRIPT_OK);
		status = reap(&engine, NULL);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), RUNNER_EXIT_DONE);
		stop(&engine);
	}
	default_run.host_calls = 20;
}

static void
test_without_keep_and_when_cold_it_exits(void **state)
{
	struct engine engine;

	(void)state;
	start(&engine, "function execute() { return {status: 2000} }");
	fork_child(&engine);
	(void)run_kept(&engine, NULL);
	assert_int_equal(outcome_of(&engine).code, SCRIPT_OK);
	expect_idle(&engine);
	run(&engine, NULL);
	assert_int_equal(outcome_of(&engine).code, SCRIPT_OK);
	finish(&engine);
	stop(&engine);
	load_as(&engine, real_runner,
	    "var now = Date.now(); function execute() {"
	    " return {status: 2000} }",
	    false, NO_UID);
	assert_true(is_cold(&engine));
	fork_child(&engine);
	(void)run_kept(&engine, NULL);
	assert_int_equal(outcome_of(&engine).code, SCRIPT_OK);
	finish(&engine);
	stop(&engine);
}

/* Resident pages by the kernel's word. */
static long
resident_pages(pid_t pid)
{
	char path[64];
	long size, resident = 0;
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
	(void)fclose(file);
	return resident;
}

/* Small and large, deep and wide, with and without log, caught errors. */
static const char busy[] =
    "var kept = []; function deep(n) { return n ? deep(n - 1) : 0 }"
    "function execute(p) { var n = p.length; kept.push(p);"
    " if (n % 7 === 0) { var a = []; for (var i = 0; i < 3000; i++)"
    "   a.push('entry ' + i); kept.push(a.sort()) }"
    " if (n % 11 === 0) deep(150); if (n % 5 === 0) LOG.warn('line {}', p);"
    " if (n % 13 === 0) kept.push(new Uint8Array(4000000));"
    " try { null.x } catch (e) { kept.push(e) }"
    " return {status: 2000, responsePayload: p,"
    "  user: {id: 'u', list: [n, n]}} }";

static void
check_leaks(struct engine *engine, int executions)
{
	static char data[400];
	uint64_t peaks[sizeof data] = {0};
	long settled = 0;

	memset(data, 'x', sizeof data);
	for (int i = 0; i < executions; i++) {
		size_t len = (size_t)i % (sizeof data - 1);
		struct msg_outcome outcome;

		data[len] = '\0';
		(void)run_kept(engine, data);
		data[len] = 'x';
		outcome = outcome_of(engine);
		assert_int_equal(outcome.code, SCRIPT_OK);
		assert_int_equal(outcome.payload.len, len);
		/* The same arguments, the same heap, to the byte. */
		if (peaks[len] == 0)
			peaks[len] = outcome.heap_peak_bytes;
		assert_int_equal(peaks[len], outcome.heap_peak_bytes);
		expect_idle(engine);
		if (i == 1000)
			settled = resident_pages(engine->child.pid);
	}
	assert_true(resident_pages(engine->child.pid) <= settled + 64);
}

static void
test_ten_thousand_executions_leak_nothing(void **state)
{
	struct engine engine;
	int executions = EXECUTIONS;

	(void)state;
#ifdef POSTERN_SANITIZED
	executions = 1100; /* quarantined memory is no leak of ours */
#endif
	start(&engine, busy);
	fork_child(&engine);
	check_leaks(&engine, executions);
	dismiss(&engine);
	stop(&engine);
}

/* More than what is restored by copying. */
static void
test_a_large_image_leaks_nothing_either(void **state)
{
	struct engine engine;
	char source[2048];

	(void)state;
	(void)snprintf(source, sizeof source,
	    "var library = []; for (var i = 0; i < 20000; i++)"
	    " library.push({name: 'function ' + i, number: i}); %s",
	    busy);
	start(&engine, source);
	fork_child(&engine);
	check_leaks(&engine, 1100);
	dismiss(&engine);
	stop(&engine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_of_a_script_survives),
	    cmocka_unit_test(test_random_numbers_follow_the_seed_alone),
	    cmocka_unit_test(test_each_execution_has_its_own_limits),
	    cmocka_unit_test(test_an_abnormal_outcome_ends_the_process),
	    cmocka_unit_test(test_without_keep_and_when_cold_it_exits),
	    cmocka_unit_test(test_ten_thousand_executions_leak_nothing),
	    cmocka_unit_test(test_a_large_image_leaks_nothing_either),
	};

	default_run = (struct msg_run){
	    .seed = span_of("0123456789abcdef0123456789abcdef", 32),
	    .result_bytes = 65536,
	    .log_bytes = 16384,
	    .cache_value_bytes = 65536,
	    .host_calls = 20,
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
