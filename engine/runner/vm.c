/*
 * One script in one duktape heap (see vm.h). Not the globals (script_api.c),
 * the arguments (payload.c) or the result (outcome.c).
 */
#include "engine/runner/vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "engine/runner/api_log.h"
#include "engine/runner/cesu8.h"
#include "engine/runner/payload.h"
#include "engine/runner/runner.h"
#include "engine/runner/script_api.h"

/* In the global stash: the compiled top level. */
#define STASH_PROGRAM "program"

/* Longest sentence that vm_throw() makes. */
#define THROW_MAX_BYTES 512

/* Text on its way in or out: the longest of any message, as CESU-8. */
#define SCRATCH_MAX_BYTES (2 * MESSAGE_MAX_BYTES)

/* Of the top level's lines: more than any execution's log_bytes default. */
#define KEPT_LOG_MAX_BYTES (64 * 1024)

static void *
vm_alloc(void *udata, duk_size_t bytes)
{
	return heap_alloc(((struct vm *)udata)->heap, bytes);
}

static void *
vm_realloc(void *udata, void *block, duk_size_t bytes)
{
	return heap_realloc(((struct vm *)udata)->heap, block, bytes);
}

static void
vm_free(void *udata, void *block)
{
	heap_free(((struct vm *)udata)->heap, block);
}

_Noreturn static void
vm_fatal(void *udata, const char *message)
{
	(void)udata;
	(void)message;
	_exit(RUNNER_EXIT_FATAL);
}

struct vm *
vm_of(duk_context *ctx)
{
	duk_memory_functions functions;

	duk_get_memory_functions(ctx, &functions);
	return functions.udata;
}

/* Everything but ASCII up to U+FFFF is the same in both encodings. */
static bool
needs_conversion(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0xF0)
			return true;
	return false;
}

void
vm_push_text(duk_context *ctx, struct span text)
{
	struct vm *vm = vm_of(ctx);

	if (!needs_conversion(text)) {
		duk_push_lstring(ctx, (const char *)text.data, text.len);
		return;
	}
	buf_reset(&vm->scratch);
	if (cesu8_from_utf8(text, &vm->scratch) != OK)
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR, "text too long");
	duk_push_lstring(ctx, (const char *)vm->scratch.data, vm->scratch.len);
}

