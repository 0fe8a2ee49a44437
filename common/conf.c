/*
 * Loads a process's settings: default, file, environment, flags, each beating
 * the one before. Not their meaning: the process's own *_conf.c has that.
 * Runs at start, before there are threads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/conf_file.h"
#include "common/conf_flags.h"
#include "common/conf_state.h"
#include "common/conf_value.h"

static struct conf *
conf_new(const struct conf_table *table)
{
	struct conf *conf = calloc(1, sizeof *conf);

	if (conf == NULL)
		return NULL;
	conf->table = table;
	conf->settings = calloc(table->row_count + 1, sizeof *conf->settings);
	if (conf->settings == NULL) {
		free(conf);
		return NULL;
	}
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->table->row_count; i++) {
		free(conf->settings[i].text);
		free(conf->settings[i].where);
	}
	free(conf->settings);
	free(conf);
}

/* Validates, then replaces what a weaker source said. */
static enum err
conf_set(struct conf *conf, size_t i, const char *text, enum conf_source source,
    const char *where, struct err_detail *detail)
{
	struct conf_setting *setting = &conf->settings[i];
	int64_t number;
	char *text_copy, *where_copy;
	enum err err;

	if (setting->source == source)
		return err_set(detail, ERR_INVALID, "given twice, first in %s",
		    setting->where);
	err = conf_value_parse(&conf->table->rows[i], text, &number, detail);
	if (err != OK)
		return err;
	text_copy = conf_value_copy(&conf->table->rows[i], text);
	where_copy = strdup(where);
	if (text_copy == NULL || where_copy == NULL) {
		free(text_copy);
		free(where_copy);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	free(setting->text);
	free(setting->where);
	setting->text = text_copy;
	setting->where = where_copy;
	setting->number = number;
	setting->source = source;
	return OK;
}

static enum err
load_defaults(struct conf *conf, struct err_detail *detail)
{
	for (size_t i = 0; i < conf->table->row_count; i++) {
		const struct conf_row *row = &conf->table->rows[i];
		enum err err;

		if (conf_value_is_required(row))
			continue; /* check_required() looks at the end */
		err = conf_set(conf, i, row->default_text, CONF_FROM_DEFAULT,
		    "default", detail);
		if (err != OK)
			return err_prefix(
			    detail, err, "default of %s", row->name);
	}
	return OK;
}

static enum err
take_section(const struct conf_table *table, const char *where,
    const char *section, struct err_detail *detail)
{
	for (size_t i = 0; i < table->row_count; i++) {
		if (strcmp(section, table->rows[i].section) == 0)
			return OK;
	}
	return err_set(detail, ERR_INVALID, "%s: [%.64s]: no such section",
	    where, section);
}

/* conf_line_fn; the context is the conf. */
static enum err
take_line(void *context, const char *where, const struct conf_line *line,
    struct err_detail *detail)
{
	struct conf *conf = context;

	if (line->key == NULL)
		return take_section(conf->table, where, line->section, detail);
	for (size_t i = 0; i < conf->table->row_count; i++) {
		const struct conf_row *row = &conf->table->rows[i];
		enum err err;

		if (strcmp(line->key, row->name) != 0)
			continue;
		if (strcmp(line->section, row->section) != 0)
			return err_set(detail, ERR_INVALID,
			    "%s: %s: belongs into [%s]", where, row->name,
			    row->section);
		err = conf_set(
		    conf, i, line->value, CONF_FROM_FILE, where, detail);
		if (err != OK)
			return err_prefix(
			    detail, err, "%s: %s", where, row->name);
		return OK;
	}
	return err_set(
	    detail, ERR_INVALID, "%s: %.64s: no such key", where, line->key);
}

static enum err
load_file(struct conf *conf, const char *named, struct err_detail *detail)
{
	const char *path = named != NULL ? named : conf->table->default_file;
	enum err err;

	if (path == NULL)
		return OK;
	err = conf_file_read(path, take_line, conf, detail);
	if (err == ERR_NOT_FOUND && named == NULL) {
		if (detail != NULL)
			*detail = (struct err_detail){.text = ""};
		return OK;
	}
	if (err == ERR_NOT_FOUND || err == ERR_LIMIT)
		return ERR_IO;
	return err;
}

/* One "NAME=value" of ours. */
static enum err
take_variable(
    struct conf *conf, const char *variable, struct err_detail *detail)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < conf->table->row_count; i++) {
		char name[CONF_NAME_BYTES];
		enum err err;

		conf_env_name(conf->table, &conf->table->rows[i], name);
		if (strlen(name) != len || memcmp(name, variable, len) != 0)
			continue;
		err = conf_set(conf, i,
		    variable + len + (variable[len] == '=' ? 1 : 0),
		    CONF_FROM_ENV, name, detail);
		if (err != OK)
			return err_prefix(detail, err, "%s", name);
		return OK;
	}
	return err_set(detail, ERR_INVALID,
	    "%.*s: environment variable of no setting",
	    len < CONF_NAME_BYTES ? (int)len : CONF_NAME_BYTES, variable);
}

