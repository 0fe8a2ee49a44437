/* CACHE of a local engine: what the gateway's does, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/front/local_cache.h"

#define SECS 1000000

static struct local_cache cache;

static int
set_up(void **state)
{
	(void)state;
	local_cache_init(&cache);
	cache.max_entries = 3;
	cache.value_max_bytes = 10;
	cache.ttl_secs = 300;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	local_cache_fini(&cache);
	return 0;
}

static struct message
store(const char *key, const char *value, uint64_t ttl_secs, int64_t now_us)
{
	struct message call = {.type = MSG_CACHE_STORE};
	struct message reply;

	call.cache_store.key = span_str(key);
	call.cache_store.value = span_str(value);
	call.cache_store.ttl_secs = ttl_secs;
	local_cache_call(&cache, &call, now_us, &reply);
	return reply;
}

static struct message
look(enum message_type type, const char *key, int64_t now_us)
{
	struct message call = {.type = type};
	struct message reply;

	if (type == MSG_CACHE_FETCH)
		call.cache_fetch.key = span_str(key);
	else if (type == MSG_CACHE_TAKE)
		call.cache_take.key = span_str(key);
	else if (type == MSG_CACHE_DELETE)
		call.cache_delete.key = span_str(key);
	else
		call.cache_increment.key = span_str(key);
	local_cache_call(&cache, &call, now_us, &reply);
	return reply;
}

static void
assert_value(struct message reply, const char *expected)
{
	assert_int_equal(reply.type, MSG_CACHE_VALUE);
	assert_int_equal(reply.cache_value.found, expected != NULL);
	if (expected != NULL)
		assert_true(span_is(reply.cache_value.value, expected));
}

static void
test_kept_until_its_time(void **state)
{
	(void)state;
	assert_int_equal(store("a", "1", 10, 0).type, MSG_CALL_DONE);
	assert_int_equal(store("b", "", 0, 0).type, MSG_CALL_DONE);
	assert_value(look(MSG_CACHE_FETCH, "a", 10 * SECS - 1), "1");
	assert_value(look(MSG_CACHE_FETCH, "a", 10 * SECS), NULL);
	assert_value(look(MSG_CACHE_FETCH, "b", 300 * SECS - 1), "");
	assert_value(look(MSG_CACHE_FETCH, "b", 300 * SECS), NULL);
	assert_int_equal(cache.count, 0);
}

static void
test_taken_once(void **state)
{
	struct message reply;

	(void)state;
	(void)store("a", "1", 0, 0);
	assert_value(look(MSG_CACHE_TAKE, "a", 0), "1");
	assert_value(look(MSG_CACHE_TAKE, "a", 0), NULL);
	(void)store("a", "1", 0, 0);
	reply = look(MSG_CACHE_DELETE, "a", 0);
	assert_true(reply.cache_value.found);
	assert_false(span_present(reply.cache_value.value));
	assert_false(look(MSG_CACHE_DELETE, "a", 0).cache_value.found);
}

static void
test_counted(void **state)
{
	(void)state;
	assert_value(look(MSG_CACHE_INCREMENT, "n", 0), "1");
	assert_value(look(MSG_CACHE_INCREMENT, "n", 299 * SECS), "2");
	/* A counter keeps the life it was made with. */
	assert_value(look(MSG_CACHE_INCREMENT, "n", 300 * SECS), "1");
	(void)store("t", "-5", 0, 300 * SECS);
	assert_value(look(MSG_CACHE_INCREMENT, "t", 300 * SECS), "-4");
	(void)store("t", "5x", 0, 300 * SECS);
	assert_int_equal(
	    look(MSG_CACHE_INCREMENT, "t", 300 * SECS).type, MSG_CALL_FAILED);
	(void)store("t", " 5", 0, 300 * SECS);
	assert_int_equal(
	    look(MSG_CACHE_INCREMENT, "t", 300 * SECS).type, MSG_CALL_FAILED);
}

static void
assert_refused(struct message reply, const char *error)
{
	assert_int_equal(reply.type, MSG_CALL_FAILED);
	assert_true(span_is(reply.call_failed.error, error));
}

static void
test_limits(void **state)
{
	(void)state;
	assert_refused(store("a", "12345678901", 0, 0), "limit");
	assert_refused(store("", "1", 0, 0), "limit");
	(void)store("a", "1", 0, 0);
	(void)store("b", "1", 0, 0);
	(void)store("c", "1", 0, 0);
	assert_refused(store("d", "1", 0, 0), "limit");
	assert_refused(look(MSG_CACHE_INCREMENT, "e", 0), "limit");
	assert_int_equal(store("a", "2", 0, 0).type, MSG_CALL_DONE);
	assert_value(look(MSG_CACHE_FETCH, "a", 0), "2");
}

static void
test_told(void **state)
{
	struct buf out;

	(void)state;
	(void)store("a\"", "x", 5, 0);
	(void)store("b", "y", 1, 0);
	buf_init(&out, 1000);
	local_cache_append(&cache, SECS, &out);
	assert_string_equal(
	    buf_cstr(&out), "{\"a\\\"\":{\"value\":\"x\",\"ttl_secs\":4}}");
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_kept_until_its_time, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_taken_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
