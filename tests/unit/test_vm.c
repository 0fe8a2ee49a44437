/*
 * execute() in this process, without sandbox or engine: arguments, results,
 * exceptions, the globals. Host calls are answered ahead through a socketpair.
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

struct fixture {
	struct heap *heap;
	struct channel channel;
	int peer;
	struct vm vm;
	struct outcome outcome;
	struct msg_run run;
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
	f->run = (struct msg_run){
	    .seed = span_of("0123456789abcdef0123456789abcdef", 32),
	    .result_bytes = 1000,
	    .log_bytes = 100,
	    .cache_value_bytes = 50,
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
}

static void
execute(struct fixture *f, const char *source)
{
	const struct vm_script script = {span_str("Idp/complete.js"),
	    span_str(source),
	    span_str("{\"my_url\":\"http://x/\",\"get\":\"g\","
		     "\"__proto__\":\"p\",\"signing\":null}")};

	assert_int_equal(vm_load(&f->vm, &script, &f->outcome), SCRIPT_OK);
	assert_true(vm_run_top_level(&f->vm));
	vm_settle(&f->vm);
	outcome_fini(&f->outcome);
	vm_execute(&f->vm, &f->run, &f->outcome);
}

/* The body of execute() with the payload, and what it must come to. */
static void
assert_payload(const char *data, const char *body, const char *expected)
{
	struct fixture f;
	char source[2048];

	begin(&f);
	f.run.data = span_str(data);
	(void)snprintf(
	    source, sizeof source, "function execute(p, u, r, h) { %s }", body);
	execute(&f, source);
	if (f.outcome.code != SCRIPT_OK || !f.outcome.has_payload ||
	    strcmp(buf_cstr(&f.outcome.payload), expected) != 0)
		fail_msg("%s\n  %d %s\n  got  %s\n  want %s", body,
		    (int)f.outcome.code, buf_cstr(&f.outcome.message),
		    buf_cstr(&f.outcome.payload), expected);
	end(&f);
}

/* Evaluates an expression in execute(). */
static void
assert_value(const char *data, const char *expression, const char *expected)
{
	char body[1500];

	(void)snprintf(body, sizeof body,
	    "return {status: 2000, responsePayload: '' + (%s)}", expression);
	assert_payload(data, body, expected);
}

static void
assert_failure(const char *body, enum script_code code, const char *message)
{
	struct fixture f;
	char source[2048];

	begin(&f);
	(void)snprintf(
	    source, sizeof source, "function execute(p, u, r, h) { %s }", body);
	execute(&f, source);
	if (f.outcome.code != code ||
	    strstr(buf_cstr(&f.outcome.message), message) == NULL)
		fail_msg("%s\n  got  %d %s\n  want %d %s", body,
		    (int)f.outcome.code, buf_cstr(&f.outcome.message),
		    (int)code, message);
	assert_int_equal(f.outcome.payload.len, 0);
	assert_int_equal(f.outcome.user.len, 0);
	end(&f);
}

static void
test_shapes_of_the_original_product(void **state)
{
	struct fixture f;

	(void)state;
	assert_payload(NULL, "return {status: 2000, responsePayload: ''}", "");
	begin(&f);
	execute(&f, "function execute(requestPayload) { var id = 'user-' +"
		    " (Date.now() > 0); return {status: 2000, user: {id: id,"
		    " amr: ['mfa', 'pwd'], given: 'Ann'}} }");
	assert_int_equal(f.outcome.code, SCRIPT_OK);
	assert_false(f.outcome.has_payload);
	assert_string_equal(buf_cstr(&f.outcome.user),
	    "{\"id\":\"user-true\",\"amr\":[\"mfa\",\"pwd\"],\"given\":"
	    "\"Ann\"}");
	end(&f);
}

static void
answer(struct fixture *f, const struct message *message)
{
	struct buf out;

	buf_init(&out, 65536);
	assert_int_equal(frame_append(&out, message, NULL), OK);
	assert_int_equal(write(f->peer, out.data, out.len), (ssize_t)out.len);
	buf_fini(&out);
}

