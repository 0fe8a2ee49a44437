/*
 * What --help and --print-config show, from the table. Decides nothing. Runs
 * at start, before there are threads.
 */
#include <ctype.h>
#include <string.h>

#include "common/check.h"
#include "common/conf_state.h"

void
conf_env_name(const struct conf_table *table, const struct conf_row *row,
    char out_r[CONF_NAME_BYTES])
{
	int len = snprintf(
	    out_r, CONF_NAME_BYTES, "%s%s", table->env_prefix, row->name);

	CHECK(len > 0 && len < CONF_NAME_BYTES);
	for (char *c = out_r + strlen(table->env_prefix); *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
}

void
conf_flag_name(const struct conf_row *row, char out_r[CONF_NAME_BYTES])
{
	int len = snprintf(out_r, CONF_NAME_BYTES, "--%s", row->name);

	CHECK(len > 0 && len < CONF_NAME_BYTES);
	for (char *c = out_r; *c != '\0'; c++) {
		if (*c == '_')
			*c = '-';
	}
}

/* True where the row's section is another than that of the one before. */
static bool
starts_section(const struct conf_table *table, size_t i)
{
	return i == 0 ||
	       strcmp(table->rows[i].section, table->rows[i - 1].section) != 0;
}

static const char *
kind_hint(enum conf_kind kind)
{
	switch (kind) {
	case CONF_STRING:
		return "TEXT";
	case CONF_PATH:
	case CONF_SECRET_PATH:
		return "PATH";
	case CONF_CHOICE:
		return "CHOICE";
	case CONF_INT:
		return "NUMBER";
	case CONF_SIZE:
		return "SIZE";
	case CONF_BOOL:
		return "yes|no";
	case CONF_LIST:
		return "A,B,...";
	}
	return "VALUE";
}

static void
print_default(const struct conf_row *row, FILE *out)
{
	if (row->default_text[0] != '\0')
		(void)fprintf(out, "default: %s", row->default_text);
	else
		(void)fprintf(out, "no default");
}

void
conf_print_help(const struct conf_table *table, FILE *out)
{
	(void)fprintf(out,
	    "usage: %s [--config FILE] [--SETTING=VALUE ...]\n"
	    "       %s --check | --print-config | --help | --version\n%s\n"
	    "  --config FILE   read FILE, not %s\n"
	    "  --check         validate the settings and exit\n"
	    "  --print-config  show every setting, its source and meaning\n\n"
	    "Flag beats environment beats file beats default.\n",
	    table->process, table->process,
	    table->more_usage == NULL ? "" : table->more_usage,
	    table->default_file);
	for (size_t i = 0; i < table->row_count; i++) {
		const struct conf_row *row = &table->rows[i];
		char flag[CONF_NAME_BYTES], env[CONF_NAME_BYTES];

		conf_flag_name(row, flag);
		conf_env_name(table, row, env);
		if (starts_section(table, i))
			(void)fprintf(out, "\n[%s]\n", row->section);
		(void)fprintf(out, "  %s=%s\n      %s\n      ", flag,
		    kind_hint(row->kind), row->doc);
		print_default(row, out);
		(void)fprintf(out, "; environment: %s\n", env);
	}
}

static void
print_source(const struct conf_setting *setting, FILE *out)
{
	switch (setting->source) {
	case CONF_FROM_FILE:
		(void)fprintf(out, "file %s", setting->where);
		break;
	case CONF_FROM_ENV:
		(void)fprintf(out, "environment %s", setting->where);
		break;
	case CONF_FROM_FLAG:
		(void)fprintf(out, "flag %s", setting->where);
		break;
	case CONF_FROM_NOWHERE:
	case CONF_FROM_DEFAULT:
		(void)fputs("default", out);
		break;
	}
}

void
conf_print(const struct conf *conf, FILE *out)
{
	const struct conf_table *table = conf->table;

	for (size_t i = 0; i < table->row_count; i++) {
		const struct conf_row *row = &table->rows[i];
		const struct conf_setting *setting = &conf->settings[i];

		if (starts_section(table, i))
			(void)fprintf(
			    out, "%s[%s]\n", i == 0 ? "" : "\n", row->section);
		(void)fprintf(out, "\n# %s\n# ", row->doc);
		print_default(row, out);
		(void)fputs("; source: ", out);
		print_source(setting, out);
		(void)fprintf(out, "\n%s = %s\n", row->name, setting->text);
	}
}
