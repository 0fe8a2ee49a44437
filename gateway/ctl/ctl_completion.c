/*
 * completion: scripts that teach shells the table of commands. Runs in
 * `postern`, which has one thread.
 */
#include <string.h>

#include "common/buf.h"
#include "gateway/ctl/ctl_command.h"
#include "gateway/ctl/ctl_out.h"

/* The table's names and docs, quoted, several times. */
#define SCRIPT_BYTES_MAX 262144

/* ---- bash ---------------------------------------------------------------- */

/* Words that may come first, or after `group`. */
static void
append_words(struct buf *out, const char *group)
{
	const char *last = "";
	size_t last_len = 0;

	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *word = ctl_commands[i].words;
		size_t len = strcspn(word, " ");

		if (group != NULL) {
			if (strncmp(word, group, len) != 0 ||
			    group[len] != '\0' || word[len] == '\0')
				continue;
			word += len + 1;
			len = strlen(word);
		}
		/* Commands of a group stand together in the table. */
		if (len == last_len && memcmp(word, last, len) == 0)
			continue;
		buf_append(out, word, len);
		buf_append_char(out, ' ');
		last = word;
		last_len = len;
	}
}

static void
append_options(struct buf *out, const struct ctl_command *command)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (ctl_command_has(command, (enum ctl_option)i))
			buf_printf(out, "--%s%s ", ctl_options[i].name,
			    ctl_options[i].value == NULL ? "" : "=");
	}
}

/* What bash's compgen gives for a value that is called so; "" for a name
 * that only a gateway knows. */
static void
append_compgen(struct buf *out, const char *value)
{
	if (strcmp(value, "DIR") == 0)
		buf_append_str(out, "-d");
	else if (strcmp(value, "FILE") == 0)
		buf_append_str(out, "-f");
	else if (strchr(value, '|') != NULL) {
		buf_append_str(out, "-W '");
		for (; *value != '\0'; value++)
			buf_append_char(out, *value == '|' ? ' ' : *value);
		buf_append_char(out, '\'');
	}
}

static void
append_bash_command(struct buf *out, const struct ctl_command *command)
{
	const char *cursor = command->arguments;
	struct ctl_argument argument;

	buf_printf(out, "\t'%s')\n\t\toptions='", command->words);
	append_options(out, command);
	buf_append_str(out, "'\n\t\targuments=(");
	while (ctl_command_argument_next(&cursor, &argument)) {
		buf_append_str(out, " \"");
		append_compgen(out, argument.name);
		buf_append_char(out, '"');
	}
	buf_append_str(out, " )\n\t\t;;\n");
}

static void
append_bash_values(struct buf *out)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct ctl_option_row *row = &ctl_options[i];

		if (row->value == NULL)
			continue;
		buf_printf(out, "\t--%s) values=\"", row->name);
		append_compgen(out, row->value);
		buf_append_str(out, "\" ;;\n");
	}
}

static bool
is_first_of_group(size_t index)
{
	const char *words = ctl_commands[index].words;
	size_t len = strcspn(words, " ");

	return words[len] != '\0' &&
	       (index == 0 ||
		   strncmp(ctl_commands[index - 1].words, words, len + 1) != 0);
}

