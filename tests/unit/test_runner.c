/*
 * postern-runner as an engine sees it: the real executable over socketpairs.
 * The tests of what the filter kills need a build without a sanitizer and are
 * skipped by name in the others.
 */
#include <dirent.h>

#include "tests/unit/runner_fixture.h"

static void
test_a_run_ends_in_an_outcome(void **state)
{
	struct engine engine;
	struct msg_outcome outcome;
	struct rusage usage;
	int status;

	(void)state;
	start(&engine, "function execute(p) { return {status: 2000,"
		       " responsePayload: 'hi ' + p, user: {id: 'u1', url:"
		       " PROPERTIES.url}} }");
	for (int i = 0; i < 3; i++) {
		outcome = execute(&engine, "\xf0\x9f\x98\x80");
		assert_int_equal(outcome.code, SCRIPT_OK);
		assert_int_equal(outcome.status, 2000);
		assert_span(outcome.payload, "hi \xf0\x9f\x98\x80");
		assert_span(
		    outcome.user, "{\"id\":\"u1\",\"url\":\"http://x/\"}");
		assert_true(outcome.heap_peak_bytes > 10000);
		status = reap(&engine, &usage);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	stop(&engine);
}

static void
test_nothing_survives_an_execution(void **state)
{
	struct engine engine;
	struct msg_outcome outcome;
	char first[64];

	(void)state;
	start(&engine,
	    "var n = 0; function execute() { n++; Array.prototype.x ="
	    " (Array.prototype.x || 0) + 1;"
	    " return {status: 2000, responsePayload: n + '/' + [].x + '/' +"
	    " Math.random()} }");
	default_run.seed = span_of("0123456789abcdef0123456789abcdef", 32);
	outcome = execute(&engine, NULL);
	(void)snprintf(first, sizeof first, "%.*s", SPAN_ARG(outcome.payload));
	assert_memory_equal(first, "1/1/0.", 6);
	finish(&engine);
	default_run.seed = span_of("X123456789abcdef0123456789abcdef", 32);
	outcome = execute(&engine, NULL);
	assert_memory_equal(outcome.payload.data, "1/1/0.", 6);
	assert_false(span_is(outcome.payload, first));
	finish(&engine);
	stop(&engine);
}

static void
test_log_lines_and_cache_calls(void **state)
{
	struct engine engine;
	struct message message;
	struct message answer = {.type = MSG_CACHE_VALUE};
	const struct message done = {.type = MSG_CALL_DONE};
	struct message failed = {.type = MSG_CALL_FAILED};

	(void)state;
	start(&engine,
	    "LOG.debug('top');"
	    "function execute(p) { LOG.warn('a {} c {}', 'b', {d: 1});"
	    " CACHE.store('k', {v: p}, 60); var got = CACHE.fetch('k');"
	    " try { CACHE.take('k') } catch (e) {"
	    "  return {status: 4001, responsePayload: got + e.name + e.code +"
	    "   e.message} } }");
	fork_child(&engine);
	run(&engine, "x");
	expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
	assert_span(message.log_line.text, "top");
	expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
	assert_int_equal(message.log_line.level, 3);
	assert_span(message.log_line.text, "a b c {\"d\":1}");
	expect(&engine.child, SENDER_CHILD, MSG_CACHE_STORE, &message);
	assert_span(message.cache_store.key, "k");
	assert_span(message.cache_store.value, "{\"v\":\"x\"}");
	assert_int_equal(message.cache_store.ttl_secs, 60);
	peer_send(&engine.child, &done, -1);
	expect(&engine.child, SENDER_CHILD, MSG_CACHE_FETCH, &message);
	answer.cache_value.found = true;
	answer.cache_value.value = span_str("\xf0\x9f\x98\x80");
	peer_send(&engine.child, &answer, -1);
	expect(&engine.child, SENDER_CHILD, MSG_CACHE_TAKE, &message);
	failed.call_failed.error = span_str("stale");
	failed.call_failed.sentence = span_str("too late");
	peer_send(&engine.child, &failed, -1);
	expect(&engine.child, SENDER_CHILD, MSG_OUTCOME, &message);
	assert_int_equal(message.outcome.status, 4001);
	assert_span(
	    message.outcome.payload, "\xf0\x9f\x98\x80HostErrorstaletoo late");
	finish(&engine);
	stop(&engine);
}

static void
test_too_many_host_calls_cannot_be_caught(void **state)
{
	struct engine engine;
	struct message message;
	struct message answer = {.type = MSG_CACHE_VALUE};

	(void)state;
	default_run.host_calls = 2;
	start(&engine, "function execute() { for (;;) try { CACHE.fetch('k') }"
		       " catch (e) {} }");
	fork_child(&engine);
	run(&engine, NULL);
	for (int i = 0; i < 2; i++) {
		expect(&engine.child, SENDER_CHILD, MSG_CACHE_FETCH, &message);
		peer_send(&engine.child, &answer, -1);
	}
	expect(&engine.child, SENDER_CHILD, MSG_OUTCOME, &message);
	assert_int_equal(message.outcome.code, SCRIPT_HOST_CALLS);
	finish(&engine);
	stop(&engine);
	default_run.host_calls = 20;
}

static void
test_a_loop_is_killed_and_the_next_run_succeeds(void **state)
{
	struct engine engine;
	struct msg_outcome outcome;
	struct rusage usage;
	int status;

	(void)state;
	start(&engine, "function execute(p) { LOG.info('in'); if (p === 'loop')"
		       " while (1) {} return {status: 5000} }");
	fork_child(&engine);
	run(&engine, "loop");
	{
		struct message message;

		expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
	}
	assert_int_equal(kill(engine.child.pid, SIGKILL), 0);
	status = reap(&engine, &usage);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	fork_child(&engine);
	run(&engine, "ok");
	{
		struct message message;

		expect(&engine.child, SENDER_CHILD, MSG_LOG_LINE, &message);
		expect(&engine.child, SENDER_CHILD, MSG_OUTCOME, &message);
		outcome = message.outcome;
	}
	assert_int_equal(outcome.status, 5000);
	finish(&engine);
	stop(&engine);
}

static void
test_scripts_that_misbehave(void **state)
{
	static const struct {
		const char *body;
		enum script_code code;
	} samples[] = {
	    {"(function f() { f() })()", SCRIPT_THREW},
	    {"var s = 'x'; for (;;) s += s", SCRIPT_MEMORY},
	    {"var a = []; for (;;) a.push(new Uint8Array(100000))",
		SCRIPT_MEMORY},
	    {"throw null", SCRIPT_THREW},
	    {"throw {toString: function () { throw 1 }}", SCRIPT_THREW},
	    {"return {status: 1999}", SCRIPT_BAD_RESULT},
	    {"return {status: 2000, responsePayload: new Array(1e5).join('0123"
	     "456789')}",
		SCRIPT_BAD_RESULT},
	    {"new RegExp(new Array(11001).join('(') +"
	     " new Array(11001).join(')'))",
		SCRIPT_THREW},
	    {"new RegExp(new Array(9001).join('(?:') + 'x' +"
	     " new Array(9001).join(')*')).test(new Array(9000).join('x'))",
		SCRIPT_THREW},
	    {"var d = []; for (var i = 0; i < 5000; i++) d = [d];"
	     " JSON.stringify(d)",
		SCRIPT_THREW},
	};
	struct engine engine;

	(void)state;
#ifdef POSTERN_SANITIZED
	skip(); /* a sanitizer's frames are larger than duktape allows for */
#endif
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		char source[1024];
		struct msg_outcome outcome;

		(void)snprintf(source, sizeof source,
		    "function execute() { %s }", samples[i].body);
		start(&engine, source);
		outcome = execute(&engine, NULL);
		if (outcome.code != (uint64_t)samples[i].code)
			fail_msg("%s: %llu %.*s", samples[i].body,
			    (unsigned long long)outcome.code,
			    SPAN_ARG(outcome.message));
		finish(&engine);
		stop(&engine);
	}
}

