/*
 * Readings of a clock in run lengths: there and back, and whatever else a
 * peer may send in their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/clock_readings.h"

static const int64_t sample[] = {1700000000000, 1700000000000, 1700000000001,
    1700000000001, 1700000000001, 1699999999000, 0, -5, 9007199254740992,
    9007199254740992};
#define SAMPLE_COUNT (sizeof sample / sizeof sample[0])

static void
write_sample(struct buf *out)
{
	struct clock_writer writer = {.run_count = 0};

	buf_init(out, CLOCK_READINGS_MAX_BYTES);
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		clock_writer_add(&writer, sample[i], out);
		if (i == 3) /* a flush in a run begins another, no more */
			clock_writer_flush(&writer, out);
	}
	clock_writer_flush(&writer, out);
	clock_writer_flush(&writer, out);
	assert_int_equal(buf_status(out), OK);
}

static void
test_there_and_back(void **state)
{
	struct clock_reader reader;
	struct buf bytes;
	int64_t now_ms;

	(void)state;
	write_sample(&bytes);
	clock_reader_init(&reader, buf_span(&bytes));
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		assert_true(clock_reader_next(&reader, &now_ms));
		assert_true(now_ms == sample[i]);
	}
	for (int i = 0; i < 3; i++) {
		assert_false(clock_reader_next(&reader, &now_ms));
		assert_true(now_ms == sample[SAMPLE_COUNT - 1]);
	}
	buf_fini(&bytes);
}

static void
test_runs(void **state)
{
	struct clock_reader reader;
	struct buf bytes;
	uint64_t count;
	int64_t ms;

	(void)state;
	write_sample(&bytes);
	clock_reader_init(&reader, buf_span(&bytes));
	assert_int_equal(clock_reader_run(&reader, &ms, &count), OK);
	assert_true(ms == sample[0] && count == 2);
	assert_int_equal(clock_reader_run(&reader, &ms, &count), OK);
	assert_true(ms == sample[2] && count == 2);
	assert_int_equal(clock_reader_run(&reader, &ms, &count), OK);
	assert_true(ms == sample[2] && count == 1);
	buf_fini(&bytes);
}

static void
test_nothing(void **state)
{
	struct clock_reader reader;
	int64_t now_ms = 7;

	(void)state;
	clock_reader_init(&reader, (struct span){NULL, 0});
	assert_false(clock_reader_next(&reader, &now_ms));
	assert_true(now_ms == 0);
}

/* A million looks at a clock that stands are a few bytes. */
static void
test_waiting_is_small(void **state)
{
	struct clock_writer writer = {.run_count = 0};
	struct buf bytes;

	(void)state;
	buf_init(&bytes, CLOCK_READINGS_MAX_BYTES);
	for (int i = 0; i < 1000000; i++)
		clock_writer_add(&writer, 1700000000000 + i / 100000, &bytes);
	clock_writer_flush(&writer, &bytes);
	assert_int_equal(buf_status(&bytes), OK);
	assert_true(bytes.len < 64);
	buf_fini(&bytes);
}

/* Reads all of it, bounded by the bytes there are. */
static void
read_all(struct span bytes)
{
	struct clock_reader reader;
	uint64_t count;
	int64_t ms;
	size_t runs = 0;

	clock_reader_init(&reader, bytes);
	while (clock_reader_run(&reader, &ms, &count) == OK) {
		assert_true(count > 0);
		assert_true(ms <= ((int64_t)1 << 53));
		assert_true(ms >= -((int64_t)1 << 53));
		assert_true(++runs <= bytes.len);
	}
}

static void
test_hostile(void **state)
{
	static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t no_count[] = {2, 0};
	struct clock_reader reader;
	struct buf bytes;
	uint64_t count;
	int64_t ms;

	(void)state;
	write_sample(&bytes);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		read_all(buf_span(&bytes));
		bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	for (size_t len = 0; len < bytes.len; len++)
		read_all(span_of(bytes.data, len));
	buf_fini(&bytes);
	clock_reader_init(&reader, span_of(endless, sizeof endless));
	assert_int_equal(clock_reader_run(&reader, &ms, &count), ERR_SYNTAX);
	clock_reader_init(&reader, span_of(no_count, sizeof no_count));
	assert_int_equal(clock_reader_run(&reader, &ms, &count), ERR_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_waiting_is_small),
	    cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
