/*
 * Names and sentences of the outcome codes, from script_code.def. Not the
 * mapping to HTTP: that is the gateway's. Any process, any thread.
 */
#include <stddef.h>

#include "common/script_code.h"

struct code_row {
	uint64_t number;
	const char *name;
	const char *sentence;
};

static const struct code_row code_rows[] = {
#define SCRIPT_CODE(symbol, number, name, sentence) {number, name, sentence},
#include "common/script_code.def"
#undef SCRIPT_CODE
};

static const struct code_row *
code_find(uint64_t number)
{
	for (size_t i = 0; i < sizeof code_rows / sizeof code_rows[0]; i++) {
		if (code_rows[i].number == number)
			return &code_rows[i];
	}
	return NULL;
}

bool
script_code_is_known(uint64_t number)
{
	return code_find(number) != NULL;
}

const char *
script_code_name(enum script_code code)
{
	const struct code_row *row = code_find((uint64_t)code);

	return row == NULL ? "unknown" : row->name;
}

const char *
script_code_sentence(enum script_code code)
{
	const struct code_row *row = code_find((uint64_t)code);

	return row == NULL ? "an unknown outcome code" : row->sentence;
}

const char *
script_kind_name(enum script_kind kind)
{
	switch (kind) {
	case SCRIPT_INIT:
		return "init";
	case SCRIPT_COMPLETE:
		return "complete";
	case SCRIPT_BACKCHANNEL:
		return "backchannel";
	case SCRIPT_KINDS:
		break;
	}
	return "unknown";
}
