/*
 * What makes an execution repeatable: the clock a script sees and what is
 * kept of it, and sorting without chance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/runner/vm.h"
#include "proto/frame.h"

#define STARTED_MS 1700000000000

struct fixture {
	struct heap *heap;
	struct channel channel;
	int peer;
	struct vm vm;
	struct outcome outcome;
	struct msg_run run;
	struct buf clock; /* of the run, and then what the script was told */
};

static void
begin(struct fixture *f)
{
	int ends[2];

	memset(f, 0, sizeof *f);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	f->peer = ends[0];
	channel_init(&f->channel, ends[1]);
	f->heap = heap_open((size_t)16 << 20);
	assert_non_null(f->heap);
	vm_init(&f->vm, f->heap, &f->channel, NULL);
	outcome_init(&f->outcome);
	buf_init(&f->clock, CLOCK_READINGS_MAX_BYTES);
	f->run = (struct msg_run){
	    .seed = span_of("0123456789abcdef0123456789abcdef", 32),
	    .result_bytes = 10000,
	    .log_bytes = 100,
	    .host_calls = 20,
	};
}

static void
end(struct fixture *f)
{
	outcome_fini(&f->outcome);
	vm_fini(&f->vm);
	heap_close(f->heap);
	(void)close(f->peer);
	(void)close(f->channel.fd);
	channel_fini(&f->channel);
	buf_fini(&f->clock);
}

/* The payload of execute() with this body. */
static const char *
run(struct fixture *f, const char *body)
{
	char source[4096];
	struct vm_script script = {
	    span_str("Idp/complete.js"), {NULL, 0}, {NULL, 0}};

	(void)snprintf(
	    source, sizeof source, "function execute() { %s }", body);
	script.source = span_str(source);
	assert_int_equal(vm_load(&f->vm, &script, &f->outcome), SCRIPT_OK);
	assert_true(vm_run_top_level(&f->vm));
	vm_settle(&f->vm);
	outcome_fini(&f->outcome);
	vm_execute(&f->vm, &f->run, &f->outcome);
	if (f->outcome.code != SCRIPT_OK)
		fail_msg("%s", buf_cstr(&f->outcome.message));
	return buf_cstr(&f->outcome.payload);
}

static void
give(struct fixture *f, const int64_t *readings, size_t count)
{
	struct clock_writer writer = {.run_count = 0};

	for (size_t i = 0; i < count; i++)
		clock_writer_add(&writer, readings[i], &f->clock);
	clock_writer_flush(&writer, &f->clock);
	f->run.clock = buf_span(&f->clock);
}

static void
test_given(void **state)
{
	static const int64_t readings[] = {
	    STARTED_MS, STARTED_MS, STARTED_MS + 7, STARTED_MS - 1000};
	struct fixture f;

	(void)state;
	begin(&f);
	give(&f, readings, 4);
	assert_string_equal(
	    run(&f, "return {status: 2000, responsePayload: "
		    "[Date.now(), new Date().getTime(), +new Date(), Date(), "
		    "new Date().toISOString(), Date.now()].join()}"),
	    "1700000000000,1700000000000,1700000000007,"
	    "2023-11-14 22:13:19.000+00:00,2023-11-14T22:13:19.000Z,"
	    "1699999999000");
	end(&f);
}

static void
test_other_dates_ask_no_clock(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.run.record = true;
	assert_string_equal(
	    run(&f, "return {status: 2000, responsePayload: "
		    "[new Date(5).getTime(), new Date(1970, 0, 1, 0, 0, 0, 9)"
		    ".getTime(), Date.UTC(1970, 0), "
		    "Date.parse('1970-01-01T00:00:01Z'), "
		    "isNaN(new Date(undefined))].join()}"),
	    "5,9,0,1000,true");
	assert_int_equal(f.vm.clock.writer.run_count, 0);
	end(&f);
}

