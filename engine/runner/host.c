/*
 * Synchronous host calls over the one descriptor (see host.h). Not what they
 * mean: the front passes them on, the gateway carries them out.
 */
#include "engine/runner/host.h"

#include <unistd.h>

#include "engine/runner/runner.h"

void
host_tell(duk_context *ctx, const struct message *message)
{
	struct vm *vm = vm_of(ctx);

	if (script_clock_queue(&vm->clock, vm->channel) != OK ||
	    channel_queue(vm->channel, message, NULL) != OK ||
	    channel_flush(vm->channel, NULL) != OK)
		_exit(RUNNER_EXIT_CHANNEL);
}

_Noreturn static void
end_over_limit(struct vm *vm)
{
	struct outcome outcome;
	struct message message;

	outcome_init(&outcome);
	outcome_fail(&outcome, SCRIPT_HOST_CALLS,
	    "the script made more than %llu host calls",
	    (unsigned long long)vm->limits.host_calls_limit);
	message = outcome_message(&outcome, heap_peak_bytes(vm->heap));
	host_tell(vm->ctx, &message);
	_exit(RUNNER_EXIT_DONE);
}

/* What `name` says of a failed call's error. */
static const char *
error_name(enum message_type call)
{
	if (call == MSG_HTTP_REQUEST)
		return "HttpError";
	if (call >= MSG_JWT_VERIFY && call <= MSG_ARGON2ID_VERIFY)
		return "CryptoError";
	return "HostError";
}

_Noreturn static void
throw_refusal(duk_context *ctx, enum message_type call,
    const struct msg_call_failed *failed)
{
	vm_push_text(ctx, failed->sentence);
	duk_push_error_object(ctx, DUK_ERR_ERROR | VM_BLAME_THE_SCRIPT, "%s",
	    duk_get_string(ctx, -1));
	duk_push_string(ctx, error_name(call));
	duk_put_prop_string(ctx, -2, "name");
	vm_push_text(ctx, failed->error);
	duk_put_prop_string(ctx, -2, "code");
	(void)duk_throw(ctx);
	_exit(RUNNER_EXIT_FATAL); /* duk_throw() does not come back */
}

void
host_call(duk_context *ctx, const struct message *call,
    enum message_type expected, struct message *answer_r)
{
	struct vm *vm = vm_of(ctx);

	if (vm->limits.host_calls >= vm->limits.host_calls_limit)
		end_over_limit(vm);
	vm->limits.host_calls++;
	host_follow(ctx, call, expected, answer_r);
}

void
host_follow(duk_context *ctx, const struct message *call,
    enum message_type expected, struct message *answer_r)
{
	struct vm *vm = vm_of(ctx);

	host_tell(ctx, call);
	if (channel_receive(vm->channel, SENDER_FRONT | SENDER_GATEWAY,
		answer_r, NULL) != OK)
		_exit(RUNNER_EXIT_CHANNEL);
	if (answer_r->type == MSG_CALL_FAILED)
		throw_refusal(ctx, call->type, &answer_r->call_failed);
	if (answer_r->type != expected)
		_exit(RUNNER_EXIT_CHANNEL);
}