static void
test_top_levels_that_make_a_release_cold(void **state)
{
	static const char *const tops[] = {"Math.random()", "new Date()",
	    "Date()", "Date.now()", "(new Date(0)).constructor.now()",
	    "CACHE.fetch('k')", "java.util.UUID.randomUUID()", "throw 1",
	    "try { Date.now() } catch (e) {}"};
	static const char *const warm[] = {"new Date(2020, 1, 1).getTime()",
	    "Date.UTC(2020, 1)", "var D = Date; Date.extra = 1",
	    "LOG.info('x')", "PROPERTIES.get('url')"};
	struct engine engine;
	char source[256];

	(void)state;
	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		(void)snprintf(source, sizeof source,
		    "%s; function execute() { return {status: 2000} }",
		    tops[i]);
		load_as(&engine, real_runner, source, false, NO_UID);
		if (!is_cold(&engine))
			fail_msg("not cold: %s", tops[i]);
		stop(&engine);
	}
	for (size_t i = 0; i < sizeof warm / sizeof warm[0]; i++) {
		(void)snprintf(source, sizeof source,
		    "%s; function execute() { return {status: 2000} }",
		    warm[i]);
		load_as(&engine, real_runner, source, false, NO_UID);
		if (is_cold(&engine))
			fail_msg("cold: %s", warm[i]);
		stop(&engine);
	}
}

