/*
 * What an execution came to: the conversion of execute()'s result and of
 * what a script throws. Everything a script computed is bounded and turned
 * into valid UTF-8 here, in the script's process and on its clock.
 * Threads: one.
 */
#ifndef POSTERN_OUTCOME_H
#define POSTERN_OUTCOME_H

#include <duktape.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/script_code.h"
#include "proto/message.h"

/* Limits of the outcome message's rows. */
#define OUTCOME_MESSAGE_MAX_BYTES 2048
#define OUTCOME_FILE_MAX_BYTES    256
#define OUTCOME_STACK_MAX_BYTES   8192

struct outcome {
	enum script_code code;
	uint64_t status;
	bool has_payload;
	struct buf payload;
	struct buf user;              /* JSON text, empty: none */
	struct buf registration_data; /* JSON text, empty: none */
	struct buf message;
	struct buf file;
	struct buf stack;
	uint32_t line; /* 0: unknown */
};

void outcome_init(struct outcome *outcome);
void outcome_fini(struct outcome *outcome);

/* Drops what is there and makes it a failure with this sentence. */
void outcome_fail(struct outcome *outcome, enum script_code code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Converts the value at `index`, what execute() returned. Runs script code
 * (toJSON, getters) and so may throw; a bad result is no throw but
 * SCRIPT_BAD_RESULT. `result_bytes` bounds all its text together.
 */
void outcome_of_result(duk_context *ctx, duk_idx_t index, size_t result_bytes,
    struct outcome *outcome);

/*
 * Describes the thrown value on top of the stack and pops it. Runs script code
 * (a getter, toString) but never throws. `out_of_memory`: an allocation was
 * refused before.
 */
void
outcome_of_throw(duk_context *ctx, bool out_of_memory, struct outcome *outcome);

/* The message; its spans point into `outcome`. */
struct message
outcome_message(const struct outcome *outcome, size_t heap_peak_bytes);

#endif
