/*
 * Validates the text of one setting by its kind and limits. Not where it came
 * from: conf.c adds that to the error. Any process, any thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf_value.h"
#include "common/encoding.h"

/* As in a unit's own lines, where systemd replaces it. */
#define CREDENTIALS_PREFIX "%d/"

static bool
is_printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			return false;
	}
	return utf8_is_valid(span_str(text));
}

bool
conf_value_is_required(const struct conf_row *row)
{
	switch (row->kind) {
	case CONF_STRING:
	case CONF_LIST:
	case CONF_PATH:
	case CONF_SECRET_PATH:
		return row->min > 0 && row->default_text[0] == '\0';
	case CONF_CHOICE:
	case CONF_INT:
	case CONF_SIZE:
	case CONF_BOOL:
		break;
	}
	return false;
}

static enum err
check_length(
    const struct conf_row *row, const char *text, struct err_detail *detail)
{
	int64_t len = (int64_t)strlen(text);

	if (len < row->min)
		return err_set(detail, ERR_INVALID,
		    "at least %" PRId64 " characters are needed", row->min);
	if (row->max > 0 && len > row->max)
		return err_set(detail, ERR_INVALID,
		    "more than %" PRId64 " characters", row->max);
	return OK;
}

static enum err
check_range(
    const struct conf_row *row, int64_t number, struct err_detail *detail)
{
	if (number < row->min)
		return err_set(detail, ERR_INVALID,
		    "%" PRId64 " is below the least value %" PRId64, number,
		    row->min);
	if (number > row->max)
		return err_set(detail, ERR_INVALID,
		    "%" PRId64 " is above the greatest value %" PRId64, number,
		    row->max);
	return OK;
}

/* Digits up to the end or to `*end_r`; false without any or on overflow. */
static bool
parse_digits(const char *text, int64_t *number_r, const char **end_r)
{
	bool negative = *text == '-';
	int64_t number = 0;
	const char *c = text + (negative ? 1 : 0);

	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++) {
		int digit = *c - '0';

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return false;
	}
	*number_r = negative ? -number : number;
	*end_r = c;
	return true;
}

static enum err
parse_int(const struct conf_row *row, const char *text, int64_t *number_r,
    struct err_detail *detail)
{
	const char *end;
	int64_t number;

	if (!parse_digits(text, &number, &end) || *end != '\0')
		return err_set(
		    detail, ERR_INVALID, "\"%.64s\" is not a number", text);
	*number_r = number;
	return check_range(row, number, detail);
}

/* The factor a suffix stands for; 0 for what is none. */
static int64_t
size_factor(const char *suffix)
{
	if (suffix[0] == '\0')
		return 1;
	if (suffix[1] != '\0')
		return 0;
	switch (suffix[0]) {
	case 'k':
		return INT64_C(1) << 10;
	case 'M':
		return INT64_C(1) << 20;
	case 'G':
		return INT64_C(1) << 30;
	default:
		return 0;
	}
}

static enum err
parse_size(const struct conf_row *row, const char *text, int64_t *number_r,
    struct err_detail *detail)
{
	const char *end;
	int64_t number, factor;

	if (!parse_digits(text, &number, &end) || number < 0 ||
	    (factor = size_factor(end)) == 0)
		return err_set(detail, ERR_INVALID,
		    "\"%.64s\" is not a size (bytes, or with k, M or G)", text);
	if (__builtin_mul_overflow(number, factor, &number))
		return err_set(
		    detail, ERR_INVALID, "\"%.64s\" is too large", text);
	*number_r = number;
	return check_range(row, number, detail);
}

static enum err
parse_bool(const char *text, int64_t *number_r, struct err_detail *detail)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return err_set(
		    detail, ERR_INVALID, "\"%.64s\" is not yes or no", text);
	*number_r = text[0] == 'y';
	return OK;
}

/* The options stand in the doc column, up to its first colon. */
static enum err
parse_choice(
    const struct conf_row *row, const char *text, struct err_detail *detail)
{
	int options_len = (int)strcspn(row->doc, ":");
	const char *option = row->doc;
	const char *end = row->doc + options_len;
	size_t text_len = strlen(text);

	while (option < end) {
		size_t len = strcspn(option, "|:");

		if (len == text_len && memcmp(option, text, len) == 0)
			return OK;
		option += len + 1;
	}
	return err_set(detail, ERR_INVALID, "\"%.64s\" is not one of %.*s",
	    text, options_len, row->doc);
}

static enum err
parse_list(
    const struct conf_row *row, const char *text, struct err_detail *detail)
{
	char item[CONF_ITEM_BYTES];
	const char *cursor = text;

	while (conf_list_next(&cursor, item, sizeof item)) {
		if (item[0] == '\0')
			return err_set(detail, ERR_INVALID,
			    "an item is empty or over %d characters",
			    CONF_ITEM_BYTES - 1);
	}
	return check_length(row, text, detail);
}

static enum err
parse_kind(const struct conf_row *row, const char *text, int64_t *number_r,
    struct err_detail *detail)
{
	switch (row->kind) {
	case CONF_STRING:
	case CONF_PATH:
	case CONF_SECRET_PATH:
		return check_length(row, text, detail);
	case CONF_CHOICE:
		return parse_choice(row, text, detail);
	case CONF_INT:
		return parse_int(row, text, number_r, detail);
	case CONF_SIZE:
		return parse_size(row, text, number_r, detail);
	case CONF_BOOL:
		return parse_bool(text, number_r, detail);
	case CONF_LIST:
		return parse_list(row, text, detail);
	}
	check_failed("row->kind", __FILE__, __LINE__);
}

enum err
conf_value_parse(const struct conf_row *row, const char *text,
    int64_t *number_r, struct err_detail *detail)
{
	int64_t number = 0;
	enum err err;

	if (strlen(text) >= CONF_VALUE_BYTES)
		return err_set(detail, ERR_INVALID, "over %d characters",
		    CONF_VALUE_BYTES - 1);
	if (!is_printable(text))
		return err_set(detail, ERR_INVALID, "not printable text");
	err = parse_kind(row, text, &number, detail);
	if (err != OK)
		return err;
	*number_r = number;
	return OK;
}

char *
conf_value_copy(const struct conf_row *row, const char *text)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char *copy;

	if ((row->kind != CONF_PATH && row->kind != CONF_SECRET_PATH) ||
	    directory == NULL ||
	    strncmp(text, CREDENTIALS_PREFIX, sizeof CREDENTIALS_PREFIX - 1) !=
		0)
		return strdup(text);
	text += sizeof CREDENTIALS_PREFIX - 1;
	return asprintf(&copy, "%s/%s", directory, text) < 0 ? NULL : copy;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
conf_list_next(const char **cursor, char *item_r, size_t item_bytes)
{
	const char *start = *cursor;
	size_t len;

	while (is_blank(*start))
		start++;
	if (*start == '\0')
		return false; /* also behind a last comma */
	len = strcspn(start, ",");
	*cursor = start + len + (start[len] == ',' ? 1 : 0);
	while (len > 0 && is_blank(start[len - 1]))
		len--;
	if (len >= item_bytes)
		len = 0;
	memcpy(item_r, start, len);
	item_r[len] = '\0';
	return true;
}
