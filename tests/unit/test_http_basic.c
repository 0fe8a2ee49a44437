/* HTTP Basic: the halves, their encoding, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/http/http.h"

static struct arena *arena;
static struct span id, secret;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static enum err
parse_pair(const char *pair, size_t len)
{
	struct buf header;
	enum err err;

	buf_init(&header, 1 << 16);
	buf_append_str(&header, "Basic ");
	base64_append(&header, span_of(pair, len));
	err = http_basic_parse(buf_span(&header), arena, &id, &secret);
	buf_fini(&header);
	return err;
}

static void
expect(const char *pair, const char *id_text, const char *secret_text)
{
	assert_int_equal(parse_pair(pair, strlen(pair)), OK);
	assert_true(span_is(id, id_text));
	assert_true(span_is(secret, secret_text));
}

static void
splits_and_decodes(void **state)
{
	(void)state;
	expect("portal:s3cret", "portal", "s3cret");
	expect("a:b:c", "a", "b:c");
	expect("a%3Ab:c%2Bd", "a:b", "c+d");
	expect("a:x+y", "a", "x+y");
	expect("a:100%25", "a", "100%");
	expect("a%2541:b", "a%41", "b"); /* decoded once */
	expect(":", "", "");
	expect("a:%C3%A9", "a", "\xc3\xa9");
	expect("a:\xc3\xa9", "a", "\xc3\xa9");
}

static void
refuses_malformed_pairs(void **state)
{
	static const char *const pairs[] = {"", "portal", "a:%", "a:%4",
	    "a:%zz", "%00:b", "a:%00", "a\n:b", "a:\x7f", "a:%0a", "a:\xff",
	    "a:%ff", "%C3:b"};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		assert_int_equal(
		    parse_pair(pairs[i], strlen(pairs[i])), ERR_SYNTAX);
	assert_int_equal(parse_pair("a\0:b", 4), ERR_SYNTAX);
}

static enum err
parse(const char *header)
{
	return http_basic_parse(span_str(header), arena, &id, &secret);
}

static void
knows_its_scheme(void **state)
{
	(void)state;
	assert_int_equal(parse("basic YTpi"), OK);
	assert_int_equal(parse("BASIC   YTpi"), OK);
	assert_int_equal(parse("Bearer YTpi"), ERR_NOT_FOUND);
	assert_int_equal(parse("Basics YTpi"), ERR_NOT_FOUND);
	assert_int_equal(parse("Bas"), ERR_NOT_FOUND);
	assert_int_equal(parse(""), ERR_NOT_FOUND);
	assert_int_equal(parse(NULL), ERR_NOT_FOUND);
	assert_int_equal(parse("Basic"), ERR_SYNTAX);
	assert_int_equal(parse("Basic YTpi "), ERR_SYNTAX);
	assert_int_equal(parse("Basic YTp"), ERR_SYNTAX);
	assert_int_equal(parse("Basic YTpi, Basic YTpi"), ERR_SYNTAX);
}

static void
says_when_the_arena_is_full(void **state)
{
	struct arena *tiny = arena_new(16);

	(void)state;
	assert_int_equal(
	    http_basic_parse(span_str("Basic YTpi"), tiny, &id, &secret),
	    ERR_NOMEM);
	arena_free(tiny);
}

static void
survives_every_flip_and_cut(void **state)
{
	static const char good[] = "Basic cG9ydCUzQWFsOnMlMkJjcmV0JUMzJUE5";
	const size_t len = sizeof good - 1;
	char text[sizeof good];

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		enum err err;

		memcpy(text, good, sizeof text);
		text[bit / 8] ^= (char)(1 << bit % 8);
		err = http_basic_parse(span_of(text, len), arena, &id, &secret);
		assert_true(
		    err == OK || err == ERR_SYNTAX || err == ERR_NOT_FOUND);
		/* The scheme has one spelling but for case. */
		if (bit < 40 && bit % 8 != 5)
			assert_int_equal(err, ERR_NOT_FOUND);
		arena_reset(arena);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_true(http_basic_parse(span_of(good, cut), arena, &id,
				&secret) != ERR_NOMEM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_and_decodes),
	    cmocka_unit_test(refuses_malformed_pairs),
	    cmocka_unit_test(knows_its_scheme),
	    cmocka_unit_test(says_when_the_arena_is_full),
	    cmocka_unit_test(survives_every_flip_and_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