static enum err
load_env(struct conf *conf, struct err_detail *detail)
{
	size_t prefix_len = strlen(conf->table->env_prefix);

	for (char **variable = environ; variable != NULL && *variable != NULL;
	     variable++) {
		enum err err;

		if (strncmp(*variable, conf->table->env_prefix, prefix_len) !=
		    0)
			continue;
		err = take_variable(conf, *variable, detail);
		if (err != OK)
			return err;
	}
	return OK;
}

static enum err
load_flags(struct conf *conf, const struct conf_flags *flags,
    struct err_detail *detail)
{
	for (size_t i = 0; i < conf->table->row_count; i++) {
		char name[CONF_NAME_BYTES];
		enum err err;

		if (flags->values[i] == NULL)
			continue;
		conf_flag_name(&conf->table->rows[i], name);
		err = conf_set(
		    conf, i, flags->values[i], CONF_FROM_FLAG, name, detail);
		if (err != OK)
			return err_prefix(detail, err, "%s", name);
	}
	return OK;
}

static enum err
check_required(const struct conf *conf, struct err_detail *detail)
{
	for (size_t i = 0; i < conf->table->row_count; i++) {
		if (conf->settings[i].source == CONF_FROM_NOWHERE)
			return err_set(detail, ERR_INVALID,
			    "%s: must be set, in [%s] of the file or as a flag",
			    conf->table->rows[i].name,
			    conf->table->rows[i].section);
	}
	return OK;
}

static enum err
load_all(struct conf *conf, const struct conf_flags *flags,
    struct err_detail *detail)
{
	enum err err = load_defaults(conf, detail);

	if (err == OK)
		err = load_file(conf, flags->file, detail);
	if (err == OK)
		err = load_env(conf, detail);
	if (err == OK)
		err = load_flags(conf, flags, detail);
	if (err == OK)
		err = check_required(conf, detail);
	return err;
}

/* Writes one field; `setting` NULL writes zero. memcpy() because the field is
 * known by its offset only. */
static void
store_field(const struct conf_row *row, const struct conf_setting *setting,
    void *settings)
{
	char *field = (char *)settings + row->offset;
	int64_t number = setting == NULL ? 0 : setting->number;
	const char *text = setting == NULL ? NULL : setting->text;
	bool yes = number != 0;

	switch (row->kind) {
	case CONF_INT:
	case CONF_SIZE:
		memcpy(field, &number, sizeof number);
		break;
	case CONF_BOOL:
		memcpy(field, &yes, sizeof yes);
		break;
	case CONF_PATH:
	case CONF_SECRET_PATH:
		if (text != NULL && text[0] == '\0')
			text = NULL;
		memcpy(field, &text, sizeof text);
		break;
	case CONF_STRING:
	case CONF_CHOICE:
	case CONF_LIST:
		memcpy(field, &text, sizeof text);
		break;
	}
}

static void
store_all(const struct conf_table *table, const struct conf_setting *values,
    void *settings)
{
	for (size_t i = 0; i < table->row_count; i++)
		store_field(&table->rows[i], values == NULL ? NULL : &values[i],
		    settings);
}

/* A full load into `settings`, which is all zero after an error. */
static enum err
load_settings(const struct conf_flags *flags, void *settings,
    struct conf **conf_r, struct err_detail *detail)
{
	const struct conf_table *table = flags->table;
	struct conf *conf = conf_new(table);
	enum err err;

	if (conf == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	err = load_all(conf, flags, detail);
	if (err == OK) {
		store_all(table, conf->settings, settings);
		if (table->validate != NULL)
			err = table->validate(settings, detail);
	}
	if (err != OK) {
		conf_free(conf);
		return err;
	}
	*conf_r = conf;
	return OK;
}

/* --help and --version need no valid settings. */
static bool
print_early(const struct conf_flags *flags)
{
	if (flags->help)
		conf_print_help(flags->table, stdout);
	else if (flags->version)
		(void)printf("%s %s\n", flags->table->process, POSTERN_VERSION);
	else
		return false;
	return true;
}

static enum err
load_for_action(struct conf_flags *flags, void *settings, struct conf **conf_r,
    enum conf_action *action_r, struct err_detail *detail)
{
	struct conf *conf = NULL;
	enum err err = conf_flags_parse(flags, detail);

	if (err == OK && print_early(flags)) {
		*conf_r = NULL;
		*action_r = CONF_PRINTED;
		return OK;
	}
	if (err == OK)
		err = load_settings(flags, settings, &conf, detail);
	if (err != OK) {
		store_all(flags->table, NULL, settings);
		return err;
	}
	*action_r = flags->check ? CONF_CHECKED : CONF_RUN;
	if (flags->print) {
		conf_print(conf, stdout);
		*action_r = CONF_PRINTED;
	}
	*conf_r = conf;
	return OK;
}

enum err
conf_load(const struct conf_table *table, int argc, char **argv, void *settings,
    struct conf **conf_r, enum conf_action *action_r, struct err_detail *detail)
{
	struct conf_flags flags = {
	    .table = table, .argc = argc, .argv = argv, .next = 1};
	enum err err;

	CHECK(table->env_prefix[0] != '\0');
	err = load_for_action(&flags, settings, conf_r, action_r, detail);
	conf_flags_fini(&flags);
	return err;
}
