/*
 * One request and its answer over a real connection: headers, routes, types,
 * sizes, deadlines of bodies.
 */
#include "tests/unit/http_fixture.h"

/* ---- answers ---- */

static void
answers_have_their_headers(void **state)
{
	(void)state;
	exchange(POST("/echo", JSON, "2") "{}");
	assert_status(200);
	assert_has("Content-Type: application/json;charset=UTF-8\r\n");
	assert_has("Cache-Control: no-store\r\n");
	assert_has("Pragma: no-cache\r\n");
	assert_has("X-Content-Type-Options: nosniff\r\n");
	assert_has("X-Correlation-Id: ");
	assert_has("Date: ");
	assert_has("\r\n\r\n1:2:{}");
	assert_null(strstr(answer, "Connection:"));
	assert_null(strstr(answer, "Server:"));
}

static void
answers_what_was_made_and_what_is_gone(void **state)
{
	(void)state;
	exchange("POST /made HTTP/1.1\r\n" HOST "If-Match: \"1\"\r\n\r\n");
	assert_status(201);
	assert_has("Location: /made/1\r\n");
	assert_has("ETag: \"2\"\r\n");
	assert_has("a seventh match=\"1\"");
	exchange("DELETE /made HTTP/1.1\r\n" HOST "\r\n");
	assert_status(204);
	assert_has("ETag: \"3\"\r\n");
	assert_null(strstr(answer, "Content-Length"));
	assert_null(strstr(answer, "\nContent-Type"));
	assert_null(strstr(answer, "never sent"));
	exchange("POST /made HTTP/1.1\r\n" HOST
		 "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n\r\n");
	assert_status(400);
}

static void
looks_at_callers_before_their_bodies(void **state)
{
	(void)state;
	exchange("POST /made HTTP/1.1\r\n" HOST
		 "Cookie: a=b\r\nContent-Type: application/json\r\n"
		 "Content-Length: 4000\r\n\r\n");
	assert_status(400);
	assert_has("No cookies.");
	assert_has("Connection: close\r\n");
}

static void
has_limits_of_routes(void **state)
{
	(void)state;
	exchange("POST /large HTTP/1.1\r\n" HOST
		 "Content-Type: application/json\r\nExpect: 100-continue\r\n"
		 "Content-Length: 4098\r\n\r\n");
	assert_status(413);
	exchange("POST /json HTTP/1.1\r\n" HOST
		 "Content-Type: application/json\r\nExpect: 100-continue\r\n"
		 "Content-Length: 4097\r\n\r\n");
	assert_status(413);
}

static void
routes_raw_paths(void **state)
{
	(void)state;
	exchange("GET /who/a%2fb/is?x=%41 HTTP/1.1\r\n" HOST
		 "Authorization: Basic abc\r\n\r\n");
	assert_status(200);
	assert_has("source=127.0.0.1 idp=a%2fb query=x=%41 auth=Basic abc");
	assert_has("Content-Type: text/plain\r\n");
	exchange("GET //who/a/is HTTP/1.1\r\n" HOST "\r\n");
	assert_status(404);
	assert_has("{\"error\":\"not_found\",\"error_description\":");
	exchange("GET /x/../who/a/is HTTP/1.1\r\n" HOST "\r\n");
	assert_status(404);
	exchange("GET /etc/passwd HTTP/1.1\r\n" HOST "\r\n");
	assert_status(404);
}

static void
trusts_its_proxy(void **state)
{
	(void)state;
	exchange("GET /who/a/is HTTP/1.1\r\n" HOST
		 "X-Forwarded-For: 1.1.1.1, 203.0.113.5\r\n"
		 "X-Correlation-Id: abc-1\r\n\r\n");
	assert_has("source=203.0.113.5 ");
	assert_has("X-Correlation-Id: abc-1\r\n");
}