/* What clock_read says is what the script saw. */
static void
test_recorded(void **state)
{
	struct clock_reader reader;
	struct message message;
	struct fixture f;
	struct span cursor, body;
	char payload[64];
	char said[4096];
	int64_t first, second;
	ssize_t len;

	(void)state;
	begin(&f);
	f.run.record = true;
	(void)snprintf(payload, sizeof payload, "%s",
	    run(&f, "return {status: 2000, responsePayload: "
		    "Date.now() + ',' + Date.now()}"));
	assert_int_equal(script_clock_queue(&f.vm.clock, &f.channel), OK);
	assert_int_equal(channel_flush(&f.channel, NULL), OK);
	len = read(f.peer, said, sizeof said);
	assert_true(len > 0);
	cursor = span_of(said, (size_t)len);
	assert_int_equal(frame_next(&cursor, &body), OK);
	assert_int_equal(
	    message_decode(body, SENDER_CHILD, &message, NULL), OK);
	assert_int_equal(message.type, MSG_CLOCK_READ);
	clock_reader_init(&reader, message.clock_read.readings);
	assert_true(clock_reader_next(&reader, &first));
	assert_true(clock_reader_next(&reader, &second));
	assert_false(clock_reader_next(&reader, &second));
	(void)snprintf(said, sizeof said, "%lld,%lld", (long long)first,
	    (long long)second);
	assert_string_equal(said, payload);
	/* Nothing new: nothing is said. */
	assert_int_equal(script_clock_queue(&f.vm.clock, &f.channel), OK);
	assert_int_equal(f.channel.out.len, 0);
	end(&f);
}

static void
test_unrecorded_keeps_nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	(void)run(&f, "return {status: 2000, responsePayload: Date.now()}");
	assert_null(f.vm.clock.readings.data);
	assert_int_equal(f.vm.clock.writer.run_count, 0);
	end(&f);
}

static void
assert_sorts(const char *expression, const char *expected)
{
	struct fixture f;
	char body[1024];

	begin(&f);
	(void)snprintf(body, sizeof body,
	    "return {status: 2000, responsePayload: '' + (%s)}", expression);
	assert_string_equal(run(&f, body), expected);
	end(&f);
}

static void
test_sort(void **state)
{
	(void)state;
	assert_sorts("[]", "");
	assert_sorts("[10, 9, 1, 'b', 'a'].sort()", "1,10,9,a,b");
	assert_sorts(
	    "[3, 1, 2].sort(function (a, b) { return b - a })", "3,2,1");
	assert_sorts("JSON.stringify([3, , undefined, 1, null].sort())",
	    "[1,3,null,null,null]");
	assert_sorts("(function () { var a = [2, , undefined, 1]; a.sort(); "
		     "return [3 in a, 2 in a, a[2], a.length].join() })()",
	    "false,true,,4");
	assert_sorts("['\\u00e9', 'z', '\\ud83d\\ude00', '\\uffee'].sort()"
		     ".map(function (s) { return s.charCodeAt(0) })",
	    "122,233,55357,65518");
	assert_sorts(
	    "Array.prototype.sort.call({length: 2, 0: 2, 1: 1})[0]", "1");
	assert_sorts("(function () { try { [2, 1].sort(5) } "
		     "catch (e) { return e.name } })()",
	    "TypeError");
	assert_sorts("(function () { try { [2, 1].sort(function () "
		     "{ throw new Error('no') }) } "
		     "catch (e) { return e.message } })()",
	    "no");
	assert_sorts("Array.prototype.sort.name + [].sort.length", "sort1");
}

/* A thousand elements of which nearly all compare equal stay in their order:
 * with pivots by chance they never did. */
static void
test_sort_is_stable(void **state)
{
	(void)state;
	assert_sorts(
	    "(function () { var a = [], i, bad = 0; "
	    "for (i = 0; i < 1000; i++) a.push({k: (i * 7) % 3, i: i}); "
	    "a.sort(function (x, y) { return x.k - y.k }); "
	    "for (i = 1; i < 1000; i++) if (a[i - 1].k > a[i].k || "
	    "(a[i - 1].k === a[i].k && a[i - 1].i > a[i].i)) bad++; "
	    "return bad })()",
	    "0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_given),
	    cmocka_unit_test(test_other_dates_ask_no_clock),
	    cmocka_unit_test(test_recorded),
	    cmocka_unit_test(test_unrecorded_keeps_nothing),
	    cmocka_unit_test(test_sort),
	    cmocka_unit_test(test_sort_is_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