static void
test_backchannel_leaves_a_value(void **state)
{
	struct fixture f;
	const struct message done = {.type = MSG_CALL_DONE};
	uint8_t bytes[1024];
	struct span cursor, body;
	struct message call;
	ssize_t n;

	(void)state;
	begin(&f);
	answer(&f, &done);
	f.run.data = span_str("{\"userId\":\"u7\"}");
	execute(&f, "function execute(p) { var key = p.userId + '_1';"
		    " CACHE.store(key, p.userId);"
		    " return {status: 2000, responsePayload: key} }");
	assert_int_equal(f.outcome.code, SCRIPT_OK);
	assert_string_equal(buf_cstr(&f.outcome.payload), "u7_1");
	n = read(f.peer, bytes, sizeof bytes);
	assert_true(n > 0);
	cursor = span_of(bytes, (size_t)n);
	assert_int_equal(frame_next(&cursor, &body), OK);
	assert_int_equal(message_decode(body, SENDER_CHILD, &call, NULL), OK);
	assert_int_equal(call.type, MSG_CACHE_STORE);
	assert_true(span_is(call.cache_store.key, "u7_1"));
	assert_true(span_is(call.cache_store.value, "u7"));
	assert_int_equal(call.cache_store.ttl_secs, 0);
	end(&f);
}

static void
test_request_payload(void **state)
{
	static const char object[] =
	    "{\"a\":{\"b\":1},\"length\":99,\"1x\":2,\"$d_\":3,\"toString\":4,"
	    "\"__proto__\":{\"q\":1},\"equals\":5,\"z-z\":6}";

	(void)state;
	assert_value(NULL,
	    "p === null && u === null && r === null &&"
	    " h === null",
	    "true");
	assert_value("x", "typeof p + p.length", "string1");
	assert_value("", "typeof p + p.length", "string0");
	assert_value(
	    object, "typeof p + p.a.b + (p.a === p.a) + p.$d_", "string1true3");
	assert_value(object, "p.length > 50", "true");
	assert_value(object, "p['1x'] + '' + p['z-z'] + p.q",
	    "undefinedundefinedundefined");
	assert_value(object, "p.toString() === p && p.equals(p)", "true");
	assert_value(
	    object, "'other'.a + '' + new String(p).a", "undefinedundefined");
	assert_value(object, "JSON.parse(p).a.b", "1");
	assert_value(object,
	    "(function () { var n = []; for (var k in"
	    " new String('')) n.push(k); return n })()",
	    "");
	assert_value("[1]", "p.length", "3");
	assert_value("{broken", "p.length", "7");
	assert_value("\xf0\x9f\x98\x80", "p.length + p", "2\xf0\x9f\x98\x80");
	assert_value("{\"e\":\"\xf0\x9f\x98\x80\"}", "p.e", "\xf0\x9f\x98\x80");
}

static void
test_results_are_json(void **state)
{
	(void)state;
	assert_payload(NULL,
	    "return {status: 2000, responsePayload: {a: [1, 'x'],"
	    " f: function () {}, t: new Date(0)}}",
	    "{\"a\":[1,\"x\"],\"t\":\"1970-01-01T00:00:00.000Z\"}");
	assert_payload(
	    NULL, "return {status: 4000, responsePayload: false}", "false");
	assert_payload(NULL, "return {status: 5999, responsePayload: 0}", "0");
	assert_payload(NULL,
	    "return {toJSON: function () { return {status: 2000,"
	    " responsePayload: 'j'} }}",
	    "j");
	assert_payload(NULL,
	    "JSON.stringify = JSON.parse = null; JSON = 1;"
	    " return {status: 2000, responsePayload: {a: 1}}",
	    "{\"a\":1}");
	assert_payload(NULL,
	    "return {status: 2000, responsePayload: {status: '\"}',"
	    " user: 1}}",
	    "{\"status\":\"\\\"}\",\"user\":1}");
	assert_payload(NULL,
	    "return {status: 2000, responsePayload: '\\ud83d\\ude00'}",
	    "\xf0\x9f\x98\x80");
}

