/*
 * live_log: what is kept of log lines, what is forgotten, who is woken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/dispatch/live_log.h"

/* Only a hang takes this long. */
#define HANG_US (20 * 1000000)

static struct realm_idp idp = {.identifier = "One"};
static struct realm_idp other_idp = {.identifier = "Other"};

static int
set_up(void **state)
{
	*state = live_log_new();
	return *state == NULL;
}

static int
clean_up(void **state)
{
	live_log_free(*state);
	return 0;
}

static void
add(struct live_log *live, const struct realm_idp *of, const char *text)
{
	const struct execution execution = {
	    .idp = of, .kind = SCRIPT_COMPLETE, .correlation_id = "c"};
	const struct live_line line = {2, false, span_str(text)};

	live_log_add(live, &execution, &line);
}

/* The answer, terminated; the caller's buffer. */
static const char *
read_page(
    struct live_log *live, const struct live_log_query *query, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(live_log_read(live, query, out), OK);
	return buf_cstr(out);
}

static uint64_t
member_of(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	assert_non_null(at);
	return strtoull(at + strlen(key), NULL, 10);
}

static uint64_t
next_of(const char *answer)
{
	return member_of(answer, "\"next\":");
}

static void
shows_what_comes_after(void **state)
{
	struct live_log_query query = {.has_after = false};
	struct buf out;
	const char *answer;

	buf_init(&out, 1 << 20);
	add(*state, &idp, "before");
	query.after = next_of(read_page(*state, &query, &out));
	assert_null(strstr(buf_cstr(&out), "before"));
	query.has_after = true;
	add(*state, &idp, "with \"quotes\"");
	answer = read_page(*state, &query, &out);
	assert_non_null(strstr(answer, "\"text\":\"with \\\"quotes\\\"\""));
	assert_non_null(strstr(answer, "\"script\":\"complete\""));
	assert_non_null(strstr(answer, "\"level\":\"info\""));
	assert_non_null(strstr(answer, "\"cut\":false"));
	assert_int_equal(next_of(answer), query.after + 1);
	query.after = next_of(answer);
	assert_non_null(strstr(read_page(*state, &query, &out), "[]"));
	buf_fini(&out);
}

static void
filters_by_idp(void **state)
{
	struct live_log_query query = {
	    .has_after = true, .idp = span_str("Other")};
	struct buf out;
	const char *answer;

	buf_init(&out, 1 << 20);
	add(*state, &idp, "mine");
	add(*state, &other_idp, "another's");
	add(*state, &idp, "mine again");
	answer = read_page(*state, &query, &out);
	assert_null(strstr(answer, "mine"));
	assert_non_null(strstr(answer, "another's"));
	/* What was passed over need not be looked at again. */
	query.after = next_of(answer);
	query.idp = span_str("One");
	assert_non_null(strstr(read_page(*state, &query, &out), "[]"));
	buf_fini(&out);
}

static void
forgets_the_oldest(void **state)
{
	struct live_log_query query = {.has_after = false};
	struct buf out;
	uint64_t start;

	buf_init(&out, 4 << 20);
	start = next_of(read_page(*state, &query, &out));
	for (unsigned i = 0; i < LIVE_LOG_LINES_MAX + 10; i++)
		add(*state, &idp, "x");
	query.has_after = true;
	query.after = start;
	assert_int_equal(
	    member_of(read_page(*state, &query, &out), "\"lost\":"), 10);
	assert_int_equal(
	    next_of(buf_cstr(&out)), start + 10 + LIVE_LOG_PAGE_LINES);
	query.after = next_of(buf_cstr(&out));
	assert_int_equal(
	    member_of(read_page(*state, &query, &out), "\"lost\":"), 0);
	buf_fini(&out);
}

static void
bounds_its_bytes(void **state)
{
	struct live_log_query query = {.has_after = true};
	size_t len = 1 << 20;
	char *text = malloc(len + 1);
	struct buf out;

	assert_non_null(text);
	memset(text, 'y', len);
	text[len] = '\0';
	buf_init(&out, 16 << 20);
	for (unsigned i = 0; i < 20; i++)
		add(*state, &idp, text);
	query.after = next_of(read_page(
	    *state, &(struct live_log_query){.has_after = false}, &out));
	assert_int_equal(query.after, next_of(buf_cstr(&out)));
	query.after -= 20;
	/* Seven of a mebibyte and their heads fit in eight; a page ends after
	 * its first one. */
	assert_int_equal(
	    member_of(read_page(*state, &query, &out), "\"lost\":"), 13);
	assert_true(out.len < 2 * LIVE_LOG_PAGE_BYTES);
	buf_fini(&out);
	free(text);
}

static void
goes_on_where_an_earlier_process_was(void **state)
{
	struct live_log_query query = {.has_after = true, .after = 7};
	struct buf out;
	const char *answer;

	buf_init(&out, 1 << 20);
	add(*state, &idp, "new");
	answer = read_page(*state, &query, &out);
	assert_non_null(strstr(answer, "new"));
	assert_int_equal(member_of(answer, "\"lost\":"), 0);
	/* A number from the future: what comes next is shown. */
	query.after = INT64_MAX;
	query.after = next_of(read_page(*state, &query, &out));
	add(*state, &idp, "newer");
	assert_non_null(strstr(read_page(*state, &query, &out), "newer"));
	buf_fini(&out);
}

/* ---- waiting ---- */

static void *
watch(void *argument)
{
	struct live_log_query query = {
	    .has_after = true, .deadline_us = clock_mono_us() + HANG_US};
	struct buf *out = malloc(sizeof *out);

	buf_init(out, 1 << 20);
	assert_int_equal(live_log_read(argument, &query, out), OK);
	return out;
}

static void
finish(pthread_t thread, const char *expected)
{
	void *result;
	struct buf *out;

	assert_int_equal(pthread_join(thread, &result), 0);
	out = result;
	assert_non_null(strstr(buf_cstr(out), expected));
	buf_fini(out);
	free(out);
}

static void
wakes_who_waits(void **state)
{
	pthread_t thread;

	/* Before or after the thread waits: it sees the line. */
	assert_int_equal(pthread_create(&thread, NULL, watch, *state), 0);
	add(*state, &idp, "at last");
	finish(thread, "at last");
}

static void
lets_go_when_it_stops(void **state)
{
	pthread_t threads[LIVE_LOG_WATCHERS_MAX];
	int64_t start_us = clock_mono_us();

	for (unsigned i = 0; i < LIVE_LOG_WATCHERS_MAX; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, watch, *state), 0);
	live_log_stop(*state);
	for (unsigned i = 0; i < LIVE_LOG_WATCHERS_MAX; i++)
		finish(threads[i], "[]");
	assert_true(clock_mono_us() - start_us < HANG_US);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		shows_what_comes_after, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(filters_by_idp, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(
		forgets_the_oldest, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(bounds_its_bytes, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(
		goes_on_where_an_earlier_process_was, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(wakes_who_waits, set_up, clean_up),
	    cmocka_unit_test_setup_teardown(
		lets_go_when_it_stops, set_up, clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