static void
append_bash(struct buf *out)
{
	buf_append_str(out,
	    "# Completion of postern for bash, made from its table of "
	    "commands.\n"
	    "_postern() {\n"
	    "\tlocal current=${COMP_WORDS[COMP_CWORD]} word words='' rest=0\n"
	    "\tlocal options='' values='' previous='' next='' i\n"
	    "\tlocal -a arguments=()\n"
	    "\tCOMPREPLY=()\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tword=${COMP_WORDS[i]}\n"
	    "\t\tcase $word in -*|'=') continue ;; esac\n"
	    "\t\t[[ ${COMP_WORDS[i-1]} == '=' ]] && continue\n"
	    "\t\tcase \" $words\" in\n");
	buf_append_str(out, "\t\t' '|");
	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *words = ctl_commands[i].words;

		if (is_first_of_group(i))
			buf_printf(
			    out, "' %.*s'|", (int)strcspn(words, " "), words);
	}
	buf_append_str(out, "'-') words=\"${words:+$words }$word\" ;;\n"
			    "\t\t*) rest=$((rest + 1)) ;;\n"
			    "\t\tesac\n"
			    "\tdone\n"
			    "\tcase $words in\n\t'') next='");
	append_words(out, NULL);
	buf_append_str(out, "' ;;\n");
	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *words = ctl_commands[i].words;
		char group[64] = "";
		size_t len = strcspn(words, " ");

		if (!is_first_of_group(i) || len >= sizeof group)
			continue;
		memcpy(group, words, len);
		buf_printf(out, "\t%s) next='", group);
		append_words(out, group);
		buf_append_str(out, "' ;;\n");
	}
	for (size_t i = 0; i < ctl_command_count; i++)
		append_bash_command(out, &ctl_commands[i]);
	/* "--color=al" comes as three words: --color, =, al. */
	buf_append_str(out, "\tesac\n"
			    "\tprevious=${COMP_WORDS[COMP_CWORD-1]}\n"
			    "\tif [[ $current == '=' ]]; then current=''\n"
			    "\telif [[ $previous == '=' ]]; then "
			    "previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
			    "\tcase $previous in\n");
	append_bash_values(out);
	buf_append_str(out,
	    "\tesac\n"
	    "\tif [[ -n $values ]]; then\n"
	    "\t\teval \"COMPREPLY=(\\$(compgen $values -- "
	    "\\\"\\$current\\\"))\"\n"
	    "\telif [[ $current == -* ]]; then\n"
	    "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
	    "\t\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace "
	    "2>/dev/null\n"
	    "\telif [[ -n $next ]]; then\n"
	    "\t\tCOMPREPLY=($(compgen -W \"$next\" -- \"$current\"))\n"
	    "\telif [[ -n ${arguments[rest]} ]]; then\n"
	    "\t\teval \"COMPREPLY=(\\$(compgen ${arguments[rest]} -- "
	    "\\\"\\$current\\\"))\"\n"
	    "\tfi\n"
	    "}\n"
	    "complete -o filenames -F _postern postern\n");
}

/* ---- zsh ----------------------------------------------------------------- */

/* zsh has bash's completions as a module of its own. */
static void
append_zsh(struct buf *out)
{
	buf_append_str(out, "#compdef postern\n"
			    "autoload -U +X bashcompinit && bashcompinit\n");
	append_bash(out);
}

/* ---- fish ---------------------------------------------------------------- */

static void
append_fish_quoted(struct buf *out, const char *text)
{
	buf_append_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
	buf_append_char(out, '\'');
}

static void
append_fish_command(struct buf *out, const struct ctl_command *command)
{
	const char *words = command->words;
	size_t len = strcspn(words, " ");
	const char *last = words + len + (words[len] == ' ');

	if (*last == '\0')
		buf_printf(out,
		    "complete -c postern -n __fish_use_subcommand -f -a %s -d ",
		    words);
	else
		buf_printf(out,
		    "complete -c postern -n '__fish_seen_subcommand_from %.*s' "
		    "-f -a %s -d ",
		    (int)len, words, last);
	append_fish_quoted(out, command->summary);
	buf_append_char(out, '\n');
}

static void
append_fish(struct buf *out)
{
	buf_append_str(out,
	    "# Completion of postern for fish, made from its table of "
	    "commands.\n");
	for (size_t i = 0; i < ctl_command_count; i++) {
		const char *words = ctl_commands[i].words;

		if (is_first_of_group(i))
			buf_printf(out,
			    "complete -c postern -n __fish_use_subcommand -f "
			    "-a %.*s\n",
			    (int)strcspn(words, " "), words);
		append_fish_command(out, &ctl_commands[i]);
	}
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct ctl_option_row *row = &ctl_options[i];

		buf_printf(out, "complete -c postern -l %s%s -d ", row->name,
		    row->value == NULL ? "" : " -r");
		append_fish_quoted(out, row->doc);
		buf_append_char(out, '\n');
	}
}

enum ctl_exit
ctl_completion(const struct ctl_call *call)
{
	const char *shell = ctl_command_argument(call, 0);
	enum ctl_exit exit = CTL_OK;
	struct buf out;

	buf_init(&out, SCRIPT_BYTES_MAX);
	if (strcmp(shell, "bash") == 0)
		append_bash(&out);
	else if (strcmp(shell, "zsh") == 0)
		append_zsh(&out);
	else if (strcmp(shell, "fish") == 0)
		append_fish(&out);
	else
		exit = ctl_out_error(CTL_USAGE,
		    "there is no completion for %s; there is for bash, zsh and "
		    "fish",
		    shell);
	ctl_out_raw(buf_span(&out));
	buf_fini(&out);
	return exit;
}