static void
test_cold_runs_the_top_level_each_time(void **state)
{
	struct engine engine;
	struct msg_outcome outcome;

	(void)state;
	load_as(&engine, real_runner,
	    "var t = Date.now(); if (t > 5) {"
	    " this.execute = function (p) { return {status: 2001,"
	    " responsePayload: p} } }",
	    false, NO_UID);
	assert_true(is_cold(&engine));
	outcome = execute(&engine, "data");
	assert_int_equal(outcome.status, 2001);
	assert_span(outcome.payload, "data");
	finish(&engine);
	stop(&engine);
	load_as(&engine, real_runner, "\n\nnull.x", false, NO_UID);
	assert_true(is_cold(&engine));
	outcome = execute(&engine, "data");
	assert_int_equal(outcome.code, SCRIPT_THREW);
	assert_int_equal(outcome.line, 3);
	assert_span(outcome.file, "Idp/complete.js");
	finish(&engine);
	stop(&engine);
	/* Asked for: a top level that never ends does not run here. */
	load_as(&engine, real_runner, "for (;;) {}", true, NO_UID);
	assert_true(is_cold(&engine));
	stop(&engine);
	start(&engine, "var execute = 1");
	outcome = execute(&engine, NULL);
	assert_int_equal(outcome.code, SCRIPT_NO_EXECUTE);
	finish(&engine);
	stop(&engine);
}

static void
test_a_host_call_of_a_cold_top_level_keeps_the_arguments(void **state)
{
	struct engine engine;
	struct message message;
	struct message answer = {.type = MSG_CACHE_VALUE};

	(void)state;
	answer.cache_value.found = true;
	answer.cache_value.value = span_str("vvvvvvvvvvvvvvvvvvvvvvvvvvvv");
	load_as(&engine, real_runner,
	    "var v = CACHE.fetch('k'); function execute(p, u, r, h) {"
	    " return {status: 2000, responsePayload: v + p + r.a + h.b} }",
	    false, NO_UID);
	assert_true(is_cold(&engine));
	fork_child(&engine);
	message = (struct message){.type = MSG_RUN};
	message.run = default_run;
	message.run.data = span_str("data");
	message.run.registration_data = span_str("{\"a\":1}");
	message.run.custom_params = span_str("{\"b\":[\"2\"]}");
	peer_send(&engine.child, &message, -1);
	expect(&engine.child, SENDER_CHILD, MSG_CACHE_FETCH, &message);
	peer_send(&engine.child, &answer, -1);
	expect(&engine.child, SENDER_CHILD, MSG_OUTCOME, &message);
	assert_span(
	    message.outcome.payload, "vvvvvvvvvvvvvvvvvvvvvvvvvvvvdata12");
	finish(&engine);
	stop(&engine);
}

