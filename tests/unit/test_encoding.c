/* Encodings: published vectors, strictness, hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "common/encoding.h"

typedef enum err decode_fn(struct span text, struct buf *out);

static enum err
percent_form(struct span text, struct buf *out)
{
	return percent_decode(text, true, out);
}

/* A copy of exactly its size, so that ASan sees any read beyond. */
static enum err
decode_copy(decode_fn *decode, const char *text, size_t len, struct buf *out)
{
	char *copy = malloc(len == 0 ? 1 : len);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = decode(span_of(copy, len), out);
	free(copy);
	return err;
}

static void
expect(decode_fn *decode, const char *text, const char *decoded)
{
	struct buf out;
	enum err err;

	buf_init(&out, 1000);
	err = decode_copy(decode, text, strlen(text), &out);
	if (decoded == NULL) {
		assert_int_equal(err, ERR_SYNTAX);
		assert_int_equal(out.len, 0);
	} else {
		assert_int_equal(err, OK);
		assert_true(span_is(buf_span(&out), decoded));
	}
	buf_fini(&out);
}

/* RFC 4648 section 10. */
static const char *const vectors[][3] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

static void
base64_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		struct buf out;

		buf_init(&out, 100);
		base64_append(&out, span_str(vectors[i][0]));
		assert_true(span_is(buf_span(&out), vectors[i][1]));
		buf_reset(&out);
		base64url_append(&out, span_str(vectors[i][0]));
		assert_true(span_is(buf_span(&out), vectors[i][2]));
		buf_fini(&out);
		expect(base64_decode, vectors[i][1], vectors[i][0]);
		expect(base64url_decode, vectors[i][2], vectors[i][0]);
	}
	expect(base64_decode, "+/+/", "\xfb\xff\xbf");
	expect(base64url_decode, "-_-_", "\xfb\xff\xbf");
}

static void
base64_is_strict(void **state)
{
	static const char *const bad[] = {"Z", "Zg",
	    "Zg=", "Zg===", "Zg==Zg==", "Zh==", "Zm9=", "Zm8", "Zm9v=", "=",
	    "==", "===", "====", "Z===", " Zg==", "Zg==\n", "Zm 9", "-_-_",
	    "Zm9v\xff\xff\xff\xff"};
	static const char *const bad_url[] = {"Z", "Zg==", "Zm8=", "Zh", "Zm9",
	    "+/+/", "Zg ", "Zm9v\n", "Zm9vY", "Z\x80==", "="};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect(base64_decode, bad[i], NULL);
	for (size_t i = 0; i < sizeof bad_url / sizeof bad_url[0]; i++)
		expect(base64url_decode, bad_url[i], NULL);
}

/* Strict means one text for a value: what decodes encodes to itself. */
static void
check_round_trip(const char *text, size_t len)
{
	struct buf bytes, again;

	buf_init(&bytes, 1000);
	buf_init(&again, 1000);
	if (decode_copy(base64url_decode, text, len, &bytes) == OK) {
		base64url_append(&again, buf_span(&bytes));
		assert_true(span_equal(buf_span(&again), span_of(text, len)));
	}
	buf_reset(&bytes);
	buf_reset(&again);
	if (decode_copy(base64_decode, text, len, &bytes) == OK) {
		base64_append(&again, buf_span(&bytes));
		assert_true(span_equal(buf_span(&again), span_of(text, len)));
	}
	buf_reset(&bytes);
	if (decode_copy(percent_form, text, len, &bytes) == OK)
		assert_null(memchr(buf_span(&bytes).data, '\0', bytes.len));
	(void)utf8_is_valid(span_of(text, len));
	buf_fini(&bytes);
	buf_fini(&again);
}