static void
refuses_other_methods(void **state)
{
	(void)state;
	exchange("GET /echo HTTP/1.1\r\n" HOST "\r\n");
	assert_status(405);
	assert_has("Allow: POST\r\n");
	exchange("OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n");
	assert_status(405);
	client_open();
	client_send("HEAD /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	while (client_read(HANG_MS))
		;
	assert_non_null(strstr(client.text, "HTTP/1.1 405 "));
	/* no body to HEAD */
	assert_string_equal(client.text + client.len - 4, "\r\n\r\n");
	client_close();
}

static void
problems_carry_what_their_status_needs(void **state)
{
	(void)state;
	exchange("GET /fail?401 HTTP/1.1\r\n" HOST "\r\n");
	assert_status(401);
	assert_has("WWW-Authenticate: Basic realm=");
	assert_has("\"error\":\"invalid_client\"");
	assert_has("\"error_description\":\"Say \\\"please\\\".\"");
	exchange("GET /fail HTTP/1.1\r\n" HOST "\r\n");
	assert_status(503);
	assert_has("Retry-After: 1\r\n");
	exchange("GET /flood HTTP/1.1\r\n" HOST "\r\n");
	assert_status(500);
	assert_has("internal_server_error");
}

/* ---- bodies ---- */

static void
checks_type_then_size(void **state)
{
	(void)state;
	refused(POST("/json", "text/plain", "2") "{}", 415);
	refused(
	    POST("/json", "application/x-www-form-urlencoded", "2") "a=", 415);
	refused(
	    POST("/json", "application/json; charset=latin1", "2") "{}", 415);
	refused(POST("/json", "application/jsonx", "2") "{}", 415);
	refused(
	    "POST /json HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415);
	refused(POST("/json", "text/plain", "4097"), 415);
	refused(POST("/json", JSON, "4097"), 413);
	refused(POST("/json", JSON, "99999999999999999999"), 413);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab",
	    400);
}

static void
takes_its_types(void **state)
{
	(void)state;
	exchange(
	    POST("/echo", "Application/JSON ; charset=\"UTF-8\"", "2") "{}");
	assert_has("1:2:{}");
	exchange(POST("/echo", "application/x-www-form-urlencoded", "3") "a=b");
	assert_has("2:3:a=b");
	exchange("POST /echo HTTP/1.1\r\n" HOST "\r\n");
	assert_has("0:0:");
	exchange("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	assert_has("0:0:");
}

static void
sends_a_refusal_to_who_is_still_sending(void **state)
{
	char bytes[8192];

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	client_open();
	client_send(POST("/json", JSON, "200000"));
	for (unsigned i = 0; i < 24; i++)
		client_send_bytes(bytes, sizeof bytes);
	take_answer();
	assert_status(413);
	client_close();
}

static void
reads_bodies_in_pieces(void **state)
{
	static const char request[] = POST("/echo", JSON, "7") "{\"a\":1}";

	(void)state;
	client_open();
	/* A piece a byte, each on its way before the next. */
	for (size_t i = 0; i < sizeof request - 1; i++)
		client_send_bytes(request + i, 1);
	take_answer();
	assert_has("1:7:{\"a\":1}");
	client_send(POST("/echo", JSON, "7"));
	client_send("{\"b\":2}");
	take_answer();
	assert_has("1:7:{\"b\":2}");
	client_close();
}

static void
reads_the_largest_body(void **state)
{
	static char body[BODY_MAX + 1];

	(void)state;
	memset(body, 'y', BODY_MAX);
	client_open();
	client_send(POST("/echo", JSON, "4096"));
	client_send(body);
	take_answer();
	assert_status(200);
	assert_has(body);
	client_close();
}

static void
continues_on_request(void **state)
{
	(void)state;
	client_open();
	client_send("POST /echo HTTP/1.1\r\n" HOST "Content-Type: " JSON
		    "\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	take_answer();
	assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
	client_send("{}");
	take_answer();
	assert_has("1:2:{}");
	client_close();
	refused("POST /echo HTTP/1.1\r\n" HOST "Content-Type: " JSON
		"\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n",
	    413);
}

/* Sends a byte whenever the answer has not come yet. */
static void
drip_until_answered(void)
{
	while (client_read(REQUEST_MS / 20))
		;
	while (answer_len() == 0 && !client.is_closed) {
		client_send_bytes("x", 1);
		while (client_read(REQUEST_MS / 20))
			;
	}
}

static void
ends_slow_bodies_in_time(void **state)
{
	int64_t start_us = clock_mono_us();

	(void)state;
	client_open();
	client_send(POST("/echo", JSON, "4000") "{");
	drip_until_answered();
	take_answer();
	assert_status(408);
	assert_has("Connection: close\r\n");
	assert_true(clock_mono_us() - start_us >= REQUEST_MS * 900);
	assert_true(clock_mono_us() - start_us < HANG_MS * 1000);
	client_close();
	/* and one that stops sending */
	client_open();
	client_send(POST("/echo", JSON, "4000") "{");
	take_answer();
	assert_status(408);
	assert_ends();
	client_close();
}

static void
outlives_clients_that_leave(void **state)
{
	(void)state;
	client_open();
	client_send(POST("/echo", JSON, "4000") "{");
	client_close();
	client_open();
	client_send("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	client_close();
	exchange("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	assert_status(200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_have_their_headers),
	    cmocka_unit_test(answers_what_was_made_and_what_is_gone),
	    cmocka_unit_test(looks_at_callers_before_their_bodies),
	    cmocka_unit_test(has_limits_of_routes),
	    cmocka_unit_test(routes_raw_paths),
	    cmocka_unit_test(trusts_its_proxy),
	    cmocka_unit_test(refuses_other_methods),
	    cmocka_unit_test(problems_carry_what_their_status_needs),
	    cmocka_unit_test(checks_type_then_size),
	    cmocka_unit_test(takes_its_types),
	    cmocka_unit_test(sends_a_refusal_to_who_is_still_sending),
	    cmocka_unit_test(reads_bodies_in_pieces),
	    cmocka_unit_test(reads_the_largest_body),
	    cmocka_unit_test(continues_on_request),
	    cmocka_unit_test(ends_slow_bodies_in_time),
	    cmocka_unit_test(outlives_clients_that_leave),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
