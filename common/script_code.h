/*
 * The outcome codes of an execution (SPEC 3.4), shared by engine and gateway.
 * Threads: any.
 */
#ifndef POSTERN_SCRIPT_CODE_H
#define POSTERN_SCRIPT_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum script_code {
#define SCRIPT_CODE(symbol, number, name, sentence) symbol = number,
#include "common/script_code.def"
#undef SCRIPT_CODE
};

/* The script of an identity provider that an endpoint runs. */
enum script_kind {
	SCRIPT_INIT = 0,
	SCRIPT_COMPLETE = 1,
	SCRIPT_BACKCHANNEL = 2,
	SCRIPT_KINDS = 3
};

/* True for a number that script_code.def lists. */
bool script_code_is_known(uint64_t number);

/* Short name for logs and metrics, "unknown" for a foreign number. */
const char *script_code_name(enum script_code code);

const char *script_code_sentence(enum script_code code);

/* "init", "complete", "backchannel": file stem, path segment and log value. */
const char *script_kind_name(enum script_kind kind);

#endif
