/*
 * The table of commands as data, and the parser of command lines. Calls no
 * handler. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HAS(option) (UINT64_C(1) << OPT_##option)

/* Belong to every command, and to every one that calls a gateway. */
#define OF_EACH (HAS(HELP) | HAS(COLOR))
#define OF_REMOTE \
	(HAS(JSON) | HAS(PROFILE) | HAS(CA) | HAS(INSECURE_HTTP) | HAS(TIMEOUT))

_Static_assert(OPT_COUNT <= 64, "a row's options are bits of 64");

const struct ctl_exit_row ctl_exits[] = {
#define EXIT(symbol, number, doc) {symbol, doc},
#include "gateway/ctl/commands.def"
};
const size_t ctl_exit_count = sizeof ctl_exits / sizeof ctl_exits[0];

const struct ctl_option_row ctl_options[OPT_COUNT] = {
#define OPTION(symbol, name, letter, value, doc) {name, letter, value, doc},
#include "gateway/ctl/commands.def"
};

const struct ctl_command ctl_commands[] = {
#define COMMAND(                                                            \
    symbol, words, arguments, options, scope, of, handler, summary, more)   \
	{words, arguments,                                                  \
	    (options) | OF_EACH | ((scope) == SCOPE_LOCAL ? 0 : OF_REMOTE), \
	    scope, of, handler, summary, more},
#include "gateway/ctl/commands.def"
};
const size_t ctl_command_count = sizeof ctl_commands / sizeof ctl_commands[0];

bool
ctl_command_has(const struct ctl_command *command, enum ctl_option option)
{
	return (command->options >> option & 1) != 0;
}

/* ---- options ------------------------------------------------------------- */

static bool
option_allows(const struct ctl_option_row *row, const char *value)
{
	const char *choice = row->value;
	size_t len = strlen(value);

	if (strchr(choice, '|') == NULL)
		return true;
	for (;;) {
		size_t choice_len = strcspn(choice, "|");

		if (choice_len == len && memcmp(choice, value, len) == 0)
			return true;
		if (choice[choice_len] == '\0')
			return false;
		choice += choice_len + 1;
	}
}

static enum err
option_add(struct ctl_call *call, size_t index, const char *value,
    struct err_detail *detail)
{
	const struct ctl_option_row *row = &ctl_options[index];

	if (row->value == NULL && value != NULL)
		return err_set(
		    detail, ERR_INVALID, "--%s takes no value", row->name);
	if (row->value != NULL && value == NULL)
		return err_set(detail, ERR_INVALID, "--%s needs a value: %s",
		    row->name, row->value);
	if (row->value != NULL && !option_allows(row, value))
		return err_set(detail, ERR_INVALID, "--%s is one of %s",
		    row->name, row->value);
	call->settings[call->setting_count++] = (struct ctl_setting){
	    (enum ctl_option)index, value == NULL ? "" : value};
	return OK;
}

/* OPT_COUNT: there is none of that name. */
static size_t
option_find(const char *name, size_t len)
{
	size_t i = 0;

	while (
	    i < OPT_COUNT && (strlen(ctl_options[i].name) != len ||
				 memcmp(ctl_options[i].name, name, len) != 0))
		i++;
	return i;
}

static size_t
option_find_letter(char letter)
{
	size_t i = 0;

	while (i < OPT_COUNT && ctl_options[i].letter != letter)
		i++;
	return i;
}

/* argv[*at], which begins with "-"; moves *at past a value of its own. */
static enum err
option_take(struct ctl_call *call, char **argv, int argc, int *at,
    struct err_detail *detail)
{
	const char *text = argv[*at];
	const char *value = NULL;
	size_t index;

	if (text[1] == '-') {
		size_t len = strcspn(text + 2, "=");

		index = option_find(text + 2, len);
		if (text[2 + len] == '=')
			value = text + 2 + len + 1;
	} else {
		index =
		    text[2] == '\0' ? option_find_letter(text[1]) : OPT_COUNT;
	}
	/* Not as it was typed: a secret may stand behind a mistyped name. */
	if (index == OPT_COUNT)
		return err_set(detail, ERR_INVALID, "no option is called %.*s",
		    (int)strcspn(text, "="), text);
	if (value == NULL && ctl_options[index].value != NULL && *at + 1 < argc)
		value = argv[++*at];
	return option_add(call, index, value, detail);
}

/* ---- words and arguments ------------------------------------------------- */

static size_t
word_count(const char *words)
{
	size_t count = 1;

	for (; *words != '\0'; words++)
		count += *words == ' ';
	return count;
}

/* Whether the first arguments are the words of the command. */
static bool
words_match(const struct ctl_call *call, const char *words)
{
	for (size_t i = 0; *words != '\0'; i++) {
		size_t len = strcspn(words, " ");

		if (i == call->argument_count ||
		    strlen(call->arguments[i]) != len ||
		    memcmp(call->arguments[i], words, len) != 0)
			return false;
		words += len + (words[len] == ' ');
	}
	return true;
}

static bool
is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ctl_command_count; i++) {
		if (strncmp(ctl_commands[i].words, word, len) == 0 &&
		    ctl_commands[i].words[len] == ' ')
			return true;
	}
	return false;
}

