/* Errors: names, sentences, cutting. */
#include <errno.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/err.h"

static void
every_error_has_its_own_name(void **state)
{
	(void)state;
	assert_string_equal(err_name(OK), "ok");
	for (int a = 0; a < ERR_COUNT; a++) {
		assert_true(err_name((enum err)a)[0] != '\0');
		assert_true(err_sentence((enum err)a)[0] != '\0');
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
			    err_name((enum err)a), err_name((enum err)b));
	}
	assert_string_equal(err_name((enum err)ERR_COUNT), "unknown");
	assert_string_equal(err_name((enum err) - 1), "unknown");
}

static void
sentences_are_set_and_prefixed(void **state)
{
	struct err_detail detail = {.text = ""};

	(void)state;
	assert_string_equal(err_text(&detail, ERR_FULL), "the queue is full");
	assert_string_equal(err_text(NULL, ERR_FULL), "the queue is full");
	assert_int_equal(
	    err_set(&detail, ERR_INVALID, "port %d", 7), ERR_INVALID);
	assert_string_equal(err_text(&detail, ERR_INVALID), "port 7");
	assert_int_equal(
	    err_prefix(&detail, ERR_INVALID, "file:%d", 3), ERR_INVALID);
	assert_string_equal(detail.text, "file:3: port 7");
	errno = ENOENT;
	assert_int_equal(err_set_errno(&detail, ERR_IO, "/x"), ERR_IO);
	assert_string_equal(detail.text, "/x: No such file or directory");
	assert_int_equal(errno, ENOENT);
	detail.text[0] = '\0';
	(void)err_prefix(&detail, ERR_FULL, "q");
	assert_string_equal(detail.text, "q: the queue is full");
	assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_set_errno(NULL, ERR_IO, "x"), ERR_IO);
	assert_int_equal(err_prefix(NULL, ERR_IO, "x"), ERR_IO);
}

static void
long_text_is_cut_visibly(void **state)
{
	struct err_detail detail = {.text = ""};
	char fits[ERR_DETAIL_BYTES];
	size_t len;

	(void)state;
	memset(fits, 'a', sizeof fits - 1);
	fits[sizeof fits - 1] = '\0';
	(void)err_set(&detail, ERR_IO, "%s", fits);
	assert_string_equal(detail.text, fits);
	(void)err_prefix(&detail, ERR_IO, "p");
	assert_int_equal(strlen(detail.text), ERR_DETAIL_BYTES - 1);
	assert_string_equal(detail.text + ERR_DETAIL_BYTES - 4, "...");
	assert_memory_equal(detail.text, "p: aaa", 6);
	/* A second prefix finds room at the front. */
	(void)err_prefix(&detail, ERR_IO, "q");
	assert_memory_equal(detail.text, "q: p: aaa", 9);
	assert_string_equal(detail.text + ERR_DETAIL_BYTES - 4, "...");
	/* No character is cut in two: 509 bytes before the mark is odd. */
	(void)err_set(&detail, ERR_IO, "x%0506d\xE2\x82\xAC\xE2\x82\xAC", 0);
	len = strlen(detail.text);
	assert_string_equal(detail.text + len - 4, "0...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_error_has_its_own_name),
	    cmocka_unit_test(sentences_are_set_and_prefixed),
	    cmocka_unit_test(long_text_is_cut_visibly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