static void
flipped_and_cut_text(void **state)
{
	static const char *const samples[] = {"Zm9vYmE=", "Zm9vYmFyZm9vYg==",
	    "-_-_Zm9vYmE", "a%20b+c%C3%A9&%7e", "\xE2\x82\xAC\xF0\x9F\x98\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		char text[32];
		size_t len = strlen(samples[i]);

		memcpy(text, samples[i], len);
		for (size_t cut = 0; cut <= len; cut++)
			check_round_trip(text, cut);
		for (size_t bit = 0; bit < len * 8; bit++) {
			text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
			if (memchr(text, '\0', len) == NULL)
				check_round_trip(text, len);
			text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		}
	}
}

static void
a_full_buffer_takes_nothing(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(base64_decode(span_str("Zm9vYmFy"), &out), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_reset(&out);
	assert_int_equal(base64_decode(span_str("Zm9vYmE="), &out), OK);
	buf_reset(&out);
	assert_int_equal(
	    percent_decode(span_str("%41%42%43%44%45"), false, &out), OK);
	assert_true(span_is(buf_span(&out), "ABCDE"));
	assert_int_equal(percent_decode(span_str("x"), false, &out), ERR_LIMIT);
	buf_fini(&out);
}

static void
hex_both_ways(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x9f, 0xfa};
	uint8_t back[3] = {1, 1, 1};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	hex_append_upper(&out, span_of(bytes, 3));
	hex_append_lower(&out, span_of(bytes, 3));
	assert_true(span_is(buf_span(&out), "009FFA009ffa"));
	buf_fini(&out);
	assert_int_equal(hex_decode(span_str("009Ffg"), back, 3), ERR_SYNTAX);
	assert_int_equal(hex_decode(span_str("009Ff"), back, 3), ERR_SYNTAX);
	assert_int_equal(hex_decode(span_str("009F"), back, 3), ERR_SYNTAX);
	assert_int_equal(hex_decode(span_str("009FfA00"), back, 3), ERR_SYNTAX);
	assert_int_equal(back[0], 1);
	assert_int_equal(hex_decode(span_str("009FfA"), back, 3), OK);
	assert_memory_equal(back, bytes, 3);
}

static void
percent_decoding(void **state)
{
	struct buf out;

	(void)state;
	expect(percent_form, "", "");
	expect(percent_form, "a+b%2Bc%20d", "a b+c d");
	expect(percent_form, "%25%34%31", "%41"); /* once */
	expect(percent_form, "%c3%A9", "\xC3\xA9");
	expect(percent_form, "%", NULL);
	expect(percent_form, "%4", NULL);
	expect(percent_form, "abc%4", NULL);
	expect(percent_form, "%zz", NULL);
	expect(percent_form, "%4g", NULL);
	expect(percent_form, "a%00b", NULL);
	expect(percent_form, "%%41", NULL);
	buf_init(&out, 100);
	assert_int_equal(percent_decode(span_str("a+b"), false, &out), OK);
	assert_true(span_is(buf_span(&out), "a+b"));
	buf_fini(&out);
}

static void
utf8_rfc_3629(void **state)
{
	static const char *const good[] = {"", "a", "\xC2\x80", "\xDF\xBF",
	    "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
	    "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80",
	    "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82",
	    "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80",
	    "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "ok\xFE"};
	uint32_t code_point = 0;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(utf8_is_valid(span_str(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(utf8_is_valid(span_str(bad[i])));
	assert_true(utf8_is_valid(span_of("a\0b", 3)));
	assert_int_equal(
	    utf8_next(span_str("\xF0\x9F\x98\x80z"), &code_point), 4);
	assert_int_equal(code_point, 0x1F600);
	assert_int_equal(utf8_next(span_str("\xE2\x82\xACz"), &code_point), 3);
	assert_int_equal(code_point, 0x20AC);
	assert_int_equal(utf8_next(span_str(""), &code_point), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_vectors),
	    cmocka_unit_test(base64_is_strict),
	    cmocka_unit_test(flipped_and_cut_text),
	    cmocka_unit_test(a_full_buffer_takes_nothing),
	    cmocka_unit_test(hex_both_ways),
	    cmocka_unit_test(percent_decoding),
	    cmocka_unit_test(utf8_rfc_3629),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