static enum err
find_command(struct ctl_call *call, struct err_detail *detail)
{
	for (size_t i = 0; i < ctl_command_count; i++) {
		if (!words_match(call, ctl_commands[i].words))
			continue;
		size_t words = word_count(ctl_commands[i].words);

		call->command = &ctl_commands[i];
		call->argument_count -= words;
		memmove(call->arguments, call->arguments + words,
		    call->argument_count * sizeof *call->arguments);
		return OK;
	}
	if (is_group(call->arguments[0])) {
		call->group = call->arguments[0];
		if (call->argument_count == 1)
			return OK;
		return err_set(detail, ERR_INVALID, "%s has no command %s",
		    call->arguments[0], call->arguments[1]);
	}
	return err_set(
	    detail, ERR_INVALID, "there is no command %s", call->arguments[0]);
}

bool
ctl_command_argument_next(const char **cursor, struct ctl_argument *argument_r)
{
	const char *text = *cursor + strspn(*cursor, " ");
	size_t len = strcspn(text, " ");
	size_t name_len = strcspn(text + (*text == '['), " ].");

	if (len == 0)
		return false;
	if (name_len >= sizeof argument_r->name)
		name_len = sizeof argument_r->name - 1;
	argument_r->is_optional = *text == '[';
	argument_r->is_repeated = memmem(text, len, "...", 3) != NULL;
	memcpy(argument_r->name, text + (*text == '['), name_len);
	argument_r->name[name_len] = '\0';
	*cursor = text + len;
	return true;
}

static enum err
check_arguments(const struct ctl_call *call, struct err_detail *detail)
{
	const char *cursor = call->command->arguments;
	struct ctl_argument argument;
	size_t most = 0;
	bool is_repeated = false;

	while (ctl_command_argument_next(&cursor, &argument)) {
		if (most >= call->argument_count && !argument.is_optional)
			return err_set(detail, ERR_INVALID, "%s needs %s",
			    call->command->words, argument.name);
		most++;
		is_repeated = is_repeated || argument.is_repeated;
	}
	if (call->argument_count > most && !is_repeated)
		return err_set(detail, ERR_INVALID, "%s takes no argument %s",
		    call->command->words, call->arguments[most]);
	return OK;
}

static enum err
check_options(const struct ctl_call *call, struct err_detail *detail)
{
	for (size_t i = 0; i < call->setting_count; i++) {
		enum ctl_option option = call->settings[i].option;

		if (!ctl_command_has(call->command, option))
			return err_set(detail, ERR_INVALID,
			    "%s has no option --%s", call->command->words,
			    ctl_options[option].name);
	}
	return OK;
}

static enum err
split(int argc, char **argv, struct ctl_call *call, struct err_detail *detail)
{
	bool only_arguments = false;

	for (int at = 1; at < argc; at++) {
		enum err err = OK;

		if (only_arguments || argv[at][0] != '-' || argv[at][1] == '\0')
			call->arguments[call->argument_count++] = argv[at];
		else if (strcmp(argv[at], "--") == 0)
			only_arguments = true;
		else
			err = option_take(call, argv, argc, &at, detail);
		if (err != OK)
			return err;
	}
	return OK;
}

enum err
ctl_command_parse(
    int argc, char **argv, struct ctl_call *call_r, struct err_detail *detail)
{
	size_t room = (size_t)(argc > 0 ? argc : 1);
	enum err err;

	*call_r = (struct ctl_call){
	    .arguments = calloc(room, sizeof *call_r->arguments),
	    .settings = calloc(room, sizeof *call_r->settings)};
	if (call_r->arguments == NULL || call_r->settings == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	err = split(argc, argv, call_r, detail);
	if (err != OK || call_r->argument_count == 0)
		return err;
	err = find_command(call_r, detail);
	if (err != OK || call_r->command == NULL ||
	    ctl_command_option(call_r, OPT_HELP) != NULL)
		return err;
	err = check_options(call_r, detail);
	return err != OK ? err : check_arguments(call_r, detail);
}

void
ctl_command_fini(struct ctl_call *call)
{
	free(call->arguments);
	free(call->settings);
	*call = (struct ctl_call){0};
}

/* ---- what handlers ask --------------------------------------------------- */

const char *
ctl_command_argument(const struct ctl_call *call, size_t index)
{
	return index < call->argument_count ? call->arguments[index] : NULL;
}

const char *
ctl_command_option(const struct ctl_call *call, enum ctl_option option)
{
	const char *value = NULL;

	for (size_t i = 0; i < call->setting_count; i++) {
		if (call->settings[i].option == option)
			value = call->settings[i].value;
	}
	return value;
}

const char *
ctl_command_option_at(
    const struct ctl_call *call, enum ctl_option option, size_t n)
{
	for (size_t i = 0; i < call->setting_count; i++) {
		if (call->settings[i].option == option && n-- == 0)
			return call->settings[i].value;
	}
	return NULL;
}

enum err
ctl_command_number(const struct ctl_call *call, enum ctl_option option,
    int64_t min, int64_t max, int64_t fallback, int64_t *number_r,
    struct err_detail *detail)
{
	const char *text = ctl_command_option(call, option);
	char *end = NULL;
	long long number;

	if (text == NULL) {
		*number_r = fallback;
		return OK;
	}
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < min ||
	    number > max)
		return err_set(detail, ERR_INVALID,
		    "--%s is a number from %lld to %lld",
		    ctl_options[option].name, (long long)min, (long long)max);
	*number_r = number;
	return OK;
}
