/*
 * A release's content there and back, and as hostile bytes: every bit flipped,
 * cut at every offset, also under a hash that fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/realm/realm_load.h"
#include "gateway/realm/release.h"

static struct realm_script init = {.file = "I/init.js"};
static struct realm_script complete = {.file = "I/complete.js"};

static struct release
sample(void)
{
	init.source = span_str("var a = '\xc3\xa9';");
	complete.source = span_str("");
	return (struct release){
	    .idp = "I",
	    .scripts = {&init, &complete, NULL},
	    .limits = {5000, 1000, 32, 1, 20, 256, 64, 64, 16, 1024, 64, 10000},
	};
}

static void
encode(const struct release *release, struct buf *out)
{
	buf_init(out, RELEASE_CONTENT_BYTES);
	release_encode(release, out);
	assert_int_equal(buf_status(out), OK);
}

/* Under the hash that the bytes really have. */
static enum err
decode(struct span content, struct release **release_r)
{
	uint8_t hash[DIGEST_BYTES];

	digest_sha256(content, hash);
	return release_decode(hash, content, release_r);
}

static void
test_there_and_back(void **state)
{
	struct release release = sample();
	struct release *back = NULL;
	struct buf content;
	uint8_t hash[DIGEST_BYTES];

	(void)state;
	encode(&release, &content);
	assert_int_equal(decode(buf_span(&content), &back), OK);
	digest_sha256(buf_span(&content), hash);
	assert_memory_equal(back->hash, hash, DIGEST_BYTES);
	assert_string_equal(back->idp, "I");
	assert_memory_equal(
	    &back->limits, &release.limits, sizeof release.limits);
	assert_string_equal(back->scripts[SCRIPT_INIT]->file, "I/init.js");
	assert_true(
	    span_equal(back->scripts[SCRIPT_INIT]->source, init.source));
	digest_sha256(init.source, hash);
	assert_memory_equal(
	    back->scripts[SCRIPT_INIT]->source_hash, hash, DIGEST_BYTES);
	assert_true(span_present(back->scripts[SCRIPT_COMPLETE]->source));
	assert_int_equal(back->scripts[SCRIPT_COMPLETE]->source.len, 0);
	assert_null(back->scripts[SCRIPT_BACKCHANNEL]);
	free(back);
	buf_fini(&content);
}

static void
test_hash_is_checked(void **state)
{
	struct release release = sample();
	struct release *back = NULL;
	struct buf content;
	uint8_t hash[DIGEST_BYTES];

	(void)state;
	encode(&release, &content);
	digest_sha256(buf_span(&content), hash);
	hash[31] ^= 1;
	assert_int_equal(
	    release_decode(hash, buf_span(&content), &back), ERR_CORRUPT);
	assert_null(back);
	buf_fini(&content);
}

/* Whatever is accepted encodes to the same bytes: one content, one release. */
static void
assert_rejected_or_same(struct span content)
{
	struct release *back = NULL;
	struct buf again;

	if (decode(content, &back) != OK) {
		assert_null(back);
		return;
	}
	encode(back, &again);
	assert_true(span_equal(buf_span(&again), content));
	buf_fini(&again);
	free(back);
}

static void
test_bit_flips(void **state)
{
	struct release release = sample();
	struct buf content;

	(void)state;
	encode(&release, &content);
	for (size_t bit = 0; bit < content.len * 8; bit++) {
		content.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_rejected_or_same(buf_span(&content));
		content.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	buf_fini(&content);
}

static void
test_truncations(void **state)
{
	struct release release = sample();
	struct release *back = NULL;
	struct buf content;

	(void)state;
	encode(&release, &content);
	for (size_t len = 0; len < content.len; len++) {
		/* A copy, so that reading beyond the end is seen. */
		uint8_t *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, content.data, len);
		copy = realloc(copy, len == 0 ? 1 : len);
		assert_non_null(copy);
		assert_int_equal(
		    decode(span_of(copy, len), &back), ERR_CORRUPT);
		free(copy);
	}
	buf_append_char(&content, '\0');
	assert_int_equal(decode(buf_span(&content), &back), ERR_CORRUPT);
	buf_fini(&content);
}

static void
assert_corrupt(const struct release *release)
{
	struct release *back = NULL;
	struct buf content;

	encode(release, &content);
	assert_int_equal(decode(buf_span(&content), &back), ERR_CORRUPT);
	assert_null(back);
	buf_fini(&content);
}

static void
test_values_are_checked(void **state)
{
	struct release release = sample();

	(void)state;
	release.limits.wall_ms = 60001;
	assert_corrupt(&release);
	release = sample();
	release.limits.heap_mib = 0;
	assert_corrupt(&release);
	release = sample();
	release.limits.cpu_ms = -1;
	assert_corrupt(&release);
	release = sample();
	release.idp = "a b";
	assert_corrupt(&release);
	release = sample();
	release.scripts[SCRIPT_COMPLETE] = NULL;
	assert_corrupt(&release);
	release = sample();
	init.source = span_str("\xff");
	assert_corrupt(&release);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_hash_is_checked),
	    cmocka_unit_test(test_bit_flips),
	    cmocka_unit_test(test_truncations),
	    cmocka_unit_test(test_values_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