static void
test_what_does_not_compile_is_refused_with_its_line(void **state)
{
	struct engine engine;
	struct message message;
	int status;

	(void)state;
	load_as(&engine, real_runner, "function execute() {\n  return {\n",
	    false, NO_UID);
	expect(
	    &engine.template, SENDER_TEMPLATE, MSG_TEMPLATE_FAILED, &message);
	assert_int_equal(message.template_failed.code, SCRIPT_THREW);
	assert_int_equal(message.template_failed.line, 3);
	assert_memory_equal(
	    message.template_failed.message.data, "SyntaxError", 11);
	assert_int_equal(
	    waitpid(engine.template_pid, &status, 0), engine.template_pid);
	assert_int_equal(WEXITSTATUS(status), RUNNER_EXIT_SYNTAX);
	peer_close(&engine.template);
}

static void
test_native_code_is_killed(void **state)
{
	static const char *const calls[] = {"open()", "socket()", "connect()",
	    "fork()", "forkSibling()", "exec()", "ptrace()", "kill()",
	    "mmapExec()", "mprotectExec()", "writeOther(4)", "syscall(39)",
	    "syscall(435)", "syscall(0x40000000)"};
	struct engine engine;

	(void)state;
#ifdef POSTERN_SANITIZED
	skip(); /* its filter refuses instead of killing */
#endif
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		char source[256];
		struct message message;
		int status;

		(void)snprintf(source, sizeof source,
		    "function execute() { return {status: 2000,"
		    " responsePayload: '' + NATIVE.%s} }",
		    calls[i]);
		load_as(&engine, hostile_runner, source, false, NO_UID);
		assert_false(is_cold(&engine));
		fork_child(&engine);
		run(&engine, NULL);
		if (peer_receive(&engine.child, SENDER_CHILD, &message))
			fail_msg("%s: %.*s", calls[i],
			    SPAN_ARG(message.outcome.payload));
		status = reap(&engine, NULL);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %d", calls[i], status);
		stop(&engine);
	}
}

static void
test_native_code_of_a_top_level_is_killed(void **state)
{
	static const char *const calls[] = {"open()", "socket()", "connect()",
	    "fork()", "exec()", "ptrace()", "kill()", "mmapExec()",
	    "mprotectExec()", "writeOther(4)"};
	struct engine engine;

	(void)state;
#ifdef POSTERN_SANITIZED
	skip(); /* its filter refuses instead of killing */
#endif
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		char source[256];
		struct message message;
		int status;

		(void)snprintf(source, sizeof source, "NATIVE.%s", calls[i]);
		load_as(&engine, hostile_runner, source, false, NO_UID);
		assert_false(
		    peer_receive(&engine.template, SENDER_TEMPLATE, &message));
		assert_int_equal(waitpid(engine.template_pid, &status, 0),
		    engine.template_pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %d", calls[i], status);
		peer_close(&engine.template);
	}
}

static void
read_proc(pid_t pid, const char *name, char *out_r, size_t len)
{
	char path[64];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, out_r, len - 1);
	assert_true(n > 0);
	out_r[n] = '\0';
	(void)close(fd);
}

static void
assert_descriptors_are_3(pid_t pid)
{
	char path[64];
	DIR *dir;
	const struct dirent *entry;
	unsigned count = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
#ifdef POSTERN_SANITIZED
		if (strcmp(entry->d_name, "3") < 0)
			continue; /* 0-2 are kept for its reports */
#endif
		assert_string_equal(entry->d_name, "3");
		count++;
	}
	(void)closedir(dir);
	assert_int_equal(count, 1);
}

