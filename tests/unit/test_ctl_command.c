/*
 * Command lines against the table of commands, and the table itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/ctl_command.h"

#define WORDS_MAX 12

/* The line, split at blanks; `text` is written to. */
static enum err
parse(char *text, struct ctl_call *call_r, struct err_detail *detail)
{
	char *words[WORDS_MAX] = {NULL};
	char *rest = text;
	int count = 0;

	*detail = (struct err_detail){0};
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	return ctl_command_parse(count, words, call_r, detail);
}

static void
expect_mistake(const char *line, const char *sentence)
{
	struct err_detail detail;
	struct ctl_call call;
	char text[256];

	assert_true(strlen(line) < sizeof text);
	memcpy(text, line, strlen(line) + 1);
	assert_int_equal(parse(text, &call, &detail), ERR_INVALID);
	assert_non_null(strstr(detail.text, sentence));
	ctl_command_fini(&call);
}

static void
test_a_whole_line(void **state)
{
	char text[] = "postern --profile two release publish my-idp "
		      "0123abcd --why=because --json";
	struct err_detail detail;
	struct ctl_call call;

	(void)state;
	assert_int_equal(parse(text, &call, &detail), OK);
	assert_string_equal(call.command->words, "release publish");
	assert_string_equal(ctl_command_argument(&call, 0), "my-idp");
	assert_string_equal(ctl_command_argument(&call, 1), "0123abcd");
	assert_null(ctl_command_argument(&call, 2));
	assert_string_equal(ctl_command_option(&call, OPT_PROFILE), "two");
	assert_string_equal(ctl_command_option(&call, OPT_WHY), "because");
	assert_string_equal(ctl_command_option(&call, OPT_JSON), "");
	assert_null(ctl_command_option(&call, OPT_FORCE));
	ctl_command_fini(&call);
}

static void
test_options_end_and_repeat(void **state)
{
	char text[] = "postern property delete --why=1 --why 2 -- --odd";
	struct err_detail detail;
	struct ctl_call call;

	(void)state;
	assert_int_equal(parse(text, &call, &detail), OK);
	assert_string_equal(ctl_command_argument(&call, 0), "--odd");
	assert_string_equal(ctl_command_option_at(&call, OPT_WHY, 0), "1");
	assert_string_equal(ctl_command_option_at(&call, OPT_WHY, 1), "2");
	assert_null(ctl_command_option_at(&call, OPT_WHY, 2));
	ctl_command_fini(&call);
}

static void
test_short_options(void **state)
{
	char text[] = "postern logs -f";
	struct err_detail detail;
	struct ctl_call call;

	(void)state;
	assert_int_equal(parse(text, &call, &detail), OK);
	assert_non_null(ctl_command_option(&call, OPT_FOLLOW));
	ctl_command_fini(&call);
}

static void
test_mistakes_are_told(void **state)
{
	(void)state;
	expect_mistake("postern nonsense", "no command nonsense");
	expect_mistake("postern release nonsense", "no command nonsense");
	expect_mistake("postern plan", "plan needs DIR");
	expect_mistake("postern plan a b", "no argument b");
	expect_mistake("postern plan a --force", "no option --force");
	expect_mistake("postern plan a --dry", "no option is called --dry");
	expect_mistake("postern plan a -x", "no option is called -x");
	expect_mistake("postern plan a --json=1", "takes no value");
	expect_mistake("postern apply a --why", "needs a value");
	expect_mistake("postern plan a --color=pink", "auto|always|never");
	expect_mistake("postern release publish x", "needs RELEASE");
}

/* It may be a secret that landed in the wrong place. */
static void
test_the_value_of_an_unknown_option_is_not_repeated(void **state)
{
	char text[] = "postern plan a --secret=hunter2";
	struct err_detail detail;
	struct ctl_call call;

	(void)state;
	assert_int_equal(parse(text, &call, &detail), ERR_INVALID);
	assert_null(strstr(detail.text, "hunter2"));
	ctl_command_fini(&call);
}

static void
expect_number(const char *value, enum err wanted)
{
	char text[64] = "postern release shadow x --percent ";
	struct err_detail detail;
	struct ctl_call call;
	int64_t number = -1;

	strncat(text, value, sizeof text - strlen(text) - 1);
	assert_int_equal(parse(text, &call, &detail), OK);
	assert_int_equal(
	    ctl_command_number(&call, OPT_PERCENT, 1, 100, 0, &number, &detail),
	    wanted);
	ctl_command_fini(&call);
}

static void
test_numbers_have_bounds(void **state)
{
	(void)state;
	expect_number("1", OK);
	expect_number("100", OK);
	expect_number("0", ERR_INVALID);
	expect_number("101", ERR_INVALID);
	expect_number("5%", ERR_INVALID);
	expect_number("five", ERR_INVALID);
	expect_number("99999999999999999999", ERR_INVALID);
}

static void
test_the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *command = &ctl_commands[i];
		const char *cursor = command->arguments;
		struct ctl_argument argument;
		bool was_optional = false;

		assert_true(*command->summary != '\0');
		assert_true(ctl_command_has(command, OPT_HELP));
		while (ctl_command_argument_next(&cursor, &argument)) {
			assert_true(argument.is_optional || !was_optional);
			was_optional = argument.is_optional;
		}
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
			    command->words, ctl_commands[k].words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_whole_line),
	    cmocka_unit_test(test_options_end_and_repeat),
	    cmocka_unit_test(test_short_options),
	    cmocka_unit_test(test_mistakes_are_told),
	    cmocka_unit_test(
		test_the_value_of_an_unknown_option_is_not_repeated),
	    cmocka_unit_test(test_numbers_have_bounds),
	    cmocka_unit_test(test_the_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
