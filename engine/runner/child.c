/*
 * The script's process (see child.h): takes its descriptor, puts on the last
 * layer, says so, runs what it is told, and forgets it if it is kept. Not the
 * running itself: vm.c.
 *
 * Everything it holds came from the template by fork. Once it has said
 * child_ready nothing but the run message and answers to its own calls
 * reaches it.
 */
#include "engine/runner/child.h"

#include <errno.h>
#include <fenv.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/runner/runner.h"

/* Of the stack below the frame that waits for a run: what an ordinary
 * execution uses, so that its pages need not be faulted in anew. */
#define STACK_KEPT_BYTES ((uintptr_t)64 * 1024)
#define STACK_MAX_BYTES  ((size_t)8 << 20)

struct child {
	struct vm *vm;
	struct vm pristine; /* as it was before the first execution */
	const struct heap_image *image;
	struct channel channel;
};

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
	if (buf_reserve(kept,
		run->seed.len + run->data.len + run->registration_data.len +
		    run->custom_params.len + run->clock.len + 1) == NULL)
		return ERR_NOMEM;
	run->seed = keep(kept, run->seed);
	run->data = keep(kept, run->data);
	run->registration_data = keep(kept, run->registration_data);
	run->custom_params = keep(kept, run->custom_params);
	run->clock = keep(kept, run->clock);
	return buf_status(kept);
}

/* Queues the outcome. `outcome` says afterwards what was sent. */
static enum err
queue_outcome(struct vm *vm, struct outcome *outcome)
{
	struct message message =
	    outcome_message(outcome, heap_peak_bytes(vm->heap));
	struct err_detail detail = {{0}};
	enum err err = script_clock_queue(&vm->clock, vm->channel);

	if (err != OK)
		return err;
	err = channel_queue(vm->channel, &message, &detail);
	if (err == OK)
		return OK;
	/* The codec refused what the script computed. */
	outcome_fail(outcome, SCRIPT_BAD_RESULT, "%s", err_text(&detail, err));
	message = outcome_message(outcome, heap_peak_bytes(vm->heap));
	return channel_queue(vm->channel, &message, NULL);
}

/* How deep an execution went into the stack is nobody's to know, nor to keep
 * in memory: all below this frame and a margin goes back to the kernel. Where
 * the stack was never that deep nothing is mapped, which the call reports and
 * we do not mind. */
static void
forget_stack(void)
{
#ifndef POSTERN_SANITIZED
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t top = (here - STACK_KEPT_BYTES) & ~(uintptr_t)4095;

	(void)madvise(
	    (void *)(top - STACK_MAX_BYTES), STACK_MAX_BYTES, MADV_DONTNEED);
#endif
}

/*
 * Takes back all an execution can have changed in this process: the heap, the
 * vm, what the channel's buffers hold, the stack below us, the floating-point
 * environment, errno. Signals, time zone, locale and limits a script has no
 * way to change; whoever has one has native code, and is not helped by this.
 */
static void
rewind_child(struct child *child)
{
	vm_rewind(child->vm, &child->pristine);
	heap_image_restore(child->image);
	forget_stack();
	(void)fesetenv(FE_DFL_ENV);
	errno = 0;
}

/* True: another run may come. */
static bool
may_stay(const struct child *child, bool keep, const struct outcome *outcome)
{
	return keep && outcome->code == SCRIPT_OK && !child->vm->is_cold;
}

/* stays_r: it is pristine again and may wait. */
static enum err
execute_kept(struct child *child, const struct msg_run *run, bool *stays_r)
{
	static const struct message idle = {.type = MSG_CHILD_IDLE};
	struct vm *vm = child->vm;
	struct outcome outcome;
	enum err err;

	vm_execute(vm, run, &outcome);
	err = queue_outcome(vm, &outcome);
	*stays_r = may_stay(child, run->keep, &outcome);
	outcome_fini(&outcome);
	if (err == OK && *stays_r) {
		/* Before anything is sent: one write wakes the engine once. */
		rewind_child(child);
		err = channel_queue(vm->channel, &idle, NULL);
	}
	return err == OK ? channel_flush(vm->channel, NULL) : err;
}

static enum err
execute_one(struct child *child, bool *stays_r)
{
	struct channel *channel = child->vm->channel;
	struct message message;
	struct buf kept;
	enum err err = channel_receive(channel, SENDER_FRONT, &message, NULL);

	if (err != OK)
		return err;
	if (message.type != MSG_RUN)
		return ERR_INVALID;
	err = keep_run(&kept, &message.run);
	if (err == OK)
		err = execute_kept(child, &message.run, stays_r);
	buf_wipe(&kept);
	return err == OK && *stays_r ? channel_forget(channel) : err;
}

void
child_main(struct vm *vm, const struct heap_image *image,
    const struct sandbox *sandbox, int fd)
{
	static struct child child; /* off the stack that is forgotten */
	const struct message ready = {.type = MSG_CHILD_READY};
	bool stays = true;
	enum err err;

	/* Over the template's control socket, which no child may keep. */
	if (dup3(fd, RUNNER_FD, 0) < 0 || close(fd) != 0)
		_exit(RUNNER_EXIT_CHANNEL);
	err = sandbox_enter_child(sandbox, NULL);
	if (err != OK)
		_exit(
		    err == ERR_LOST ? RUNNER_EXIT_ORPHAN : RUNNER_EXIT_SANDBOX);
	channel_init(&child.channel, RUNNER_FD);
	vm->channel = &child.channel;
	child.vm = vm;
	child.image = image;
	child.pristine = *vm;
	err = channel_send(&child.channel, &ready, NULL);
	while (err == OK && stays)
		err = execute_one(&child, &stays);
	/* A kept child that is not needed any more finds its socket closed. */
	if (err != OK)
		_exit(RUNNER_EXIT_CHANNEL);
	_exit(RUNNER_EXIT_DONE);
}
