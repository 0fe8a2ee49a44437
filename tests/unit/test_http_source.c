/* Source address and correlation id: what a proxy may say, and who is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gateway/http/http_source.h"

static struct arena *arena;
static struct http_proxies proxies;

static int
setup(void **state)
{
	struct err_detail detail = {{0}};

	(void)state;
	arena = arena_new(1 << 20);
	return arena == NULL ||
	       http_proxies_parse(
		   "127.0.0.1, 10.0.0.2,2001:db8::1", &proxies, &detail) != OK;
}

static int
teardown(void **state)
{
	(void)state;
	http_proxies_fini(&proxies);
	arena_free(arena);
	return 0;
}

static struct http_head
head_of(const struct http_head_field *fields, unsigned count)
{
	return (struct http_head){.method = "GET",
	    .path = "/",
	    .version = "1.1",
	    .fields = fields,
	    .field_count = count};
}

static void
expect_source(const char *peer, const char *forwarded, const char *expected)
{
	const struct http_head_field field = {"x-forwarded-for", forwarded};
	const struct http_head head = head_of(&field, 1);

	assert_string_equal(
	    http_source_find(&proxies, peer, &head, arena), expected);
}

static void
takes_the_peer(void **state)
{
	const struct http_head none = head_of(NULL, 0);

	(void)state;
	expect_source("192.0.2.1", "203.0.113.5", "192.0.2.1");
	assert_string_equal(
	    http_source_find(&proxies, "127.0.0.1", &none, arena), "127.0.0.1");
	assert_string_equal(
	    http_source_find(&proxies, "127.0.0.1", NULL, arena), "127.0.0.1");
}

static void
takes_the_rightmost_untrusted(void **state)
{
	(void)state;
	expect_source("127.0.0.1", "203.0.113.5", "203.0.113.5");
	expect_source("127.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5");
	expect_source(
	    "127.0.0.1", "1.1.1.1,203.0.113.5 , 10.0.0.2", "203.0.113.5");
	expect_source("127.0.0.1", "10.0.0.2", "10.0.0.2");
	expect_source("::ffff:127.0.0.1", "203.0.113.5", "203.0.113.5");
	expect_source("2001:DB8:0::1", "2001:db8::7", "2001:db8::7");
}

static void
stops_at_what_is_no_address(void **state)
{
	(void)state;
	expect_source("127.0.0.1", "1.1.1.1, unknown", "127.0.0.1");
	expect_source("127.0.0.1", "1.1.1.1, x, 10.0.0.2", "10.0.0.2");
	expect_source("127.0.0.1", "1.1.1.1,", "127.0.0.1");
	expect_source("127.0.0.1", "", "127.0.0.1");
	expect_source("127.0.0.1", " , ,", "127.0.0.1");
	expect_source("127.0.0.1", "203.0.113.5:1234", "127.0.0.1");
}

static void
reads_several_headers_as_one(void **state)
{
	const struct http_head_field fields[] = {
	    {"X-Forwarded-For", "1.1.1.1"},
	    {"X-Forwarded-For", "203.0.113.5"},
	    {"X-Forwarded-For", "10.0.0.2"},
	};
	const struct http_head head = head_of(fields, 3);

	(void)state;
	assert_string_equal(
	    http_source_find(&proxies, "127.0.0.1", &head, arena),
	    "203.0.113.5");
}

static const char *
correlation(const char *peer, const char *value)
{
	const struct http_head_field field = {"X-Correlation-ID", value};
	const struct http_head head = head_of(&field, 1);

	return http_correlation_find(&proxies, peer, &head, arena);
}

static void
expect_random(const char *id)
{
	assert_int_equal(strlen(id), 32);
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
}

static void
takes_the_proxys_correlation_id(void **state)
{
	char text[66];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[65] = '\0';
	assert_string_equal(correlation("127.0.0.1", "Ab9._-"), "Ab9._-");
	assert_string_equal(correlation("127.0.0.1", text + 1), text + 1);
	expect_random(correlation("127.0.0.1", text));
	expect_random(correlation("127.0.0.1", ""));
	expect_random(correlation("127.0.0.1", "a b"));
	expect_random(correlation("127.0.0.1", "a\"b"));
	expect_random(correlation("192.0.2.1", "Ab9._-"));
}

static void
makes_its_own_correlation_id(void **state)
{
	const struct http_head_field twice[] = {
	    {"X-Correlation-Id", "a"}, {"X-Correlation-Id", "a"}};
	const struct http_head head = head_of(twice, 2);
	const char *first, *second;

	(void)state;
	first = http_correlation_find(&proxies, "127.0.0.1", NULL, arena);
	second = http_correlation_find(&proxies, "127.0.0.1", &head, arena);
	expect_random(first);
	expect_random(second);
	assert_string_not_equal(first, second);
}

static void
refuses_lists_with_other_things(void **state)
{
	struct http_proxies list;
	struct err_detail detail = {{0}};

	(void)state;
	assert_int_equal(http_proxies_parse("127.0.0.1, proxy", &list, &detail),
	    ERR_INVALID);
	assert_non_null(strstr(detail.text, "proxy"));
	assert_int_equal(
	    http_proxies_parse("10.0.0.0/8", &list, &detail), ERR_INVALID);
	assert_int_equal(http_proxies_parse("", &list, &detail), OK);
	assert_int_equal(list.count, 0);
	assert_false(http_proxies_trust(&list, "127.0.0.1"));
	assert_int_equal(http_proxies_parse(NULL, &list, &detail), OK);
	http_proxies_fini(&list);
}

/* The trace's first byte, of a head with these headers from this peer. */
static uint8_t
trace_of(const char *peer, const char *first, const char *second)
{
	const struct http_head_field fields[] = {
	    {"TraceParent", first}, {"traceparent", second}};
	const struct http_head head = head_of(fields, second == NULL ? 1 : 2);
	struct trace_context trace;

	http_trace_find(
	    &proxies, peer, &head, "ee112233445566778899aabbccddeeff", &trace);
	assert_true(trace.is_set);
	return trace.trace[0];
}

static void
traces_from_trusted_proxies_only(void **state)
{
	static const char given[] =
	    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

	(void)state;
	assert_int_equal(trace_of("127.0.0.1", given, NULL), 0x0a);
	assert_int_equal(trace_of("192.0.2.1", given, NULL), 0xee);
	assert_int_equal(trace_of("127.0.0.1", "00-0af7", NULL), 0xee);
	assert_int_equal(trace_of("127.0.0.1", given, given), 0xee);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_the_peer),
	    cmocka_unit_test(takes_the_rightmost_untrusted),
	    cmocka_unit_test(stops_at_what_is_no_address),
	    cmocka_unit_test(reads_several_headers_as_one),
	    cmocka_unit_test(takes_the_proxys_correlation_id),
	    cmocka_unit_test(makes_its_own_correlation_id),
	    cmocka_unit_test(refuses_lists_with_other_things),
	    cmocka_unit_test(traces_from_trusted_proxies_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
