/*
 * presented_token: where a presented token would be stored, opaque or JWT;
 * every bit flipped and every length cut. row_id and successors beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/oauth/id_token.h"
#include "gateway/oauth/presented_token.h"
#include "gateway/oauth/row_id.h"
#include "tests/unit/small_stack.h"

#define NUMBER 123456789
#define GRANT  42

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

/* header.claims.signature, of which only the claims are looked at. */
static void
jwt_of(const char *claims, struct buf *out)
{
	buf_init(out, 1 << 20);
	buf_append_str(out, "eyJhbGciOiJFUzI1NiJ9.");
	base64url_append(out, span_str(claims));
	buf_append_str(out, ".c2lnbmF0dXJl");
	assert_int_equal(buf_status(out), OK);
}

static void
good_claims(char claims[128])
{
	char jti[ROW_ID_BYTES];

	row_id_make(vault, ROW_ID_TOKEN, NUMBER, jti);
	snprintf(claims, 128,
	    "{\"iss\":\"https://x/oauth\",\"aud\":[\"a\"],\"jti\":\"%s\"}",
	    jti);
}

static void
test_opaque(void **state)
{
	struct token_place place;
	struct token token;

	(void)state;
	token_make(vault, NUMBER, &token);
	assert_int_equal(
	    presented_token_place(vault, span_str(token.text), &place), OK);
	assert_false(place.is_jwt);
	assert_int_equal(place.number, NUMBER);
	assert_memory_equal(place.hash, token.hash, DIGEST_BYTES);
}

static void
test_jwt(void **state)
{
	uint8_t digest[DIGEST_BYTES];
	struct token_place place;
	char claims[128];
	struct buf jwt;

	(void)state;
	good_claims(claims);
	jwt_of(claims, &jwt);
	assert_int_equal(
	    presented_token_place(vault, buf_span(&jwt), &place), OK);
	assert_true(place.is_jwt);
	assert_int_equal(place.number, NUMBER);
	digest_sha256(buf_span(&jwt), digest);
	assert_memory_equal(place.hash, digest, DIGEST_BYTES);
	buf_fini(&jwt);
}

/* A changed JWT has another number, another hash, or none. */
static void
test_every_bit_of_a_jwt(void **state)
{
	struct token_place good, place;
	char claims[128];
	struct buf jwt;

	(void)state;
	good_claims(claims);
	jwt_of(claims, &jwt);
	assert_int_equal(
	    presented_token_place(vault, buf_span(&jwt), &good), OK);
	for (size_t bit = 0; bit < jwt.len * 8; bit++) {
		uint8_t *byte = &jwt.data[bit / 8];
		enum err err;

		*byte = (uint8_t)(*byte ^ 1U << (bit % 8));
		err = presented_token_place(vault, buf_span(&jwt), &place);
		assert_true(err == ERR_SYNTAX ||
			    (err == OK && memcmp(place.hash, good.hash,
					      DIGEST_BYTES) != 0));
		*byte = (uint8_t)(*byte ^ 1U << (bit % 8));
	}
	for (size_t len = 0; len < jwt.len; len++) {
		enum err err = presented_token_place(
		    vault, span_of(jwt.data, len), &place);

		assert_true(err == ERR_SYNTAX ||
			    (err == OK && memcmp(place.hash, good.hash,
					      DIGEST_BYTES) != 0));
	}
	buf_fini(&jwt);
}

static void
test_no_tokens(void **state)
{
	static const char *const claims[] = {"", "{", "[]", "1", "null", "{}",
	    "{\"jti\":1}", "{\"jti\":null}", "{\"jti\":\"\"}",
	    "{\"jti\":\"0123456789ABCDE\"}", "{\"jti\":\"0123456789ABCDEFG\"}",
	    "{\"jti\":\"0123456789ABCDEX\"}",
	    "{\"jti\":\"0123456789ABCDEF\",\"jti\":\"0123456789ABCDEF\"}",
	    "{\"a\":[[[[[]]]]],\"jti\":\"0123456789ABCDEF\"}"};
	static const char *const texts[] = {"", ".", "..", "a.b.c", "...",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaz"};
	struct token_place place;
	struct buf jwt;

	(void)state;
	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
		jwt_of(claims[i], &jwt);
		assert_int_equal(
		    presented_token_place(vault, buf_span(&jwt), &place),
		    ERR_SYNTAX);
		buf_fini(&jwt);
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(
		    presented_token_place(vault, span_str(texts[i]), &place),
		    ERR_SYNTAX);
}

static void *
place_deep(void *argument)
{
	static char claims[60001];
	struct token_place place;
	struct buf jwt;

	(void)argument;
	memset(claims, '[', sizeof claims - 1);
	jwt_of(claims, &jwt);
	assert_int_equal(
	    presented_token_place(vault, buf_span(&jwt), &place), ERR_SYNTAX);
	buf_fini(&jwt);
	return NULL;
}

static void
test_depth_on_a_workers_stack(void **state)
{
	(void)state;
	small_stack_run(place_deep, NULL);
}

/* ---- names of rows --------------------------------------------------------
 */

static void
test_row_ids(void **state)
{
	static const uint64_t numbers[] = {0, 1, 2, NUMBER, INT64_MAX};
	char token[ROW_ID_BYTES], grant[ROW_ID_BYTES];
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		row_id_make(vault, ROW_ID_TOKEN, numbers[i], token);
		row_id_make(vault, ROW_ID_GRANT, numbers[i], grant);
		assert_int_equal(strspn(token, "0123456789ABCDEF"), 16);
		assert_string_not_equal(token, grant);
		assert_int_equal(
		    row_id_parse(vault, ROW_ID_TOKEN, span_str(token), &number),
		    OK);
		assert_true(number == numbers[i]);
		assert_int_equal(
		    row_id_parse(vault, ROW_ID_GRANT, span_str(grant), &number),
		    OK);
		assert_true(number == numbers[i]);
		assert_int_equal(
		    row_id_parse(vault, ROW_ID_GRANT, span_str(token), &number),
		    ERR_SYNTAX);
		assert_int_equal(
		    row_id_parse(vault, ROW_ID_TOKEN, span_str(grant), &number),
		    ERR_SYNTAX);
	}
	assert_int_equal(
	    row_id_parse(vault, ROW_ID_GRANT, span_str("x"), &number),
	    ERR_SYNTAX);
	assert_int_equal(
	    row_id_parse(vault, ROW_ID_GRANT, (struct span){NULL, 0}, &number),
	    ERR_SYNTAX);
}

