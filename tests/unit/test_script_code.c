/* Outcome codes: which are known, and what they are called. */
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/script_code.h"

static void
listed_codes_are_known(void **state)
{
	unsigned known = 0;

	(void)state;
	for (uint64_t number = 0; number < 5000; number++)
		known += script_code_is_known(number);
	assert_int_equal(known, 11);
	assert_true(script_code_is_known(SCRIPT_OK));
	assert_true(script_code_is_known(3004));
	assert_false(script_code_is_known(3003));
	/* Must not be narrowed to the 0 of SCRIPT_OK. */
	assert_false(script_code_is_known(UINT64_C(1) << 32));
	assert_false(script_code_is_known(UINT64_MAX));
}

static void
names_and_sentences(void **state)
{
	(void)state;
	assert_string_equal(script_code_name(SCRIPT_TIMEOUT), "timeout");
	assert_string_equal(script_code_name((enum script_code)77), "unknown");
	assert_non_null(strstr(script_code_sentence(SCRIPT_MEMORY), "heap"));
	assert_non_null(
	    strstr(script_code_sentence((enum script_code)77), "unknown"));
	assert_string_equal(script_kind_name(SCRIPT_INIT), "init");
	assert_string_equal(script_kind_name(SCRIPT_COMPLETE), "complete");
	assert_string_equal(
	    script_kind_name(SCRIPT_BACKCHANNEL), "backchannel");
	assert_string_equal(script_kind_name(SCRIPT_KINDS), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listed_codes_are_known),
	    cmocka_unit_test(names_and_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
