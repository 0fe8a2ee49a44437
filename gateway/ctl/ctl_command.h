/*
 * A command line of `postern` against the table in commands.def.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_COMMAND_H
#define POSTERN_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum ctl_exit {
#define EXIT(symbol, number, doc) symbol = (number),
#include "gateway/ctl/commands.def"
};

enum ctl_option {
#define OPTION(symbol, name, letter, value, doc) OPT_##symbol,
#include "gateway/ctl/commands.def"
	OPT_COUNT
};

enum ctl_scope { SCOPE_LOCAL, SCOPE_CONFIG, SCOPE_ADMIN };

struct ctl_call;

/* Does the command, says on stderr what went wrong. */
typedef enum ctl_exit ctl_handler(const struct ctl_call *call);

#define COMMAND(                                                          \
    symbol, words, arguments, options, scope, of, handler, summary, more) \
	ctl_handler handler;
#include "gateway/ctl/commands.def"

struct ctl_exit_row {
	enum ctl_exit number;
	const char *doc;
};

struct ctl_option_row {
	const char *name;
	char letter;       /* 0: none */
	const char *value; /* NULL: a flag */
	const char *doc;
};

struct ctl_command {
	const char *words;
	const char *arguments;
	uint64_t options; /* bits by enum ctl_option, those of all included */
	enum ctl_scope scope;
	const char *of;
	ctl_handler *handler;
	const char *summary;
	const char *more;
};

extern const struct ctl_exit_row ctl_exits[];
extern const size_t ctl_exit_count;
extern const struct ctl_option_row ctl_options[OPT_COUNT];
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

struct ctl_setting {
	enum ctl_option option;
	const char *value; /* "" of a flag */
};

/* A command line taken apart; strings are argv's. */
struct ctl_call {
	const struct ctl_command *command; /* NULL: only options were given */
	const char *group;                 /* a first word alone, else NULL */
	const char **arguments;            /* owned array */
	size_t argument_count;
	struct ctl_setting *settings; /* owned, in their order */
	size_t setting_count;
};

/*
 * ERR_INVALID with a sentence that says what is wrong with the line. With
 * --help or --version among the options, missing words and arguments are no
 * mistake. `call_r` is to be freed in every case.
 */
enum err ctl_command_parse(int argc, char **argv, struct ctl_call *call_r,
    struct err_detail *detail) MUST_USE;
void ctl_command_fini(struct ctl_call *call);

/* NULL where it was left out. */
const char *ctl_command_argument(const struct ctl_call *call, size_t index);

/* The last value given, "" of a flag; NULL: not given. */
const char *
ctl_command_option(const struct ctl_call *call, enum ctl_option option);

/* The value of the n-th time it was given, from 0; NULL: not so often. */
const char *ctl_command_option_at(
    const struct ctl_call *call, enum ctl_option option, size_t n);

/*
 * The number given with an option, within min..max, or `fallback` without
 * one. ERR_INVALID: says so in detail.
 */
enum err ctl_command_number(const struct ctl_call *call, enum ctl_option option,
    int64_t min, int64_t max, int64_t fallback, int64_t *number_r,
    struct err_detail *detail) MUST_USE;

/* Whether the command may be given the option. */
bool ctl_command_has(const struct ctl_command *command, enum ctl_option option);

/* One word of a row's arguments: kept text without brackets and dots. */
struct ctl_argument {
	char name[32];
	bool is_optional;
	bool is_repeated;
};

/* The argument at *cursor, which starts at the row's text; false at its end.
 */
bool
ctl_command_argument_next(const char **cursor, struct ctl_argument *argument_r);

#endif
