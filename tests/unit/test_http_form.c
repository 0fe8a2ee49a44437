/* Forms and query strings: fields, encoding, what is refused. */
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
static struct http_form form;

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
parse(const char *text)
{
	arena_reset(arena);
	return http_form_parse(span_str(text), arena, &form);
}

static bool
has(const char *name, const char *value)
{
	return span_is(http_form_get(&form, name), value) &&
	       span_present(http_form_get(&form, name));
}

static void
reads_fields(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("client_id=a%2Bb&data=%7B%7D&scope=openid+profile"), OK);
	assert_int_equal(form.count, 3);
	assert_true(has("client_id", "a+b"));
	assert_true(has("data", "{}"));
	assert_true(has("scope", "openid profile"));
	assert_false(span_present(http_form_get(&form, "secret")));
}

static void
reads_odd_shapes(void **state)
{
	(void)state;
	assert_int_equal(parse(""), OK);
	assert_int_equal(form.count, 0);
	assert_int_equal(parse("&&"), OK);
	assert_int_equal(form.count, 0);
	assert_int_equal(parse("a&b=&c=d=e&"), OK);
	assert_int_equal(form.count, 3);
	assert_true(has("a", ""));
	assert_true(has("b", ""));
	assert_true(has("c", "d=e"));
	assert_int_equal(parse("%61%3D=%26&n=%C3%A9"), OK);
	assert_true(has("a=", "&"));
	assert_true(has("n", "\xc3\xa9"));
}

static void
refuses_bad_text(void **state)
{
	static const char *const texts[] = {"a=%", "a=%4", "a=%zz", "%=a",
	    "a=%00", "a=%ff", "a=\xff", "\xc3=a", "a=1&b=%C3"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(parse(texts[i]), ERR_SYNTAX);
	assert_int_equal(
	    http_form_parse(span_of("a=\0b", 4), arena, &form), ERR_SYNTAX);
}

static void
refuses_repeats(void **state)
{
	(void)state;
	assert_int_equal(parse("a=1&a=1"), ERR_INVALID);
	assert_int_equal(parse("a=1&%61"), ERR_INVALID);
	assert_int_equal(parse("a=1&A=1"), OK);
}

static void
refuses_too_many(void **state)
{
	char text[1024];
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < HTTP_FORM_FIELDS_MAX; i++)
		len += (size_t)snprintf(
		    text + len, sizeof text - len, "f%u=%u&", i, i);
	assert_int_equal(parse(text), OK);
	assert_int_equal(form.count, HTTP_FORM_FIELDS_MAX);
	(void)snprintf(text + len, sizeof text - len, "more");
	assert_int_equal(parse(text), ERR_LIMIT);
}

static void
says_when_the_arena_is_full(void **state)
{
	struct arena *tiny =
	    arena_new(HTTP_FORM_FIELDS_MAX * sizeof(struct http_field) + 64);
	char text[256] = "a=";

	(void)state;
	memset(text + 2, 'x', sizeof text - 3);
	assert_int_equal(
	    http_form_parse(span_str(text), tiny, &form), ERR_NOMEM);
	arena_free(tiny);
}

static void
survives_every_flip_and_cut(void **state)
{
	static const char good[] = "client_id=p%2B&secret=s%C3%A9+x&d=%7B%7D";
	const size_t len = sizeof good - 1;
	char text[sizeof good];

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		enum err err;

		memcpy(text, good, sizeof text);
		text[bit / 8] ^= (char)(1 << bit % 8);
		arena_reset(arena);
		err = http_form_parse(span_of(text, len), arena, &form);
		assert_true(
		    err == OK || err == ERR_SYNTAX || err == ERR_INVALID);
		for (size_t i = 0; err == OK && i < form.count; i++)
			assert_true(utf8_is_valid(form.fields[i].value));
	}
	for (size_t cut = 0; cut < len; cut++) {
		enum err err;

		arena_reset(arena);
		err = http_form_parse(span_of(good, cut), arena, &form);
		assert_true(err == OK || err == ERR_SYNTAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_fields),
	    cmocka_unit_test(reads_odd_shapes),
	    cmocka_unit_test(refuses_bad_text),
	    cmocka_unit_test(refuses_repeats),
	    cmocka_unit_test(refuses_too_many),
	    cmocka_unit_test(says_when_the_arena_is_full),
	    cmocka_unit_test(survives_every_flip_and_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
