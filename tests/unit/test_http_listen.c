/* Listen addresses and Host headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gateway/http/http.h"

static void
reads_addresses(void **state)
{
	struct http_listen listen;
	struct err_detail detail = {{0}};

	(void)state;
	assert_int_equal(
	    http_listen_parse("127.0.0.1:8080", &listen, &detail), OK);
	assert_string_equal(listen.address, "127.0.0.1");
	assert_int_equal(listen.port, 8080);
	assert_true(listen.is_loopback);
	assert_int_equal(http_listen_parse("[::1]:0", &listen, &detail), OK);
	assert_string_equal(listen.address, "::1");
	assert_true(listen.is_loopback);
	assert_int_equal(
	    http_listen_parse("0.0.0.0:443", &listen, &detail), OK);
	assert_false(listen.is_loopback);
	assert_int_equal(
	    http_listen_parse("[2001:db8::1]:65535", &listen, &detail), OK);
	assert_false(listen.is_loopback);
}

static void
refuses_other_things(void **state)
{
	static const char *const texts[] = {"", "8080", ":8080", "localhost:80",
	    "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:80s",
	    "127.0.0.1:080000", "127.0.0.1:80,0.0.0.0:81", "::1:80", "[::1]",
	    "[127.0.0.1]:80", "[::1]80", "[]:80", "127.1:80", "+80",
	    "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1"};
	struct http_listen listen;
	struct err_detail detail = {{0}};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(
		    http_listen_parse(texts[i], &listen, &detail), ERR_INVALID);
	assert_non_null(strstr(detail.text, "ADDRESS:PORT"));
}

static void
knows_loopback_hosts(void **state)
{
	static const char *const ours[] = {"localhost", "LocalHost:8081",
	    "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8081"};
	static const char *const theirs[] = {"", ":", "evil.example",
	    "localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1",
	    "[::2]:80", "10.0.0.1:8081", "localhostx", "::1"};

	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		assert_true(http_host_is_loopback(span_str(ours[i])));
	for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
		assert_false(http_host_is_loopback(span_str(theirs[i])));
}

static void
knows_its_own_host(void **state)
{
	(void)state;
	assert_true(
	    http_host_is_listen(span_str("10.0.0.1:9"), "10.0.0.1:8081"));
	assert_true(http_host_is_listen(
	    span_str("[2001:db8::1]:8081"), "[2001:db8::1]:8081"));
	assert_false(
	    http_host_is_listen(span_str("10.0.0.2:8081"), "10.0.0.1:8081"));
	assert_false(http_host_is_listen(span_str("10.0.0.1"), NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_addresses),
	    cmocka_unit_test(refuses_other_things),
	    cmocka_unit_test(knows_loopback_hosts),
	    cmocka_unit_test(knows_its_own_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
