/*
 * The script's process (see child.h): takes its descriptor, puts on the last
 * layer, says so, and runs what it is told. Not the running itself: vm.c.
 *
 * Everything it holds came from the template by fork. Once it has said
 * child_ready nothing but the run message and answers to its own calls
 * reaches it.
 */
#include "engine/runner/child.h"

#include <string.h>
#include <unistd.h>

#include "engine/runner/runner.h"

/* A run message's texts, kept while host calls reuse the channel's buffer. */
static struct span
keep(struct buf *kept, struct span bytes)
{
	size_t start = kept->len;

	if (!span_present(bytes))
		return bytes;
	buf_append_span(kept, bytes);
	return span_of(kept->data + start, bytes.len);
}

static enum err
keep_run(struct buf *kept, struct msg_run *run)
{
	buf_init(kept, MESSAGE_MAX_BYTES);
	/* All the room at once: appending must not move what was kept. */
	if (buf_reserve(kept, run->seed.len + run->data.len +
				  run->registration_data.len +
				  run->custom_params.len + 1) == NULL)
		return ERR_NOMEM;
	run->seed = keep(kept, run->seed);
	run->data = keep(kept, run->data);
	run->registration_data = keep(kept, run->registration_data);
	run->custom_params = keep(kept, run->custom_params);
	return buf_status(kept);
}

static enum err
send_outcome(struct vm *vm, struct outcome *outcome)
{
	struct message message =
	    outcome_message(outcome, heap_peak_bytes(vm->heap));
	struct err_detail detail = {{0}};
	enum err err = channel_send(vm->channel, &message, &detail);

	if (err == OK || err == ERR_LOST)
		return err;
	/* The codec refused what the script computed. */
	outcome_fail(outcome, SCRIPT_BAD_RESULT, "%s", err_text(&detail, err));
	message = outcome_message(outcome, heap_peak_bytes(vm->heap));
	return channel_send(vm->channel, &message, NULL);
}

static enum err
execute_one(struct vm *vm)
{
	struct message message;
	struct outcome outcome;
	struct buf kept;
	enum err err =
	    channel_receive(vm->channel, SENDER_FRONT, &message, NULL);

	if (err != OK)
		return err;
	if (message.type != MSG_RUN)
		return ERR_INVALID;
	err = keep_run(&kept, &message.run);
	if (err == OK) {
		vm_execute(vm, &message.run, &outcome);
		err = send_outcome(vm, &outcome);
		outcome_fini(&outcome);
	}
	buf_fini(&kept);
	return err;
}

void
child_main(struct vm *vm, const struct sandbox *sandbox, int fd)
{
	const struct message ready = {.type = MSG_CHILD_READY};
	struct channel channel;
	enum err err;

	/* Over the template's control socket, which no child may keep. */
	if (dup3(fd, RUNNER_FD, 0) < 0 || close(fd) != 0)
		_exit(RUNNER_EXIT_CHANNEL);
	err = sandbox_enter_child(sandbox, NULL);
	if (err != OK)
		_exit(
		    err == ERR_LOST ? RUNNER_EXIT_ORPHAN : RUNNER_EXIT_SANDBOX);
	channel_init(&channel, RUNNER_FD);
	vm->channel = &channel;
	if (channel_send(&channel, &ready, NULL) != OK || execute_one(vm) != OK)
		_exit(RUNNER_EXIT_CHANNEL);
	_exit(RUNNER_EXIT_DONE);
}
