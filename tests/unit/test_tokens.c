/*
 * tokens: the text of opaque tokens, made and read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/encoding.h"
#include "gateway/oauth/tokens.h"

static struct vault *vault;

static int
set_up(void **state)
{
	struct err_detail detail = {{0}};

	(void)state;
	return vault_open_passing(&vault, &detail) == OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	vault_close(vault);
	return 0;
}

static void
test_made_tokens_read_back(void **state)
{
	static const uint64_t numbers[] = {
	    0, 1, 2, 255, 256, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
	struct token made, again;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		token_make(vault, numbers[i], &made);
		assert_int_equal(strlen(made.text), 64);
		assert_int_equal(strspn(made.text, "0123456789ABCDEF"), 64);
		assert_true(made.number == numbers[i]);
		memset(&again, 0xa5, sizeof again);
		assert_int_equal(
		    token_parse(vault, span_str(made.text), &again), OK);
		assert_true(again.number == numbers[i]);
		assert_memory_equal(again.hash, made.hash, DIGEST_BYTES);
		assert_int_equal(again.text[0], '\0');
	}
}

static void
test_hash_is_of_all_32_bytes(void **state)
{
	uint8_t bytes[TOKEN_BYTES], hash[DIGEST_BYTES];
	struct token token;

	(void)state;
	token_make(vault, 7, &token);
	assert_int_equal(
	    hex_decode(span_str(token.text), bytes, sizeof bytes), OK);
	digest_sha256(span_of(bytes, sizeof bytes), hash);
	assert_memory_equal(hash, token.hash, DIGEST_BYTES);
}

static void
test_no_two_are_alike(void **state)
{
	struct token first, second;

	(void)state;
	token_make(vault, 7, &first);
	token_make(vault, 7, &second);
	/* The same row's prefix, other random bytes. */
	assert_memory_equal(first.text, second.text, 16);
	assert_memory_not_equal(first.text + 16, second.text + 16, 48);
	token_make(vault, 8, &second);
	assert_memory_not_equal(first.text, second.text, 16);
}

static void
test_other_texts_are_refused(void **state)
{
	struct token token, other;
	char text[TOKEN_TEXT_BYTES + 1];

	(void)state;
	token_make(vault, 7, &token);
	for (size_t len = 0; len < 64; len++)
		assert_int_equal(
		    token_parse(vault, span_of(token.text, len), &other),
		    ERR_SYNTAX);
	memcpy(text, token.text, 64);
	text[64] = '0';
	assert_int_equal(
	    token_parse(vault, span_of(text, 65), &other), ERR_SYNTAX);
	assert_int_equal(
	    token_parse(vault, (struct span){NULL, 0}, &other), ERR_SYNTAX);
	/* Every flipped bit is refused, or another token altogether; only the
	 * bit of lower case is the same one. */
	for (size_t bit = 0; bit < 64 * 8; bit++) {
		memcpy(text, token.text, 64);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		if (token_parse(vault, span_of(text, 64), &other) != OK)
			continue;
		assert_int_equal(
		    memcmp(other.hash, token.hash, DIGEST_BYTES) == 0,
		    token.text[bit / 8] >= 'A' && bit % 8 == 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made_tokens_read_back),
	    cmocka_unit_test(test_hash_is_of_all_32_bytes),
	    cmocka_unit_test(test_no_two_are_alike),
	    cmocka_unit_test(test_other_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