static void
test_pollution_fakes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	assert_failure("Object.prototype.status = 2000; return {}",
	    SCRIPT_BAD_RESULT, "the result has no status");
	assert_failure("return Object.create({status: 2000})",
	    SCRIPT_BAD_RESULT, "the result has no status");
	begin(&f);
	execute(&f,
	    "function execute() { Object.prototype.user = {id: 'x'};"
	    " Object.defineProperty(Object.prototype, 'registrationData',"
	    " {get: function () { return 1 }, set: function () {}});"
	    " return {status: 2000} }");
	assert_int_equal(f.outcome.code, SCRIPT_OK);
	assert_int_equal(f.outcome.user.len, 0);
	assert_int_equal(f.outcome.registration_data.len, 0);
	end(&f);
}

static void
test_bad_results(void **state)
{
	static const struct {
		const char *body;
		const char *message;
	} samples[] = {
	    {"return", "execute returned nothing that JSON can express"},
	    {"return null", "execute returned null, not an object"},
	    {"return [1]", "execute returned an array, not an object"},
	    {"return 'x'", "execute returned a string, not an object"},
	    {"return function () {}", "execute returned nothing"},
	    {"return {status: '2000'}", "status is a string, not a number"},
	    {"return {status: NaN}", "status is null, not a number"},
	    {"return {status: [2000]}", "status is an array, not a number"},
	    {"return {status: 2000.5}", "which is not an integer"},
	    {"return {status: 1999}",
		"status is 1999, which is in none of the ranges 2000-2999,"
		" 4000-4999 and 5000-5999"},
	    {"return {status: 3000}", "status is 3000"},
	    {"return {status: 6000}", "status is 6000"},
	    {"return {status: -2000}", "status is -2000"},
	    {"return {status: 1e300}", "in none of the ranges"},
	    {"return {status: 2000, user: 'x'}",
		"user is a string, not an object"},
	    {"return {status: 2000, user: []}",
		"user is an array, not an object"},
	    {"return {status: 2000, responsePayload: '\\ud800'}",
		"responsePayload contains half a surrogate pair"},
	    {"return {status: 2000, responsePayload: {a: '\\udc00'}}",
		"responsePayload contains half a surrogate pair"},
	    {"return {status: 2000, user: {id: '\\ud800x'}}",
		"user contains half a surrogate pair"},
	    {"return {status: 2000, responsePayload: new Array(1002).join('x')"
	     "}",
		"the result is 1001 bytes long, its limit is 1000"},
	    {"return {status: 2000, responsePayload: new Array(600).join('x'),"
	     " registrationData: new Array(600).join('x')}",
		"the result is 1200 bytes long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		assert_failure(
		    samples[i].body, SCRIPT_BAD_RESULT, samples[i].message);
	assert_payload(NULL,
	    "return {status: 2000, user: null, registrationData: undefined,"
	    " responsePayload: 'x'}",
	    "x");
}

static void
test_exceptions(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	execute(&f, "function execute() {\n  inner()\n}\n"
		    "function inner() {\n  null.x\n}");
	assert_int_equal(f.outcome.code, SCRIPT_THREW);
	assert_int_equal(f.outcome.line, 5);
	assert_string_equal(buf_cstr(&f.outcome.file), "Idp/complete.js");
	assert_memory_equal(f.outcome.message.data, "TypeError: ", 11);
	assert_non_null(strstr(buf_cstr(&f.outcome.stack), "inner"));
	end(&f);
	assert_failure("throw 'text'", SCRIPT_THREW, "text");
	assert_failure("throw null", SCRIPT_THREW, "null");
	assert_failure("throw undefined", SCRIPT_THREW, "undefined");
	assert_failure("throw {toString: function () { throw new Error('in')"
		       " }}",
	    SCRIPT_THREW, "in");
	assert_failure("var e = new Error('m'); Object.defineProperty(e,"
		       " 'stack', {get: function () { throw 1 }}); throw e",
	    SCRIPT_THREW, "m");
	assert_failure("throw new Error('\\ud800' + new Array(9000).join('x'))",
	    SCRIPT_THREW, "\xef\xbf\xbd");
	assert_failure("return {status: 2000, get user() { throw new"
		       " TypeError('getter') }}",
	    SCRIPT_THREW, "TypeError: getter");
	assert_failure("var a = {}; a.a = a; return {status: 2000, user: a}",
	    SCRIPT_THREW, "cyclic");
	assert_failure("var a = []; for (;;) a.push(new Uint8Array(1e5))",
	    SCRIPT_MEMORY, "alloc failed");
	assert_failure("try { new Uint8Array(1e9) } catch (e) {}"
		       " throw new Error('mine')",
	    SCRIPT_THREW, "mine");
}

/* What scripts from elsewhere look for (script_shims.def), and keys. */
static void
test_shims(void **state)
{
	(void)state;
	assert_failure("return REST_TEMPLATE.get('x')", SCRIPT_THREW,
	    "ReferenceError: REST_TEMPLATE is not available: use HTTP.get(");
	assert_failure("return Java.type('x')", SCRIPT_THREW,
	    "ReferenceError: Java is not available: there is no Java here");
	assert_failure("return require('crypto')", SCRIPT_THREW,
	    "require is not available: there are no modules");
	assert_failure("return java.lang.String", SCRIPT_THREW,
	    "Error: java.lang is not available: ");
	assert_failure("return new java.util.HashMap()", SCRIPT_THREW,
	    "java.util.HashMap is not available: use an object");
	assert_failure("return unknownName", SCRIPT_THREW,
	    "ReferenceError: identifier 'unknownName' undefined");
	assert_value(NULL,
	    "(function () { try { fetch('x') } catch (e) { return "
	    "(e instanceof ReferenceError) + ' ' + typeof fetch } })()",
	    "true undefined");
	assert_failure("(function f() { return f() + 1 })()", SCRIPT_THREW,
	    "RangeError: callstack limit");
	assert_failure("return PROPERTIES.get('signing')", SCRIPT_THREW,
	    "this property has kind: key");
	assert_failure("return PROPERTIES.signing", SCRIPT_THREW,
	    "this property has kind: key");
	assert_value(NULL, "JSON.stringify(Object.keys(PROPERTIES).sort())",
	    "[\"__proto__\",\"my_url\"]");
}

static void
test_crypto(void **state)
{
	(void)state;
	/* FIPS 180-2 and RFC 4231 test case 2. */
	assert_value(NULL, "CRYPTO.sha256('abc')",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_value(
	    NULL, "CRYPTO.sha384('abc').slice(0, 16)", "cb00753f45a35e8b");
	assert_value(
	    NULL, "CRYPTO.sha512('abc').slice(0, 16)", "ddaf35a193617aba");
	assert_value(NULL,
	    "CRYPTO.hmacSha256('Jefe', 'what do ya want for nothing?')",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_value(NULL,
	    "CRYPTO.hmacSha512('Jefe', 'what do ya want for "
	    "nothing?').slice(0, 16)",
	    "164b7a7bfcf819e2");
	assert_value(NULL, "CRYPTO.sha256('', 'base64')",
	    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	assert_value(
	    NULL, "CRYPTO.base64Encode('\\u00fc\\ud83d\\ude00')", "w7zwn5iA");
	assert_value(NULL,
	    "CRYPTO.base64Decode('w7zwn5iA') === "
	    "'\\u00fc\\ud83d\\ude00'",
	    "true");
	assert_value(NULL,
	    "CRYPTO.hexEncode(CRYPTO.base64urlDecode('_-8', 'bytes'))", "ffef");
	assert_failure(
	    "CRYPTO.base64urlDecode('_-8')", SCRIPT_THREW, "no UTF-8 text");
	assert_failure(
	    "CRYPTO.hexDecode('abc')", SCRIPT_THREW, "the text is not hex");
	assert_failure("CRYPTO.sha256(7)", SCRIPT_THREW, "must be a string");
	assert_value(NULL,
	    "[CRYPTO.timingSafeEqual('a', 'a'), CRYPTO.timingSafeEqual('a', "
	    "'b'), CRYPTO.timingSafeEqual('a', 'aa'), "
	    "CRYPTO.timingSafeEqual('a', new Uint8Array([97]))]",
	    "true,false,false,true");
	assert_value(NULL,
	    "[CRYPTO.randomBytes(16).length, CRYPTO.randomBytes(4, "
	    "'hex').length, CRYPTO.randomUUID().length]",
	    "16,8,36");
	assert_failure("CRYPTO.randomBytes(4097)", SCRIPT_THREW, "count");
}

static void
test_globals(void **state)
{
	(void)state;
	assert_value(NULL,
	    "[typeof Duktape, typeof CBOR, typeof performance,"
	    " typeof require, typeof print, typeof fetch,"
	    " typeof String.fromBufferRaw]",
	    "undefined,undefined,undefined,undefined,undefined,undefined,"
	    "undefined");
	assert_value(NULL,
	    "[PROPERTIES.my_url, PROPERTIES.get('my_url'),"
	    " PROPERTIES.get('none'), PROPERTIES.get('get'),"
	    " PROPERTIES.get('toString'),"
	    " PROPERTIES.get('__proto__'),"
	    " Object.isFrozen(PROPERTIES),"
	    " typeof PROPERTIES.get]",
	    "http://x/,http://x/,,g,,p,true,function");
	assert_value(NULL,
	    "'a'.equals('a') + '' + 'a'.equals('b') +"
	    " 'a'.equals(null)",
	    "truefalsefalse");
	assert_value(NULL,
	    "/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]"
	    "[0-9a-f]{3}-[0-9a-f]{12}$/.test("
	    "java.util.UUID.randomUUID())",
	    "true");
	assert_value(NULL,
	    "Math.random() >= 0 && Math.random() < 1 &&"
	    " Math.random() !== Math.random()",
	    "true");
	assert_value(NULL,
	    "[new Date() instanceof Date, typeof Date(),"
	    " Date.length, Date.name, new Date(2020, 0, 2)"
	    ".getDate(), Date.UTC(1970, 0, 2),"
	    " Date.parse('1970-01-01T00:00:01Z'),"
	    " new Date(5).constructor === Date,"
	    " Object.prototype.toString.call(new Date(0)),"
	    " new Date().getTimezoneOffset(),"
	    " Math.abs(new Date() - Date.now()) < 1000,"
	    " Object.keys(Date).length]",
	    "true,string,7,Date,2,86400000,1000,true,[object Date],0,true,0");
}

static void
test_cache_arguments(void **state)
{
	static const struct {
		const char *call;
		const char *message;
	} samples[] = {
	    {"CACHE.store()", "TypeError: the key must be a string"},
	    {"CACHE.store('', 'x')", "TypeError: the key must be"},
	    {"CACHE.fetch(5)", "TypeError: the key must be"},
	    {"CACHE.take(null)", "TypeError: the key must be"},
	    {"CACHE.delete(Symbol('x'))", "TypeError: the key must be"},
	    {"CACHE.fetch(new Array(1026).join('k'))",
		"RangeError: the key is longer than 1024 bytes"},
	    {"CACHE.fetch('\\ud800')",
		"TypeError: the key contains half a surrogate pair"},
	    {"CACHE.store('k')", "TypeError: the value must be"},
	    {"CACHE.store('k', function () {})",
		"TypeError: the value must be"},
	    {"CACHE.store('k', new Array(52).join('v'))",
		"RangeError: the value is longer than 50 bytes"},
	    {"CACHE.store('k', 'v', 0)", "RangeError: ttlSeconds must be"},
	    {"CACHE.store('k', 'v', 1.5)", "RangeError: ttlSeconds"},
	    {"CACHE.store('k', 'v', '9')", "RangeError: ttlSeconds"},
	    {"CACHE.increment('k', -1)", "RangeError: ttlSeconds"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		assert_failure(
		    samples[i].call, SCRIPT_THREW, samples[i].message);
}

/* Every log line in the socket as "level:text;", a cut one with "!". */
static void
collect_log(struct fixture *f, char *out_r, size_t len)
{
	static uint8_t bytes[65536];
	ssize_t n = recv(f->peer, bytes, sizeof bytes, MSG_DONTWAIT);
	struct span cursor, body;
	struct message line;
	size_t used = 0;

	out_r[0] = '\0';
	if (n <= 0)
		return;
	cursor = span_of(bytes, (size_t)n);
	while (frame_next(&cursor, &body) == OK) {
		assert_int_equal(
		    message_decode(body, SENDER_CHILD, &line, NULL), OK);
		used += (size_t)snprintf(out_r + used, len - used, "%d:%.*s%s;",
		    (int)line.log_line.level, SPAN_ARG(line.log_line.text),
		    line.log_line.cut ? "!" : "");
	}
}

static void
assert_log(const char *body, const char *expected)
{
	struct fixture f;
	char source[1024], lines[4096];

	begin(&f);
	(void)snprintf(source, sizeof source,
	    "function execute() { %s; return {status: 2000} }", body);
	execute(&f, source);
	assert_int_equal(f.outcome.code, SCRIPT_OK);
	collect_log(&f, lines, sizeof lines);
	assert_string_equal(lines, expected);
	end(&f);
}

static void
test_log_lines(void **state)
{
	(void)state;
	assert_log("LOG.trace('{}-{}', 1, null)", "0:1-null;");
	assert_log("console.log('a', 'b', {c: [1]})", "2:a b {\"c\":[1]};");
	assert_log("LOG.error()", "4:;");
	assert_log("LOG.info('{} {}', 'x')", "2:x {};");
	assert_log("LOG.info('{}', '{}', 'y')", "2:{} y;");
	assert_log("LOG.warn({a: undefined})", "3:{};");
	assert_log("LOG.warn('{}', {toJSON: function () {"
		   " LOG.debug('in'); return 'j' }})",
	    "1:in;3:\"j\";");
	assert_log("LOG.warn('{}', {toJSON: function () { throw 1 }})",
	    "3:[object Object];");
	assert_log("LOG.info('\\ud83d\\ude00\\ud800')",
	    "2:\xf0\x9f\x98\x80\xef\xbf\xbd;");
}

static void
test_log_is_cut_and_the_run_goes_on(void **state)
{
	char expected[256];

	(void)state;
	(void)snprintf(expected, sizeof expected, "2:%.90s;2:xxxxxxxxxx!;",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_log("LOG.info(new Array(91).join('a'));"
		   " LOG.info(new Array(30).join('x')); LOG.info('never')",
	    expected);
	assert_log(
	    "for (var i = 0; i < 50; i++) LOG.info('')", "2:;2:;2:;2:!;");
}

static void
test_top_level_reach(void **state)
{
	struct fixture f;
	const struct vm_script cold = {span_str("x.js"),
	    span_str("try { Math.random() } catch (e) {}"), {NULL, 0}};
	const struct vm_script bad = {
	    span_str("x.js"), span_str("var a;\nvar = 1"), {NULL, 0}};

	(void)state;
	begin(&f);
	assert_int_equal(vm_load(&f.vm, &cold, &f.outcome), SCRIPT_OK);
	assert_false(vm_run_top_level(&f.vm));
	assert_string_equal(f.vm.cold_reason, "Math.random");
	assert_int_equal(vm_load(&f.vm, &bad, &f.outcome), SCRIPT_THREW);
	assert_int_equal(f.outcome.line, 2);
	assert_string_equal(buf_cstr(&f.outcome.file), "x.js");
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shapes_of_the_original_product),
	    cmocka_unit_test(test_backchannel_leaves_a_value),
	    cmocka_unit_test(test_request_payload),
	    cmocka_unit_test(test_results_are_json),
	    cmocka_unit_test(test_pollution_fakes_nothing),
	    cmocka_unit_test(test_bad_results),
	    cmocka_unit_test(test_exceptions),
	    cmocka_unit_test(test_shims),
	    cmocka_unit_test(test_crypto),
	    cmocka_unit_test(test_globals),
	    cmocka_unit_test(test_cache_arguments),
	    cmocka_unit_test(test_log_lines),
	    cmocka_unit_test(test_log_is_cut_and_the_run_goes_on),
	    cmocka_unit_test(test_top_level_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
