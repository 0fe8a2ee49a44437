/*
 * --help and help; see ctl_help.h. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_help.h"

#include <string.h>

#include "gateway/ctl/ctl_out.h"

/* All texts of the table, several times. */
#define HELP_BYTES_MAX 262144

#define LINE_COLUMNS 78

/* Breaks at blanks, each line behind `indent` blanks. */
static void
append_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > LINE_COLUMNS) {
			buf_append_char(out, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_printf(out, "%*s", (int)indent, "");
			column = indent;
		} else {
			buf_append_char(out, ' ');
			column++;
		}
		buf_append(out, text, len);
		column += len;
		text += len + (text[len] == ' ');
	}
	buf_append_char(out, '\n');
}

void
ctl_help_usage(struct buf *out, const struct ctl_command *command)
{
	buf_printf(out, "postern %s%s%s [OPTION...]", command->words,
	    *command->arguments == '\0' ? "" : " ", command->arguments);
}

static void
append_option(struct buf *out, const struct ctl_option_row *row)
{
	buf_append_str(out, "  ");
	if (row->letter != 0)
		buf_printf(out, "-%c, ", row->letter);
	buf_printf(out, "--%s", row->name);
	if (row->value != NULL)
		buf_printf(out, "=%s", row->value);
	buf_append_char(out, '\n');
	append_wrapped(out, row->doc, 8);
}

static void
append_exits(struct buf *out)
{
	buf_append_str(out, "\nExit status:\n");
	for (size_t i = 0; i < ctl_exit_count; i++)
		buf_printf(out, "  %3d  %s\n", (int)ctl_exits[i].number,
		    ctl_exits[i].doc);
}

void
ctl_help_command(struct buf *out, const struct ctl_command *command)
{
	buf_append_str(out, "Usage: ");
	ctl_help_usage(out, command);
	buf_append_str(out, "\n\n");
	append_wrapped(out, command->summary, 0);
	if (*command->more != '\0') {
		buf_append_char(out, '\n');
		append_wrapped(out, command->more, 0);
	}
	if (command->scope != SCOPE_LOCAL)
		buf_printf(out, "\nNeeds an API client with the scope %s.\n",
		    command->scope == SCOPE_ADMIN ? "admin"
						  : "config or admin");
	buf_append_str(out, "\nOptions:\n");
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (ctl_command_has(command, (enum ctl_option)i))
			append_option(out, &ctl_options[i]);
	}
}

static bool
is_in_group(const struct ctl_command *command, const char *group)
{
	size_t len = strlen(group);

	return strncmp(command->words, group, len) == 0 &&
	       command->words[len] == ' ';
}

void
ctl_help_overview(struct buf *out, const char *group)
{
	buf_printf(out, "Usage: postern %s%s [ARGUMENT...] [OPTION...]\n\n",
	    group == NULL ? "" : group, group == NULL ? "COMMAND" : " COMMAND");
	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *command = &ctl_commands[i];

		if (group == NULL || is_in_group(command, group))
			buf_printf(out, "  %-18s  %s\n", command->words,
			    command->summary);
	}
	buf_append_str(out, "\npostern COMMAND --help says more.\n");
	if (group == NULL)
		append_exits(out);
}

enum ctl_exit
ctl_help_print(const struct ctl_call *call)
{
	struct buf out;

	buf_init(&out, HELP_BYTES_MAX);
	if (call->command != NULL)
		ctl_help_command(&out, call->command);
	else
		ctl_help_overview(&out, call->group);
	ctl_out_span(STYLE_PLAIN, buf_span(&out));
	buf_fini(&out);
	return CTL_OK;
}

/* The words after `help`, as if they were a line of their own with --help. */
enum ctl_exit
ctl_help(const struct ctl_call *call)
{
	char *line[8] = {NULL};
	char name[] = "postern";
	char option[] = "--help";
	struct err_detail detail = {0};
	struct ctl_call asked = {0};
	enum ctl_exit exit;
	int count = 0;

	line[count++] = name;
	line[count++] = option;
	for (size_t i = 0; i < call->argument_count && count < 8; i++)
		line[count++] = (char *)(uintptr_t)call->arguments[i];
	if (ctl_command_parse(count, line, &asked, &detail) == OK)
		exit = ctl_help_print(&asked);
	else
		exit = ctl_out_error(
		    CTL_USAGE, "%s; see postern --help", detail.text);
	ctl_command_fini(&asked);
	return exit;
}