/* ---- successors -----------------------------------------------------------
 */

static void
test_successors(void **state)
{
	struct token old, first, again, other;

	(void)state;
	token_make(vault, 1, &old);
	assert_int_equal(
	    token_successor(vault, span_str(old.text), 2, &first), OK);
	assert_int_equal(
	    token_successor(vault, span_str(old.text), 2, &again), OK);
	assert_string_equal(first.text, again.text);
	assert_memory_equal(first.hash, again.hash, DIGEST_BYTES);
	assert_int_equal(first.number, 2);
	/* It is found as any token is. */
	assert_int_equal(token_parse(vault, span_str(first.text), &again), OK);
	assert_int_equal(again.number, 2);
	assert_memory_equal(first.hash, again.hash, DIGEST_BYTES);
	/* Another row or another token before it: all 24 bytes differ. */
	assert_int_equal(
	    token_successor(vault, span_str(old.text), 3, &other), OK);
	assert_string_not_equal(first.text + 16, other.text + 16);
	token_make(vault, 1, &old);
	assert_int_equal(
	    token_successor(vault, span_str(old.text), 2, &other), OK);
	assert_string_not_equal(first.text + 16, other.text + 16);
	assert_memory_equal(first.text, other.text, 16);
	assert_int_equal(
	    token_successor(vault, span_str("x"), 2, &other), ERR_SYNTAX);
}

/* ---- snapshots ------------------------------------------------------------
 */

static void
expect_same(const char *claims, const char *amr)
{
	const struct subject given = {
	    .claims = span_str(claims), .amr = span_str(amr)};
	struct arena *arena = arena_new(4096);
	struct subject got = {.sub = "s"};
	struct buf sealed;

	buf_init(&sealed, 4096);
	assert_int_equal(snapshot_seal(vault, GRANT, &given, &sealed), OK);
	assert_int_equal(
	    snapshot_open(vault, GRANT, buf_span(&sealed), arena, &got), OK);
	assert_string_equal(got.sub, "s");
	assert_true(span_is(got.claims, claims));
	assert_true(span_present(got.amr) == (amr != NULL));
	if (amr != NULL)
		assert_true(span_is(got.amr, amr));
	assert_int_equal(
	    snapshot_open(vault, GRANT + 1, buf_span(&sealed), arena, &got),
	    ERR_CORRUPT);
	arena_free(arena);
	arena = arena_new(0);
	assert_int_equal(
	    snapshot_open(vault, GRANT, buf_span(&sealed), arena, &got),
	    ERR_NOMEM);
	arena_free(arena);
	buf_fini(&sealed);
}

static void
test_snapshots(void **state)
{
	struct subject got = {.sub = "s"};

	(void)state;
	expect_same("", NULL);
	expect_same("\"a\":1", NULL);
	expect_same("", "[]");
	expect_same("\"a\":{\"claims\":{}}", "[\"pwd\",\"mfa\"]");
	/* Looks like the key, but its quotes are escaped. */
	expect_same("\"b\":2", "[\"\\\"claims\\\":{\"]");
	assert_int_equal(
	    snapshot_open(vault, GRANT, (struct span){NULL, 0}, NULL, &got),
	    OK);
	assert_int_equal(got.claims.len, 0);
	assert_false(span_present(got.amr));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opaque),
	    cmocka_unit_test(test_jwt),
	    cmocka_unit_test(test_every_bit_of_a_jwt),
	    cmocka_unit_test(test_no_tokens),
	    cmocka_unit_test(test_depth_on_a_workers_stack),
	    cmocka_unit_test(test_row_ids),
	    cmocka_unit_test(test_successors),
	    cmocka_unit_test(test_snapshots),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
