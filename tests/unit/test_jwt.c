/*
 * Tokens and keys as hostile bytes: every bit of a good token matters, and no
 * mutation of a key or header gets anywhere. What good tokens do is shown by
 * tests/service/test_crypto.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/front/header_lines.h"
#include "engine/front/jwt.h"

/* RFC 7515 appendix A.1 and A.3; they expired in 2011. */
#define CLAIMS                                                               \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcG" \
	"xlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define HS256_TOKEN                                        \
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS \
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define HS256_JWK                                                      \
	"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-" \
	"EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"
#define ES256_TOKEN                                                   \
	"eyJhbGciOiJFUzI1NiJ9." CLAIMS                                \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa" \
	"8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES256_JWK                                                \
	"{\"kty\":\"EC\",\"crv\":\"P-256\","                     \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static const struct sample {
	const char *token, *jwk, *algorithm;
} samples[] = {
    {HS256_TOKEN, HS256_JWK, "HS256"}, {ES256_TOKEN, ES256_JWK, "ES256"}};

/* The verdict's error on exact copies of both texts; "mistake" where the call
 * itself is refused, "" if the token is valid. */
static const char *
verify(struct span token, struct span jwk, const char *algorithm)
{
	const struct jwt_expectation expected = {
	    .algorithms = span_str(algorithm), .now = 1300819379};
	struct jwt_trust trust = {.jwk = jwk};
	struct jwt_verdict verdict;
	const char *error;
	uint8_t *copy = malloc(token.len + 1);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, token.data, token.len);
	jwt_verdict_init(&verdict);
	err = jwt_verify(
	    span_of(copy, token.len), &trust, &expected, &verdict, NULL);
	error = err != OK ? "mistake" : verdict.error;
	if (error != NULL)
		assert_int_equal(verdict.claims.len, 0);
	jwt_verdict_fini(&verdict);
	free(copy);
	return error == NULL ? "" : error;
}

static void
test_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct sample *s = &samples[i];

		assert_string_equal(
		    verify(span_str(s->token), span_str(s->jwk), s->algorithm),
		    "");
		assert_string_equal(
		    verify(span_str(s->token), span_str(s->jwk), "RS256"),
		    "algorithm");
		assert_string_equal(
		    verify(span_str(s->token), span_str(s->jwk), "none"),
		    "mistake");
		assert_string_equal(
		    verify(span_str(s->token), span_str(samples[1 - i].jwk),
			s->algorithm),
		    "key");
	}
}

static void
test_mutated_tokens(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct sample *s = &samples[i];
		size_t len = strlen(s->token);
		char bytes[512];

		for (size_t cut = 0; cut < len; cut++)
			assert_string_not_equal(
			    verify(span_of(s->token, cut), span_str(s->jwk),
				s->algorithm),
			    "");
		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(bytes, s->token, len);
			bytes[bit / 8] =
			    (char)(bytes[bit / 8] ^ (1 << bit % 8));
			assert_string_not_equal(
			    verify(span_of(bytes, len), span_str(s->jwk),
				s->algorithm),
			    "");
		}
	}
}

/* Some bits of a key's text are white space or names nobody reads, so all that
 * can be said is that nothing breaks. */
static void
test_mutated_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct sample *s = &samples[i];
		size_t len = strlen(s->jwk);
		char bytes[512];

		for (size_t cut = 0; cut < len; cut++)
			assert_string_equal(
			    verify(span_str(s->token), span_of(s->jwk, cut),
				s->algorithm),
			    "mistake");
		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(bytes, s->jwk, len);
			bytes[bit / 8] =
			    (char)(bytes[bit / 8] ^ (1 << bit % 8));
			(void)verify(span_str(s->token), span_of(bytes, len),
			    s->algorithm);
		}
	}
}

static void
test_header_lines(void **state)
{
	struct span lines = span_str("A: b\nX-Empty:\n  bad: c\n");
	struct header_line line;
	struct buf out;

	(void)state;
	assert_int_equal(header_lines_next(&lines, &line), OK);
	assert_true(header_lines_is(line.name, "a"));
	assert_true(span_is(line.value, "b"));
	assert_int_equal(header_lines_next(&lines, &line), OK);
	assert_int_equal(line.value.len, 0);
	assert_int_equal(header_lines_next(&lines, &line), ERR_INVALID);
	lines = span_str("A: b\rX: y\n");
	assert_int_equal(header_lines_next(&lines, &line), ERR_INVALID);
	lines = span_str("A: no line end");
	assert_int_equal(header_lines_next(&lines, &line), ERR_INVALID);
	lines = span_str("");
	assert_int_equal(header_lines_next(&lines, &line), ERR_NOT_FOUND);
	buf_init(&out, 100);
	header_lines_append_received(&out, span_str("X-Umlaut:  \xfc \r\n"));
	header_lines_append_received(&out, span_str("HTTP/1.1 200 OK\r\n"));
	header_lines_append_received(&out, span_str("\r\n"));
	assert_string_equal(buf_cstr(&out), "x-umlaut: \xc3\xbc\n");
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_mutated_tokens),
	    cmocka_unit_test(test_mutated_keys),
	    cmocka_unit_test(test_header_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
