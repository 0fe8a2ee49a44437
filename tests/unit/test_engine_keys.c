/* Engines' identity keys: the file's parser, and proofs under the keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/keys/engine_keys.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char good[] = "# engines of the bank\n"
			   "\n"
			   "one " KEY_A "\r\n"
			   "  two.b_-\t" KEY_B "  bank,eu\n"
			   "three " KEY_B;

static struct engine_keys *
parse(const char *text)
{
	struct engine_keys *keys = NULL;
	struct err_detail detail = {{0}};
	enum err err = engine_keys_parse(span_str(text), &keys, &detail);

	if (err != OK)
		fail_msg("%s", detail.text);
	return keys;
}

static void
reads_names_keys_and_labels(void **state)
{
	struct engine_keys *keys = parse(good);

	(void)state;
	assert_true(engine_keys_has(keys, span_str("one")));
	assert_true(engine_keys_has(keys, span_str("two.b_-")));
	assert_true(engine_keys_has(keys, span_str("three")));
	assert_false(engine_keys_has(keys, span_str("on")));
	assert_false(engine_keys_has(keys, span_str("")));
	assert_true(engine_keys_allow(
	    keys, span_str("one"), span_str("anything,else")));
	assert_true(
	    engine_keys_allow(keys, span_str("two.b_-"), span_str("eu, bank")));
	assert_true(engine_keys_allow(keys, span_str("two.b_-"), span_str("")));
	assert_false(
	    engine_keys_allow(keys, span_str("two.b_-"), span_str("ban")));
	assert_false(
	    engine_keys_allow(keys, span_str("two.b_-"), span_str("eu,us")));
	assert_false(engine_keys_allow(keys, span_str("nobody"), span_str("")));
	engine_keys_free(keys);
}

static void
refuses_what_is_no_such_file(void **state)
{
	static const char *const bad[] = {"one", "one " KEY_A "0",
	    "one 0" KEY_A, "on/e " KEY_A, "one " KEY_A " eu more",
	    "one " KEY_A " e\"u", "one " KEY_A "\none " KEY_B, "one g" KEY_A,
	    KEY_A};
	struct engine_keys *keys = NULL;
	struct err_detail detail;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		detail = (struct err_detail){{0}};
		assert_int_equal(
		    engine_keys_parse(span_str(bad[i]), &keys, &detail),
		    ERR_INVALID);
		assert_non_null(strstr(detail.text, "line "));
		assert_null(strstr(detail.text, "0001")); /* no key in it */
	}
}

/* Whatever becomes of a file: it is read or refused. */
static void
survives_flips_and_cuts(void **state)
{
	char text[sizeof good];
	struct engine_keys *keys;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof good - 1); bit++) {
		memcpy(text, good, sizeof good);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		if (engine_keys_parse(
			span_of(text, sizeof good - 1), &keys, NULL) == OK)
			engine_keys_free(keys);
	}
	for (size_t len = 0; len < sizeof good; len++) {
		char *cut = malloc(len > 0 ? len : 1);

		assert_non_null(cut);
		memcpy(cut, good, len);
		if (engine_keys_parse(span_of(cut, len), &keys, NULL) == OK)
			engine_keys_free(keys);
		free(cut);
	}
}

static void
tells_lines_that_changed(void **state)
{
	struct engine_keys *a = parse("x " KEY_A "\ny " KEY_A " eu\nz " KEY_A);
	struct engine_keys *b = parse("z " KEY_B "\ny " KEY_A "\nx " KEY_A);

	(void)state;
	assert_true(engine_keys_agree(a, b, span_str("x")));
	assert_false(engine_keys_agree(a, b, span_str("y")));
	assert_false(engine_keys_agree(a, b, span_str("z")));
	assert_false(engine_keys_agree(a, b, span_str("w")));
	engine_keys_free(a);
	engine_keys_free(b);
}

static void
proves_by_hmac_sha256(void **state)
{
	static const uint8_t expected[ENGINE_PROOF_BYTES] = {0xd2, 0x8d, 0xd0,
	    0x8b, 0x09, 0x58, 0x9f, 0x0a, 0x68, 0xe8, 0xbc, 0xd7, 0xe0, 0x66,
	    0x2a, 0x51, 0xec, 0xbe, 0x81, 0x46, 0xdd, 0x80, 0xe5, 0xae, 0xb6,
	    0x9c, 0xd9, 0x38, 0x24, 0xb7, 0xc6, 0xaa};
	struct engine_keys *keys = parse(good);
	uint8_t proof[ENGINE_PROOF_BYTES];

	(void)state;
	assert_int_equal(engine_keys_prove(
			     keys, span_str("one"), span_str("postern"), proof),
	    OK);
	assert_memory_equal(proof, expected, sizeof proof);
	assert_int_equal(engine_keys_prove(keys, span_str("nobody"),
			     span_str("postern"), proof),
	    ERR_NOT_FOUND);
	engine_keys_free(keys);
}

static void
wants_a_file_of_its_own(void **state)
{
	char path[] = "/tmp/test_engine_keys.XXXXXX";
	struct err_detail detail = {{0}};
	struct engine_keys *keys;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, strlen(good)), strlen(good));
	close(fd);
	assert_int_equal(engine_keys_load(path, &keys, &detail), OK);
	engine_keys_free(keys);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(engine_keys_load(path, &keys, &detail), ERR_DENIED);
	unlink(path);
	assert_int_equal(engine_keys_load(path, &keys, &detail), ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_names_keys_and_labels),
	    cmocka_unit_test(refuses_what_is_no_such_file),
	    cmocka_unit_test(survives_flips_and_cuts),
	    cmocka_unit_test(tells_lines_that_changed),
	    cmocka_unit_test(proves_by_hmac_sha256),
	    cmocka_unit_test(wants_a_file_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
