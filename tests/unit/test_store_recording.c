/*
 * The table of recordings, and records of failures over restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/store/store_recording.h"
#include "store_fixture.h"

static const uint8_t hash[STORE_HASH_BYTES] = {7};

static struct store_recording
row_of(uint64_t number, const char *record)
{
	return (struct store_recording){.number = number,
	    .correlation_id = "abc",
	    .idp = "One",
	    .release = span_of(hash, sizeof hash),
	    .kind = 2,
	    .summary_len = 3,
	    .record = span_str(record),
	    .recording =
		number == 2 ? span_str("recording") : (struct span){NULL, 0}};
}

struct seen {
	uint64_t numbers[8];
	size_t count;
	enum err answer;
};

static enum err
see(void *user, const struct store_recording *row)
{
	struct seen *seen = user;

	assert_string_equal(row->correlation_id, "abc");
	assert_string_equal(row->idp, "One");
	assert_int_equal(row->release.len, sizeof hash);
	assert_memory_equal(row->release.data, hash, sizeof hash);
	assert_int_equal(row->kind, 2);
	assert_int_equal(row->summary_len, 3);
	assert_true(span_is(row->record, "record"));
	assert_true(span_present(row->recording) == (row->number == 2));
	assert_true(seen->count < 8);
	seen->numbers[seen->count++] = row->number;
	return seen->answer;
}

static void
test_change_and_each(void **state)
{
	const struct store_recording one = row_of(1, "record");
	const struct store_recording two = row_of(2, "record");
	const struct store_recording three = row_of(3, "record");
	const struct store_recording again = row_of(2, "other");
	const struct store_recording_change changes[] = {{2, &two}, {1, &one},
	    {3, &three}, {1, NULL}, {9, NULL}, {2, &again}};
	struct seen seen = {.answer = OK};

	(void)state;
	assert_int_equal(store_recording_change(store, changes, 6), OK);
	assert_int_equal(store_recording_change(store, changes, 0), OK);
	store_again();
	assert_int_equal(store_recording_each(store, see, &seen), OK);
	assert_int_equal(seen.count, 2);
	assert_true(seen.numbers[0] == 2 && seen.numbers[1] == 3);
	seen = (struct seen){.answer = ERR_NOMEM};
	assert_int_equal(store_recording_each(store, see, &seen), ERR_NOMEM);
	assert_int_equal(seen.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_change_and_each, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
