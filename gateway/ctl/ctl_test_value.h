/*
 * Values of test files: YAML as JSON, and the patterns that an expectation may
 * have in place of a value.
 *
 *	{$match: REGEX}    a text (or a number's) that a POSIX ERE is found in
 *	{$any: TYPE}       string, number, boolean, object, array, or true: any
 *	{$includes: X}     a map with at least these members, a list with these
 *	                   items in this order
 *	{$json: X}         a text that is JSON of this
 *	{$equals: X}       exactly X, of which nothing is a pattern
 *
 * Threads: any.
 */
#ifndef POSTERN_CTL_TEST_VALUE_H
#define POSTERN_CTL_TEST_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "gateway/realm/realm_yaml.h"

/* What reading values of one file needs. */
struct ctl_test_source {
	struct yaml_source yaml;
	bool has_patterns; /* in an expectation */
};

/*
 * A plain scalar that is spelled as JSON's null, true, false or a number is
 * one, any other scalar is text. A mistake is added to the problems, and null
 * stands for what has it. Never NULL; a new reference.
 */
json_t *ctl_test_value(
    const struct ctl_test_source *source, const struct yaml_node *node);

/* The operand of a pattern of this name, else NULL. */
const json_t *ctl_test_value_pattern(const json_t *value, const char *name);

/* Whether it is a pattern of whichever name. */
bool ctl_test_value_is_pattern(const json_t *value);

#endif