static void
test_the_kernel_confirms_the_layers(void **state)
{
	struct engine engine;
	char status[4096];
	long uid = getuid() == 0 ? OWN_UID : NO_UID;

	(void)state;
	if (getuid() != 0)
		skip(); /* only root may look into what is not dumpable */
	load_as(&engine, real_runner,
	    "function execute() { return {status: 2000} }", false, uid);
	assert_false(is_cold(&engine));
	fork_child(&engine);
	read_proc(engine.child.pid, "status", status, sizeof status);
	assert_non_null(strstr(status, "\nSeccomp:\t2\n"));
	assert_non_null(strstr(status, "\nSeccomp_filters:\t2\n"));
	assert_non_null(strstr(status, "\nNoNewPrivs:\t1\n"));
	assert_non_null(strstr(status, "\nCapEff:\t0000000000000000\n"));
	assert_non_null(strstr(status, "\nCapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(status, "\nCapBnd:\t0000000000000000\n"));
	assert_non_null(strstr(status, "\nUid:\t64123\t64123\t64123\t64123\n"));
	assert_non_null(strstr(status, "\nGid:\t64123\t64123\t64123\t64123\n"));
	assert_non_null(strstr(status, "\nGroups:\t \n"));
	assert_descriptors_are_3(engine.child.pid);
	assert_descriptors_are_3(engine.template_pid);
	read_proc(engine.template_pid, "status", status, sizeof status);
	assert_non_null(strstr(status, "\nSeccomp:\t2\n"));
	assert_non_null(strstr(status, "\nCapEff:\t0000000000000000\n"));
	run(&engine, NULL);
	finish(&engine);
	stop(&engine);
}

static int
compare_times(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
test_fork_to_outcome_time(void **state)
{
	enum { RUNS = 300 };
	struct engine engine;
	int64_t took[RUNS], ran[RUNS];
	int64_t total = 0;

	(void)state;
	start(&engine, "function execute(p) { return {status: 2000, user:"
		       " {id: 'user_' + Date.now(), amr: ['mfa', 'pwd']}} }");
	for (int i = 0; i < RUNS; i++) {
		struct message message;
		int64_t began = clock_mono_us();
		int64_t forked;

		fork_child(&engine);
		forked = clock_mono_us();
		run(&engine, "{\"a\":1}");
		expect(&engine.child, SENDER_CHILD, MSG_OUTCOME, &message);
		ran[i] = clock_mono_us() - forked;
		took[i] = clock_mono_us() - began;
		total += took[i];
		assert_int_equal(message.outcome.code, SCRIPT_OK);
		finish(&engine);
	}
	qsort(took, RUNS, sizeof took[0], compare_times);
	qsort(ran, RUNS, sizeof ran[0], compare_times);
	print_message("fork to outcome: median %lld us, least %lld us;"
		      " run to outcome: median %lld us\n",
	    (long long)took[RUNS / 2], (long long)took[0],
	    (long long)ran[RUNS / 2]);
	assert_true(total / RUNS < 100000); /* a hang, not slowness */
	stop(&engine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_run_ends_in_an_outcome),
	    cmocka_unit_test(test_nothing_survives_an_execution),
	    cmocka_unit_test(test_log_lines_and_cache_calls),
	    cmocka_unit_test(test_too_many_host_calls_cannot_be_caught),
	    cmocka_unit_test(test_a_loop_is_killed_and_the_next_run_succeeds),
	    cmocka_unit_test(test_scripts_that_misbehave),
	    cmocka_unit_test(test_top_levels_that_make_a_release_cold),
	    cmocka_unit_test(test_cold_runs_the_top_level_each_time),
	    cmocka_unit_test(
		test_a_host_call_of_a_cold_top_level_keeps_the_arguments),
	    cmocka_unit_test(
		test_what_does_not_compile_is_refused_with_its_line),
	    cmocka_unit_test(test_native_code_is_killed),
	    cmocka_unit_test(test_native_code_of_a_top_level_is_killed),
	    cmocka_unit_test(test_the_kernel_confirms_the_layers),
	    cmocka_unit_test(test_fork_to_outcome_time),
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
