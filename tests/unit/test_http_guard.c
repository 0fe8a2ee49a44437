/* The framing guard: what it lets through and what it refuses, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/http_head_sample.h"

#define POST "POST /a HTTP/1.1\r\n"
#define HOST "Host: gw.example:8080\r\n"
#define END  "\r\n"

static enum http_refusal
check(const char *text, size_t len, struct http_framing *framing_r)
{
	struct head_sample sample;
	enum http_refusal refusal = HTTP_REFUSAL_COUNT;

	if (head_sample_cut(text, len, &sample))
		refusal = http_guard_check(&sample.head, framing_r);
	/* The framing's spans end with the sample: lengths only from here. */
	head_sample_free(&sample);
	return refusal;
}

static void
expect(const char *text, enum http_refusal expected)
{
	struct http_framing framing = {0};
	enum http_refusal refusal = check(text, strlen(text), &framing);

	if (refusal != expected)
		fail_msg("%d instead of %d for: %s", (int)refusal,
		    (int)expected, text);
}

static void
lets_proper_requests_through(void **state)
{
	(void)state;
	expect(POST HOST END, HTTP_REFUSAL_NONE);
	expect("GET /a?b=c&d HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_NONE);
	expect("GET /a? HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_NONE);
	expect("GET /%2f//.. HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_NONE);
	expect("GET /a HTTP/1.0\r\n\r\n", HTTP_REFUSAL_NONE);
	expect("GET /a HTTP/1.0\r\nX: y\r\n\r\n", HTTP_REFUSAL_NONE);
	expect(POST "Host:[::1]:80\r\n" END, HTTP_REFUSAL_NONE);
	expect(POST HOST "Empty:\r\nBlank:   \r\nLast:\r\n" END,
	    HTTP_REFUSAL_NONE);
	expect(POST HOST "Name: caf\xc3\xa9\r\n" END, HTTP_REFUSAL_NONE);
}

static void
reads_the_framing(void **state)
{
	static const char text[] =
	    POST HOST "content-length:  0012 \r\nContent-Type: a/b\r\n"
		      "AUTHORIZATION: Basic abc\r\nAccept: x\r\n" END;
	struct head_sample sample;
	struct http_framing framing = {0};

	(void)state;
	assert_true(head_sample_cut(text, sizeof text - 1, &sample));
	assert_int_equal(
	    http_guard_check(&sample.head, &framing), HTTP_REFUSAL_NONE);
	assert_int_equal(framing.content_length, 12);
	assert_true(span_is(framing.host, "gw.example:8080"));
	assert_true(span_is(framing.content_type, "a/b"));
	assert_true(span_is(framing.authorization, "Basic abc"));
	assert_true(span_is(framing.accept, "x"));
	assert_true(framing.may_keep);
	assert_false(framing.expects_continue);
	assert_false(framing.is_http_1_0);
	head_sample_free(&sample);
}

static bool
keeps(const char *text)
{
	struct http_framing framing = {0};

	assert_int_equal(
	    check(text, strlen(text), &framing), HTTP_REFUSAL_NONE);
	return framing.may_keep;
}

static void
keeps_only_what_the_client_keeps(void **state)
{
	(void)state;
	assert_true(keeps(POST HOST END));
	assert_true(keeps(POST HOST "Connection: Keep-Alive\r\n" END));
	assert_false(keeps(POST HOST "Connection: close\r\n" END));
	/* civetweb hides how the request line ended: LF SP here */
	assert_false(
	    keeps("POST /a HTTP/1.1\n Content-Length: 5\r\n" HOST END));
	assert_false(keeps(POST "content-length: 5\r\n" HOST END));
	assert_true(keeps(POST HOST "Content-Length: 5\r\n" END));
	assert_false(keeps(POST HOST "Connection: upgrade\r\n" END));
	assert_false(keeps(
	    POST HOST "Connection: keep-alive\r\nConnection: close\r\n" END));
	assert_false(
	    keeps("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n" END));
}

static void
refuses_two_lengths(void **state)
{
	(void)state;
	expect(POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n" END,
	    HTTP_REFUSAL_REPEATED);
	expect(POST HOST
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END,
	    HTTP_REFUSAL_LENGTH_AND_ENCODING);
	expect(POST HOST "Transfer-Encoding: chunked\r\n" END,
	    HTTP_REFUSAL_ENCODING);
	expect(POST HOST "transfer-encoding:\r\n" END, HTTP_REFUSAL_ENCODING);
}

static void
refuses_odd_lengths(void **state)
{
	static const char *const values[] = {
	    "", "5x", "+5", "-5", "0x5", "5, 5", "5 5", "\xd9\xa5", "5."};
	struct http_framing framing = {0};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		(void)snprintf(text, sizeof text,
		    POST HOST "Content-Length: %s\r\n" END, values[i]);
		expect(text, HTTP_REFUSAL_LENGTH);
	}
	(void)snprintf(text, sizeof text,
	    POST HOST "Content-Length: 18446744073709551621\r\n" END);
	assert_int_equal(
	    check(text, strlen(text), &framing), HTTP_REFUSAL_NONE);
	assert_true(framing.content_length == UINT64_MAX);
}

static void
refuses_repeats(void **state)
{
	(void)state;
	expect(POST HOST HOST END, HTTP_REFUSAL_REPEATED);
	expect(POST HOST "Authorization: a\r\nauthorization: b\r\n" END,
	    HTTP_REFUSAL_REPEATED);
	expect(POST HOST "Content-Type: a\r\nContent-Type: a\r\n" END,
	    HTTP_REFUSAL_REPEATED);
}

static void
refuses_bad_hosts(void **state)
{
	(void)state;
	expect("GET /a HTTP/1.1\r\nX: y\r\n" END, HTTP_REFUSAL_HOST);
	expect(POST "Host:\r\n" END, HTTP_REFUSAL_HOST);
	expect(POST "Host: a, b\r\n" END, HTTP_REFUSAL_HOST);
	expect(POST "Host: a@b\r\n" END, HTTP_REFUSAL_HOST);
	expect(POST "Host: a/b\r\n" END, HTTP_REFUSAL_HOST);
}

static void
refuses_what_the_library_forgave(void **state)
{
	(void)state;
	/* folded: first, in the middle, last */
	expect(POST " X: y\r\n" HOST END, HTTP_REFUSAL_LINE);
	expect(POST HOST "X: y\r\n z: q\r\nB: c\r\n" END, HTTP_REFUSAL_LINE);
	expect(POST HOST "X: y\r\n z\r\n" END, HTTP_REFUSAL_LINE);
	/* bare LF: all, the request line's, a header's, the last one's */
	expect("GET /a HTTP/1.1\nHost: h\n\n", HTTP_REFUSAL_LINE);
	expect("GET /a HTTP/1.1\nHost: h\r\n\r\n", HTTP_REFUSAL_LINE);
	expect(POST "Host: h\nX: y\r\n" END, HTTP_REFUSAL_LINE);
	expect(POST "Host: h\n\n", HTTP_REFUSAL_LINE);
	expect(POST "Host: h\r\n\n", HTTP_REFUSAL_LINE);
	/* a blank before the colon */
	expect(POST "Host : h\r\n" END, HTTP_REFUSAL_NAME);
	expect(POST HOST "Content-Length : 5\r\n" END, HTTP_REFUSAL_NAME);
	/* a line that ends the library's list before the head's end */
	expect(POST HOST ": v\r\nContent-Length: 5\r\n" END, HTTP_REFUSAL_LINE);
	expect(POST HOST "X(y): v\r\n" END, HTTP_REFUSAL_NAME);
}

static void
refuses_odd_request_lines(void **state)
{
	(void)state;
	expect("GET  /a HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_REQUEST_LINE);
	expect("GET /a  HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_REQUEST_LINE);
	expect("GET /a HTTP/1.2\r\n" HOST END, HTTP_REFUSAL_REQUEST_LINE);
	expect("GET /a HTTP/0.9\r\n" HOST END, HTTP_REFUSAL_REQUEST_LINE);
	expect("GET /a#b HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
	expect("GET /a?b#c HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
	expect("GET /\xc3\xa9 HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
	expect("GET http://h/a HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
	expect("OPTIONS * HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
	expect("CONNECT h:80 HTTP/1.1\r\n" HOST END, HTTP_REFUSAL_TARGET);
}

static void
refuses_other_expectations(void **state)
{
	struct http_framing framing = {0};
	static const char proper[] = POST HOST "Expect: 100-Continue\r\n" END;

	(void)state;
	expect(POST HOST "Expect: 200-ok\r\n" END, HTTP_REFUSAL_EXPECT);
	expect(POST HOST "Expect: 100-continue\r\nExpect: x\r\n" END,
	    HTTP_REFUSAL_EXPECT);
	assert_int_equal(
	    check(proper, sizeof proper - 1, &framing), HTTP_REFUSAL_NONE);
	assert_true(framing.expects_continue);
}

/* `count` headers after Host. */
static void
many_headers(unsigned count, char *text_r, size_t bytes)
{
	size_t len = (size_t)snprintf(text_r, bytes, POST HOST);

	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(
		    text_r + len, bytes - len, "X-%u: y\r\n", i);
	(void)snprintf(text_r + len, bytes - len, END);
}

static void
refuses_a_full_list(void **state)
{
	char text[2048];

	(void)state;
	many_headers(62, text, sizeof text);
	expect(text, HTTP_REFUSAL_NONE);
	many_headers(63, text, sizeof text);
	expect(text, HTTP_REFUSAL_HEADERS);
	many_headers(80, text, sizeof text);
	expect(text, HTTP_REFUSAL_HEADERS);
}

static void
survives_every_flip_and_cut(void **state)
{
	static const char good[] =
	    "POST /a?b HTTP/1.1\r\n" HOST
	    "Content-Length: 12\r\nAuthorization: Basic YTpi\r\n"
	    "Content-Type: application/json\r\nExpect: 100-continue\r\n" END;
	const size_t len = sizeof good - 1;
	struct http_framing framing = {0};
	char text[sizeof good];
	unsigned refused = 0;

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		memcpy(text, good, sizeof text);
		text[bit / 8] ^= (char)(1 << bit % 8);
		refused += check(text, len, &framing) != HTTP_REFUSAL_NONE;
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(
		    check(good, cut, &framing), HTTP_REFUSAL_COUNT);
	/* Names, hosts and values have bits to spare, the rest has none. */
	assert_in_range(refused, len * 8 / 4, len * 8 - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lets_proper_requests_through),
	    cmocka_unit_test(reads_the_framing),
	    cmocka_unit_test(keeps_only_what_the_client_keeps),
	    cmocka_unit_test(refuses_two_lengths),
	    cmocka_unit_test(refuses_odd_lengths),
	    cmocka_unit_test(refuses_repeats),
	    cmocka_unit_test(refuses_bad_hosts),
	    cmocka_unit_test(refuses_what_the_library_forgave),
	    cmocka_unit_test(refuses_odd_request_lines),
	    cmocka_unit_test(refuses_other_expectations),
	    cmocka_unit_test(refuses_a_full_list),
	    cmocka_unit_test(survives_every_flip_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
