/*
 * The program that writes postern(1) from the table of commands, while
 * Postern is built; not part of `postern`. One thread.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/ctl/ctl_command.h"

/* roff: a backslash, a hyphen that is one, and a line that is no request. */
static void
put(const char *text)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", stdout);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			(void)fputs("\\e", stdout);
		else if (*text == '-')
			(void)fputs("\\-", stdout);
		else
			(void)fputc(*text, stdout);
	}
}

static void
put_option(const struct ctl_option_row *row)
{
	(void)fputs(".TP\n", stdout);
	if (row->letter != 0)
		(void)printf("\\fB\\-%c\\fR, ", row->letter);
	(void)fputs("\\fB\\-\\-", stdout);
	put(row->name);
	(void)fputs("\\fR", stdout);
	if (row->value != NULL) {
		(void)fputs("=\\fI", stdout);
		put(row->value);
		(void)fputs("\\fR", stdout);
	}
	(void)fputc('\n', stdout);
	put(row->doc);
	(void)fputc('\n', stdout);
}

static void
put_own_options(const struct ctl_command *command, uint64_t common)
{
	bool is_first = true;

	for (size_t i = 0; i < OPT_COUNT; i++) {
		if ((common >> i & 1) != 0 ||
		    !ctl_command_has(command, (enum ctl_option)i))
			continue;
		if (is_first)
			(void)fputs(".RS\n", stdout);
		is_first = false;
		put_option(&ctl_options[i]);
	}
	if (!is_first)
		(void)fputs(".RE\n", stdout);
}

static void
put_command(const struct ctl_command *command, uint64_t common)
{
	(void)fputs(".TP\n\\fBpostern ", stdout);
	put(command->words);
	(void)fputs("\\fR", stdout);
	if (*command->arguments != '\0') {
		(void)fputs(" \\fI", stdout);
		put(command->arguments);
		(void)fputs("\\fR", stdout);
	}
	(void)fputc('\n', stdout);
	put(command->summary);
	(void)fputs(".\n", stdout);
	if (*command->more != '\0') {
		put(command->more);
		(void)fputc('\n', stdout);
	}
	if (command->scope == SCOPE_ADMIN)
		(void)fputs("Needs the scope admin.\n", stdout);
	put_own_options(command, common);
}

static void
put_exits(void)
{
	(void)fputs(".SH EXIT STATUS\n", stdout);
	for (size_t i = 0; i < ctl_exit_count; i++) {
		(void)printf(".TP\n.B %d\n", (int)ctl_exits[i].number);
		put(ctl_exits[i].doc);
		(void)fputc('\n', stdout);
	}
}

static void
put_environment(void)
{
	(void)fputs(".SH ENVIRONMENT\n"
		    ".TP\n.BR POSTERN_URL \", \" POSTERN_CLIENT_ID \", \" "
		    "POSTERN_SECRET_FILE\n"
		    "Together they stand for a profile: the admin listener, "
		    "the API client, and a file with its secret that others "
		    "may not read.\n"
		    ".TP\n.B POSTERN_CA\n"
		    "Beside these, the certificate authorities in PEM.\n"
		    ".TP\n.B POSTERN_PROFILE\n"
		    "The profile to use without \\fB\\-\\-profile\\fR.\n"
		    ".TP\n.B NO_COLOR\n"
		    "Set and not empty: no colours.\n"
		    ".SH FILES\n"
		    ".TP\n.I $XDG_CONFIG_HOME/postern/NAME.json\n"
		    "A profile, mode 0600.\n",
	    stdout);
}

int
main(void)
{
	uint64_t common = UINT64_MAX;

	for (size_t i = 0; i < ctl_command_count; i++) {
		if (ctl_commands[i].scope != SCOPE_LOCAL)
			common &= ctl_commands[i].options;
	}
	(void)fputs(".TH POSTERN 1 \"\" \"Postern " POSTERN_VERSION "\"\n"
		    ".SH NAME\n"
		    "postern \\- configure a Postern gateway, run and test its "
		    "scripts\n"
		    ".SH SYNOPSIS\n"
		    ".B postern\n.I COMMAND\n[\\fIARGUMENT\\fR...] "
		    "[\\fIOPTION\\fR...]\n"
		    ".SH DESCRIPTION\n"
		    "Commands that call a gateway need an API client of its "
		    "realm with the scope config or admin; \\fBpostern "
		    "login\\fR keeps its credentials in a profile.\n"
		    ".SH COMMANDS\n",
	    stdout);
	for (size_t i = 0; i < ctl_command_count; i++)
		put_command(&ctl_commands[i], common);
	(void)fputs(
	    ".SH OPTIONS\nOf every command that calls a gateway:\n", stdout);
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if ((common >> i & 1) != 0)
			put_option(&ctl_options[i]);
	}
	put_exits();
	put_environment();
	return ferror(stdout) || fflush(stdout) != 0;
}