duk_ret_t
vm_throw(duk_context *ctx, duk_errcode_t type, const char *format, ...)
{
	char sentence[THROW_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	duk_push_error_object(ctx, type | VM_BLAME_THE_SCRIPT, "%s", sentence);
	return duk_throw(ctx);
}

void
vm_init(struct vm *vm, struct heap *heap, struct channel *channel,
    vm_extra_fn extra)
{
	memset(vm, 0, sizeof *vm);
	vm->heap = heap;
	vm->channel = channel;
	vm->extra = extra;
	buf_init(&vm->scratch, SCRATCH_MAX_BYTES);
	buf_init(&vm->kept_log, KEPT_LOG_MAX_BYTES);
}

void
vm_fini(struct vm *vm)
{
	vm->ctx = NULL; /* the heap's owner drops all of it at once */
	buf_fini(&vm->scratch);
	buf_fini(&vm->kept_log);
	script_clock_fini(&vm->clock);
}

/* Protected. Leaves the compiled top level in the stash. */
static duk_ret_t
load_raw(duk_context *ctx, void *udata)
{
	const struct vm_script *script = udata;
	struct vm *vm = vm_of(ctx);

	script_api_install(ctx, script->properties);
	if (vm->extra != NULL)
		vm->extra(ctx);
	duk_push_global_stash(ctx);
	vm_push_text(ctx, script->file);
	duk_compile_lstring_filename(
	    ctx, 0, (const char *)script->source.data, script->source.len);
	duk_put_prop_string(ctx, -2, STASH_PROGRAM);
	return 0;
}

enum script_code
vm_load(
    struct vm *vm, const struct vm_script *script, struct outcome *failure_r)
{
	heap_reset(vm->heap);
	buf_reset(&vm->kept_log);
	memset(&vm->limits, 0, sizeof vm->limits);
	vm->phase = VM_LOADING;
	vm->cold_reason = NULL;
	vm->ctx = duk_create_heap(vm_alloc, vm_realloc, vm_free, vm, vm_fatal);
	if (vm->ctx == NULL) {
		outcome_fail(failure_r, SCRIPT_MEMORY,
		    "the heap limit is too small for any script");
		return failure_r->code;
	}
	/* duk_safe_call only reads it. */
	if (duk_safe_call(vm->ctx, load_raw, (void *)(uintptr_t)script, 0, 1) !=
	    0) {
		outcome_of_throw(vm->ctx, heap_exhausted(vm->heap), failure_r);
		return failure_r->code;
	}
	duk_pop(vm->ctx);
	return SCRIPT_OK;
}

/* Protected. */
static duk_ret_t
run_top_level_raw(duk_context *ctx, void *udata)
{
	(void)udata;
	duk_push_global_stash(ctx);
	duk_get_prop_string(ctx, -1, STASH_PROGRAM);
	duk_call(ctx, 0);
	return 0;
}

bool
vm_run_top_level(struct vm *vm)
{
	int failed = duk_safe_call(vm->ctx, run_top_level_raw, NULL, 0, 1);

	duk_pop(vm->ctx);
	return failed == 0 && vm->cold_reason == NULL;
}

void
vm_settle(struct vm *vm)
{
	duk_gc(vm->ctx, 0);
	duk_gc(vm->ctx, 0);
	heap_clear_exhausted(vm->heap);
}

void
vm_rewind(struct vm *vm, const struct vm *pristine)
{
	/* kept_log is as it was: only a top level in the template adds. */
	buf_wipe(&vm->scratch);
	explicit_bzero(&vm->drbg, sizeof vm->drbg);
	script_clock_fini(&vm->clock);
	*vm = *pristine;
}

struct execution {
	const struct msg_run *run;
	struct outcome *outcome;
};

/* Protected: everything that may run script code. */
static duk_ret_t
execute_raw(duk_context *ctx, void *udata)
{
	const struct execution *execution = udata;
	struct vm *vm = vm_of(ctx);

	if (vm->is_cold)
		(void)run_top_level_raw(ctx, NULL);
	(void)duk_get_global_string(ctx, "execute");
	if (!duk_is_callable(ctx, -1)) {
		outcome_fail(execution->outcome, SCRIPT_NO_EXECUTE,
		    "the script defines no function named execute");
		return 0;
	}
	payload_push_arguments(ctx, execution->run);
	duk_call(ctx, 4);
	outcome_of_result(ctx, -1, vm->limits.result_bytes, execution->outcome);
	return 0;
}

static void
begin(struct vm *vm, const struct msg_run *run)
{
	vm->phase = VM_EXECUTING;
	vm->limits = (struct vm_limits){
	    .log_bytes = run->log_bytes,
	    .host_calls_limit = run->host_calls,
	    .cache_value_bytes = run->cache_value_bytes,
	    .result_bytes = run->result_bytes,
	};
	CHECK(run->seed.len == DRBG_SEED_BYTES);
	drbg_seed(&vm->drbg, run->seed.data);
	script_clock_begin(&vm->clock, run);
	heap_clear_exhausted(vm->heap);
}

void
vm_execute(struct vm *vm, const struct msg_run *run, struct outcome *outcome_r)
{
	struct execution execution;

	outcome_init(outcome_r);
	execution = (struct execution){run, outcome_r};
	begin(vm, run);
	api_log_send_kept(vm);
	if (duk_safe_call(vm->ctx, execute_raw, &execution, 0, 1) != 0)
		outcome_of_throw(vm->ctx, heap_exhausted(vm->heap), outcome_r);
	else
		duk_pop(vm->ctx);
}
