/*
 * Takes the command line apart into flags and their values. Does not validate
 * values: conf.c does. Runs at start, before there are threads.
 */
#include <stdlib.h>
#include <string.h>

#include "common/conf_flags.h"
#include "common/conf_state.h"

static enum err
flag_give(const char **slot, const char *value, const char *flag,
    struct err_detail *detail)
{
	if (*slot != NULL)
		return err_set(detail, ERR_INVALID, "%s: given twice", flag);
	*slot = value;
	return OK;
}

/* The value behind "=" or, without one, the next argument. */
static enum err
flag_value(struct conf_flags *flags, const char *flag, const char *inline_value,
    const char **value_r, struct err_detail *detail)
{
	if (inline_value != NULL) {
		*value_r = inline_value;
		return OK;
	}
	/* "--realm --check" is a forgotten value, not a realm. */
	if (flags->next >= flags->argc ||
	    strncmp(flags->argv[flags->next], "--", 2) == 0)
		return err_set(detail, ERR_INVALID, "%s: needs a value", flag);
	*value_r = flags->argv[flags->next++];
	return OK;
}

static enum err
flag_take_row(struct conf_flags *flags, size_t row, const char *flag,
    const char *value, struct err_detail *detail)
{
	enum err err = OK;

	if (value == NULL && flags->table->rows[row].kind == CONF_BOOL)
		value = "yes";
	else
		err = flag_value(flags, flag, value, &value, detail);
	if (err != OK)
		return err;
	return flag_give(&flags->values[row], value, flag, detail);
}

/* --check and its like; false where `flag` is none of them. */
static bool
flag_take_action(struct conf_flags *flags, const char *flag)
{
	if (strcmp(flag, "--check") == 0)
		flags->check = true;
	else if (strcmp(flag, "--print-config") == 0)
		flags->print = true;
	else if (strcmp(flag, "--help") == 0)
		flags->help = true;
	else if (strcmp(flag, "--version") == 0)
		flags->version = true;
	else
		return false;
	return true;
}

static enum err
flag_take_name(struct conf_flags *flags, const char *flag, const char *value,
    struct err_detail *detail)
{
	enum err err;

	if (value == NULL && flag_take_action(flags, flag))
		return OK;
	if (strcmp(flag, "--config") == 0) {
		err = flag_value(flags, flag, value, &value, detail);
		if (err != OK)
			return err;
		return flag_give(&flags->file, value, flag, detail);
	}
	for (size_t i = 0; i < flags->table->row_count; i++) {
		char known[CONF_NAME_BYTES];

		conf_flag_name(&flags->table->rows[i], known);
		if (strcmp(flag, known) == 0)
			return flag_take_row(flags, i, flag, value, detail);
	}
	return err_set(
	    detail, ERR_INVALID, "%.64s: no such flag; see --help", flag);
}

static enum err
flag_take(struct conf_flags *flags, struct err_detail *detail)
{
	const char *argument = flags->argv[flags->next++];
	size_t len = strcspn(argument, "=");
	const char *value = argument[len] == '=' ? argument + len + 1 : NULL;
	char flag[CONF_NAME_BYTES];

	if (strncmp(argument, "--", 2) != 0)
		return err_set(detail, ERR_INVALID,
		    "\"%.64s\": not a flag; see --help", argument);
	if (len >= sizeof flag)
		return err_set(detail, ERR_INVALID,
		    "%.64s...: no such flag; see --help", argument);
	memcpy(flag, argument, len);
	flag[len] = '\0';
	return flag_take_name(flags, flag, value, detail);
}

enum err
conf_flags_parse(struct conf_flags *flags, struct err_detail *detail)
{
	flags->values =
	    calloc(flags->table->row_count + 1, sizeof *flags->values);
	if (flags->values == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	while (flags->next < flags->argc) {
		enum err err = flag_take(flags, detail);

		if (err != OK)
			return err;
	}
	return OK;
}

void
conf_flags_fini(struct conf_flags *flags)
{
	free(flags->values);
	flags->values = NULL;
}
