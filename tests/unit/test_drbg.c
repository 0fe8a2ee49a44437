/*
 * The script process's generator: same seed, same bytes, however they are
 * asked for; another seed, others; what was given is gone from the state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/runner/drbg.h"

static const uint8_t seed[DRBG_SEED_BYTES] = "a seed of thirty-two bytes .....";

static void
test_pieces_make_the_same_stream(void **state)
{
	struct drbg whole, pieces;
	uint8_t a[3000], b[3000];
	size_t at = 0;

	(void)state;
	drbg_seed(&whole, seed);
	drbg_seed(&pieces, seed);
	drbg_bytes(&whole, a, sizeof a);
	for (size_t n = 1; at < sizeof b; n = n * 3 % 71 + 1) {
		if (n > sizeof b - at)
			n = sizeof b - at;
		drbg_bytes(&pieces, b + at, n);
		at += n;
	}
	assert_memory_equal(a, b, sizeof a);
	/* No block of the stream comes twice. */
	for (size_t i = DRBG_BLOCK_BYTES; i + 32 <= sizeof a; i += 32)
		assert_memory_not_equal(a, a + i, 32);
}

static void
test_another_seed_and_no_trace(void **state)
{
	struct drbg one, other;
	uint8_t changed[DRBG_SEED_BYTES];
	uint8_t a[64], b[64];
	static const uint8_t zeros[64];

	(void)state;
	memcpy(changed, seed, sizeof changed);
	changed[31] ^= 1;
	drbg_seed(&one, seed);
	drbg_seed(&other, changed);
	assert_memory_not_equal(one.key, seed, sizeof seed);
	drbg_bytes(&one, a, sizeof a);
	drbg_bytes(&other, b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_equal(one.block, zeros, sizeof zeros);
}

static void
test_unit_is_in_range(void **state)
{
	struct drbg drbg;
	double sum = 0;

	(void)state;
	drbg_seed(&drbg, seed);
	for (int i = 0; i < 10000; i++) {
		double unit = drbg_unit(&drbg);

		assert_true(unit >= 0 && unit < 1);
		sum += unit;
	}
	assert_true(sum > 4800 && sum < 5200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces_make_the_same_stream),
	    cmocka_unit_test(test_another_seed_and_no_trace),
	    cmocka_unit_test(test_unit_is_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
