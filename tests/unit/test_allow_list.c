/*
 * Where scripts' HTTP may go: the ranges of addresses, entries of the
 * allow-list, and URLs in all the spellings that have fooled somebody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "engine/front/allow_list.h"
#include "engine/front/target.h"

static void
test_ranges(void **state)
{
	static const struct {
		const char *text;
		bool is_special;
	} rows[] = {{"0.0.0.0", true}, {"0.255.255.255", true},
	    {"1.0.0.0", false}, {"9.255.255.255", false}, {"10.0.0.0", true},
	    {"10.255.255.255", true}, {"11.0.0.0", false},
	    {"100.63.255.255", false}, {"100.64.0.0", true},
	    {"100.127.255.255", true}, {"100.128.0.0", false},
	    {"126.255.255.255", false}, {"127.0.0.1", true},
	    {"127.255.255.255", true}, {"128.0.0.0", false},
	    {"168.63.129.15", false}, {"168.63.129.16", true},
	    {"169.253.255.255", false}, {"169.254.169.254", true},
	    {"169.255.0.0", false}, {"172.15.255.255", false},
	    {"172.16.0.0", true}, {"172.31.255.255", true},
	    {"172.32.0.0", false}, {"192.0.0.8", true}, {"192.0.2.1", true},
	    {"192.88.99.1", true}, {"192.167.255.255", false},
	    {"192.168.0.1", true}, {"192.169.0.0", false},
	    {"198.17.255.255", false}, {"198.18.0.0", true},
	    {"198.19.255.255", true}, {"198.20.0.0", false},
	    {"198.51.100.7", true}, {"203.0.113.7", true},
	    {"223.255.255.255", false}, {"224.0.0.1", true},
	    {"239.255.255.255", true}, {"240.0.0.1", true},
	    {"255.255.255.255", true}, {"8.8.8.8", false}, {"::", true},
	    {"::1", true}, {"::127.0.0.1", true}, {"::ffff:127.0.0.1", true},
	    {"::ffff:8.8.8.8", false}, {"64:ff9b::10.0.0.1", true},
	    {"64:ff9b::8.8.8.8", false}, {"64:ff9b:1::8.8.8.8", true},
	    {"100::1", true}, {"1fff:ffff::1", true}, {"2000::1", false},
	    {"2001::1", true}, {"2001:1ff::1", true}, {"2001:200::1", false},
	    {"2001:db8::1", true}, {"2002:7f00:1::", true},
	    {"2002:808:808::", true}, {"2606:4700::1111", false},
	    {"3fff:0fff::1", true}, {"3fff:1000::1", false}, {"4000::1", true},
	    {"5f00::1", true}, {"fc00::1", true}, {"fd00:ec2::254", true},
	    {"fe80::1", true}, {"fec0::1", true}, {"ff02::1", true}};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(address_of_text(rows[i].text, &address));
		if (address_is_special(&address) != rows[i].is_special)
			fail_msg("%s", rows[i].text);
	}
	assert_false(address_of_text("127.1", &address));
	assert_false(address_of_text("0177.0.0.1", &address));
	assert_false(address_of_text("", &address));
}

static void
test_sockaddrs(void **state)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons(8443)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct address address;

	(void)state;
	v4.sin_addr.s_addr = htonl(0x0A010203);
	assert_true(address_of_sockaddr(
	    (const struct sockaddr *)&v4, sizeof v4, &address));
	assert_int_equal(address.port, 8443);
	assert_true(address_is_special(&address));
	assert_int_equal(
	    inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr), 1);
	assert_true(address_of_sockaddr(
	    (const struct sockaddr *)&v6, sizeof v6, &address));
	assert_int_equal(address.len, ADDRESS_V4_BYTES);
	assert_false(address_of_sockaddr(
	    (const struct sockaddr *)&v4, sizeof v4 - 1, &address));
	assert_false(address_of_sockaddr(&other, sizeof other, &address));
}

static void
test_entries(void **state)
{
	static const struct {
		const char *lines;
		const char *host;
		uint16_t port;
		bool is_listed;
	} rows[] = {{"", "a.test", 80, false}, {"a.test", "a.test", 80, true},
	    {"a.test", "A.TEST", 443, true}, {"a.test", "a.test", 8080, false},
	    {"a.test:8080", "a.test", 8080, true},
	    {"a.test:8080", "a.test", 80, false},
	    {"b.test\na.test", "a.test", 80, true},
	    {"a.test", "b.a.test", 80, false},
	    {"*.a.test", "b.a.test", 80, true},
	    {"*.a.test", "c.b.a.test", 80, true},
	    {"*.a.test", "a.test", 80, false},
	    {"*.a.test", "xa.test", 80, false}, {"*", "a.test", 80, false},
	    {"*.", "a.test.", 80, false}, {"a*", "a*", 80, true},
	    {"10.0.0.1", "10.0.0.1", 80, true},
	    {"10.0.0.1", "10.0.0.2", 80, false},
	    {"10.0.0.0/8", "10.9.8.7", 443, true},
	    {"10.0.0.0/8:81", "10.9.8.7", 443, false},
	    {"10.0.0.0/8:81", "10.9.8.7", 81, true},
	    {"10.0.0.0/33", "10.0.0.0", 80, false},
	    {"10.0.0.0/", "10.0.0.0", 80, false},
	    {"0.0.0.0/0", "8.8.8.8", 80, true}, {"0.0.0.0/0", "::1", 80, false},
	    {"::1", "::1", 80, true}, {"[::1]:81", "::1", 81, true},
	    {"[::1]", "::1", 80, true}, {"[fc00::/7]:81", "fd00::1", 81, true},
	    {"fc00::/7", "fd00::1", 443, true},
	    {"fc00::/7", "fe00::1", 443, false},
	    {"127.0.0.1", "::ffff:127.0.0.1", 80, true},
	    {"[::1", "::1", 80, false}, {"a.test:", "a.test", 80, false},
	    {"a.test:0", "a.test", 80, false},
	    {"a.test:65536", "a.test", 80, false},
	    {"a.test:99999999", "a.test", 80, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (allow_list_has_host(span_str(rows[i].lines), rows[i].host,
			rows[i].port) != rows[i].is_listed)
			fail_msg("%s: %s", rows[i].lines, rows[i].host);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *url;
		const char *host; /* NULL: no URL for us */
		uint16_t port;
	} rows[] = {{"http://a.test", "a.test", 80},
	    {"https://a.test/p?q#f", "a.test", 443},
	    {"HTTP://A.test:81/", "A.test", 81},
	    {"http://127.1/", "127.0.0.1", 80},
	    {"http://2130706433/", "127.0.0.1", 80},
	    {"http://0x7f000001/", "127.0.0.1", 80},
	    {"http://0177.0.0.1/", "127.0.0.1", 80},
	    {"http://[::1]:81/", "::1", 81},
	    {"http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", 80},
	    {"", NULL, 0}, {"a.test", NULL, 0}, {"//a.test/", NULL, 0},
	    {"ftp://a.test/", NULL, 0}, {"file:///etc/passwd", NULL, 0},
	    {"http://", NULL, 0}, {"http:///p", "p", 80},
	    {"http://u@a.test/", NULL, 0}, {"http://u:p@a.test/", NULL, 0},
	    {"http://:p@a.test/", NULL, 0}, {"http://a.test:0/", NULL, 0},
	    {"http://a.test:65536/", NULL, 0}, {"http://a.test./", NULL, 0},
	    {"http://a test/", NULL, 0}, {"http://a.test/\r\nX:", NULL, 0},
	    {"http://\xc3\xbc.test/", NULL, 0}, {"http://[::1/", NULL, 0},
	    {"http://[fe80::1%25lo]/", "fe80::1", 80},
	    {"http://a.test\\@b.test/", NULL, 0}};
	struct target target;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err err =
		    target_parse(span_str(rows[i].url), &target, NULL);

		if ((err == OK) != (rows[i].host != NULL))
			fail_msg("%s: %s", rows[i].url, err_name(err));
		if (err == OK && (strcmp(target.host, rows[i].host) != 0 ||
				     target.port != rows[i].port))
			fail_msg(
			    "%s: %s %u", rows[i].url, target.host, target.port);
	}
}

/* Exact copies, so that reading one byte too far is noticed. */
static void
judge(const char *bytes, size_t len)
{
	struct address address;
	struct target target;
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	(void)allow_list_has_host(span_of(copy, len), "b.a.test", 80);
	assert_true(address_of_text("10.1.2.3", &address));
	(void)allow_list_has_address(span_of(copy, len), &address);
	if (target_parse(span_of(copy, len), &target, NULL) == OK)
		assert_true(target.port != 0 && target.host[0] != '\0');
	free(copy);
}

static void
test_mutations(void **state)
{
	static const char *const samples[] = {
	    "*.a.test:81\n10.0.0.0/8:443\n[fc00::/7]:81\n::1",
	    "https://[::ffff:127.0.0.1]:8443/p?q#f",
	    "http://0x7f.1:80/../a%2fb"};
	char bytes[128];

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		size_t len = strlen(samples[i]);

		for (size_t cut = 0; cut <= len; cut++)
			judge(samples[i], cut);
		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(bytes, samples[i], len);
			bytes[bit / 8] =
			    (char)(bytes[bit / 8] ^ (1 << bit % 8));
			judge(bytes, len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_sockaddrs), cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_urls), cmocka_unit_test(test_mutations)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
