/*
 * One script in one duktape heap: load it, run its top level, run execute().
 *
 * Life: vm_init, vm_load, then in the template vm_run_top_level; in a child
 * vm_execute. Text crosses as UTF-8 and is CESU-8 inside. No function here
 * lets a duktape error out; duktape's fatal errors end the process.
 *
 * Threads: one, on the main thread's stack (duktape's recursion limits need
 * 8 MiB of it).
 */
#ifndef POSTERN_VM_H
#define POSTERN_VM_H

#include <duktape.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/script_code.h"
#include "engine/runner/channel.h"
#include "engine/runner/drbg.h"
#include "engine/runner/heap.h"
#include "engine/runner/outcome.h"
#include "engine/runner/script_clock.h"
#include "proto/message.h"

/* Or-ed to an error code: the error names the script's line, not the C file
 * and line of the call. Duktape's own flag; not in duktape.h, but how its
 * public macros' errors and its built-ins' errors differ. */
#define VM_BLAME_THE_SCRIPT (1 << 24)

/* Adds globals to a fresh heap (test builds only). */
typedef void (*vm_extra_fn)(duk_context *ctx);

enum vm_phase {
	VM_LOADING,  /* the template: nothing outside may be used */
	VM_EXECUTING /* a child with the arguments of one execution */
};

/* What is left of the limits of the execution that runs. */
struct vm_limits {
	size_t log_bytes;
	bool log_cut; /* the mark was sent: later lines are dropped */
	uint64_t host_calls;
	uint64_t host_calls_limit;
	size_t cache_value_bytes;
	size_t result_bytes;
};

/*
 * An execution may change its heap and what is in here, and no other memory
 * of its process: vm_rewind() takes both back. A member that owns memory and
 * is used by executions must be wiped there.
 */
struct vm {
	duk_context *ctx;        /* NULL before vm_load() */
	struct heap *heap;       /* borrowed */
	struct channel *channel; /* borrowed; to the engine's front */
	vm_extra_fn extra;       /* NULL in the real runner */
	enum vm_phase phase;
	bool is_cold;            /* the top level runs in each execution */
	const char *cold_reason; /* API used by the top level; NULL: none */
	struct vm_limits limits;
	struct drbg drbg;
	struct script_clock clock;
	struct buf scratch;  /* of one function at a time, never across a call
			      * that can run script code */
	struct buf kept_log; /* frames of log_line the template's top level
			      * made; every child sends them first */
};

/* What the script is. Spans are read during vm_load() only. */
struct vm_script {
	struct span file;
	struct span source;
	struct span properties; /* JSON object; absent: none */
};

void vm_init(struct vm *vm, struct heap *heap, struct channel *channel,
    vm_extra_fn extra);

/* Ends the heap's duktape and forgets what was loaded. */
void vm_fini(struct vm *vm);

/* Builds the globals and compiles; nothing of the script runs. May be called
 * again, which starts anew on an empty heap. SCRIPT_OK, or failure_r says
 * what is wrong (SCRIPT_THREW: does not compile). */
enum script_code vm_load(struct vm *vm, const struct vm_script *script,
    struct outcome *failure_r) MUST_USE;

/*
 * Runs the top level in the template. False: it failed, or used something
 * only an execution has; the heap is then spoilt, and the caller loads again
 * and sets is_cold.
 */
bool vm_run_top_level(struct vm *vm) MUST_USE;

/* Two full collections, so that children share what they do not touch. */
void vm_settle(struct vm *vm);

/* Runs execute() as the message says; `outcome_r` is initialised here. */
void
vm_execute(struct vm *vm, const struct msg_run *run, struct outcome *outcome_r);

/* Takes the vm back to `pristine`, a copy of it from before any execution.
 * The heap is the caller's to restore (heap_image.h). */
void vm_rewind(struct vm *vm, const struct vm *pristine);

/* The vm whose heap this is. */
struct vm *vm_of(duk_context *ctx);

/* Pushes UTF-8 text (valid: it passed the codec) as a duktape string. May
 * throw for want of memory. */
void vm_push_text(duk_context *ctx, struct span text);

/* Throws an error of class `type` (DUK_ERR_*) that names the script's line,
 * not ours. */
duk_ret_t vm_throw(duk_context *ctx, duk_errcode_t type, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
