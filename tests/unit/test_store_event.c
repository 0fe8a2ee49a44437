/*
 * store_event and store_assertion: events in pages, dropped by age and count;
 * assertions used once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/store/store_assertion.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_event.h"

#include "store_fixture.h"

#define PAGE_MAX 64

struct seen {
	unsigned count;
	uint64_t numbers[PAGE_MAX];
	char last_type[16];
};

static void
see(void *user, const struct store_event *event)
{
	struct seen *seen = user;

	assert_in_range(seen->count, 0, PAGE_MAX - 1);
	seen->numbers[seen->count++] = event->number;
	snprintf(seen->last_type, sizeof seen->last_type, "%s", event->type);
}

/* Events `first` to `last`, at the times of their numbers; every third is
 * "fizz". */
static void
append(int first, int last)
{
	for (int i = first; i <= last; i++) {
		const struct store_event event = {.at = i,
		    .type = i % 3 == 0 ? "fizz" : "plain",
		    .client_id = i % 2 == 0 ? "even" : NULL};

		assert_int_equal(store_event_append(store, &event, 1), OK);
	}
}

static uint64_t
page(struct store_event_filter filter, struct seen *seen_r)
{
	uint64_t next = UINT64_MAX;

	*seen_r = (struct seen){0};
	if (filter.limit == 0)
		filter.limit = PAGE_MAX;
	assert_int_equal(
	    store_event_each(store, &filter, see, seen_r, &next), OK);
	return next;
}

static void
test_an_empty_table(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(page((struct store_event_filter){0}, &seen), 0);
	assert_int_equal(
	    page((struct store_event_filter){.newest_first = true}, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void
test_every_column_comes_back(void **state)
{
	static const uint8_t release[32] = {1, 2, 3};
	const struct store_event event = {.at = 5,
	    .type = "plain",
	    .correlation_id = "c",
	    .client_id = "i",
	    .sub = "s",
	    .idp = "p",
	    .source = "o",
	    .detail = "d",
	    .release = span_of(release, sizeof release)};
	const struct store_event_filter by[] = {{.client_id = "i"},
	    {.sub = "s"}, {.idp = "p"}, {.type = "plain"}, {.from = 5},
	    {.until = 6}};
	const struct store_event_filter not_by[] = {{.client_id = "x"},
	    {.sub = "x"}, {.idp = "x"}, {.type = "x"}, {.from = 6},
	    {.until = 5}, {.after = 1}, {.after = UINT64_MAX},
	    {.newest_first = true, .before = 1}};
	struct seen seen;

	(void)state;
	assert_int_equal(store_event_append(store, &event, 1), OK);
	for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
		assert_int_equal(page(by[i], &seen), 0);
		assert_int_equal(seen.count, 1);
	}
	for (size_t i = 0; i < sizeof not_by / sizeof not_by[0]; i++) {
		assert_int_equal(page(not_by[i], &seen), 0);
		assert_int_equal(seen.count, 0);
	}
}

static void
test_pages_both_ways(void **state)
{
	struct store_event_filter filter = {.limit = 4};
	struct seen seen;

	(void)state;
	append(1, 10);
	assert_int_equal(page(filter, &seen), 4);
	filter.after = 4;
	assert_int_equal(page(filter, &seen), 8);
	assert_int_equal(seen.numbers[0], 5);
	filter.after = 8;
	assert_int_equal(page(filter, &seen), 0);
	assert_int_equal(seen.count, 2);
	filter = (struct store_event_filter){.newest_first = true, .limit = 4};
	assert_int_equal(page(filter, &seen), 7);
	assert_int_equal(seen.numbers[0], 10);
	filter.before = 7;
	filter.type = "fizz";
	assert_int_equal(page(filter, &seen), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.numbers[0], 6);
	assert_string_equal(seen.last_type, "fizz");
}

static void
test_expiry_by_age_and_count(void **state)
{
	unsigned deleted;
	struct seen seen;

	(void)state;
	append(1, 20);
	/* Time 6 on is kept; no more than the batch goes at a time. */
	assert_int_equal(store_event_expire(store, 6, 1000, 3, &deleted), OK);
	assert_int_equal(deleted, 3);
	assert_int_equal(store_event_expire(store, 6, 1000, 100, &deleted), OK);
	assert_int_equal(deleted, 2);
	assert_int_equal(store_event_expire(store, 0, 4, 100, &deleted), OK);
	assert_int_equal(deleted, 11);
	(void)page((struct store_event_filter){0}, &seen);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.numbers[0], 17);
	assert_int_equal(store_event_expire(store, 1000, 1, 100, &deleted), OK);
	assert_int_equal(deleted, 4);
	/* A number never comes again. */
	store_again();
	append(21, 21);
	(void)page((struct store_event_filter){0}, &seen);
	assert_int_equal(seen.numbers[0], 21);
}

static void
test_an_assertion_is_used_once(void **state)
{
	uint8_t hash[STORE_HASH_BYTES];
	uint8_t other[STORE_HASH_BYTES];
	unsigned deleted;

	(void)state;
	hash_of(1, hash);
	hash_of(2, other);
	assert_int_equal(store_assertion_use(store, hash, 100), OK);
	assert_int_equal(store_assertion_use(store, hash, 100), ERR_EXISTS);
	assert_int_equal(store_assertion_use(store, other, 200), OK);
	store_again();
	assert_int_equal(store_assertion_use(store, hash, 100), ERR_EXISTS);
	assert_int_equal(store_expire(store, 100, 10, &deleted), OK);
	assert_int_equal(deleted, 1);
	assert_int_equal(store_assertion_use(store, hash, 300), OK);
	assert_int_equal(store_assertion_use(store, other, 200), ERR_EXISTS);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_an_empty_table),
	    STORE_TEST(test_every_column_comes_back),
	    STORE_TEST(test_pages_both_ways),
	    STORE_TEST(test_expiry_by_age_and_count),
	    STORE_TEST(test_an_assertion_is_used_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
