/*
 * The template process (see template.h): load, sandbox, compile, run the top
 * level, seal the heap's image, fork. Not what a child does: child.c.
 *
 * Top-level code is hostile, so the sandbox closes before a line is compiled,
 * and nobody takes this process's word afterwards: a child's pid is what the
 * kernel tells the engine. A top level that never ends is the engine's to
 * kill; it starts the template again with `cold` set.
 */
#include "engine/runner/template.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/runner/child.h"
#include "engine/runner/runner.h"

/* The row's limit for template_failed.message. */
#define FAILED_MESSAGE_MAX_BYTES 1024

/* Larger blocks are mapped, and so unmapped when they are freed. */
#define MALLOC_MMAP_BYTES (128 * 1024)

struct template
{
	struct sandbox *sandbox;
	struct channel control;
	struct heap *heap;
	struct heap_image image;
	struct vm vm;
};

/* Ends the template: nothing can be done with this release here. */
static int
fail(struct template *template, enum script_code code, const char *sentence,
    uint32_t line, enum runner_exit status)
{
	struct message message = {.type = MSG_TEMPLATE_FAILED};

	message.template_failed.code = (uint64_t)code;
	message.template_failed.message = span_str(sentence);
	message.template_failed.line = line;
	if (channel_send(&template->control, &message, NULL) != OK)
		return RUNNER_EXIT_CHANNEL;
	return (int)status;
}

static int
fail_load(struct template *template, struct outcome *failure)
{
	char sentence[FAILED_MESSAGE_MAX_BYTES + 1];
	size_t len = failure->message.len;

	if (len > FAILED_MESSAGE_MAX_BYTES) {
		len = FAILED_MESSAGE_MAX_BYTES;
		while (len > 0 && (failure->message.data[len] & 0xC0) == 0x80)
			len--; /* between two characters */
	}
	if (len > 0)
		memcpy(sentence, failure->message.data, len);
	sentence[len] = '\0';
	return fail(template, failure->code, sentence, failure->line,
	    RUNNER_EXIT_SYNTAX);
}

/* Compiles, and unless told otherwise runs the top level. SCRIPT_OK: ready to
 * fork. */
static enum script_code
load(struct template *template, const struct msg_template_load *load,
    struct outcome *failure_r)
{
	const struct vm_script script = {
	    load->file, load->source, load->properties};
	enum script_code code;

	vm_init(&template->vm, template->heap, &template->control,
	    template->vm.extra);
	code = vm_load(&template->vm, &script, failure_r);
	if (code != SCRIPT_OK)
		return code;
	template->vm.is_cold = load->cold;
	if (!load->cold && !vm_run_top_level(&template->vm)) {
		/* Spoilt: start anew and leave it to each execution. */
		template->vm.is_cold = true;
		code = vm_load(&template->vm, &script, failure_r);
		if (code != SCRIPT_OK)
			return code;
	}
	vm_settle(&template->vm);
	if (heap_image_seal(&template->image, template->heap, RUNNER_IMAGE_FD,
		HEAP_IMAGE_COPY_MAX_BYTES) != OK) {
		outcome_fail(failure_r, SCRIPT_CRASHED,
		    "the heap's image cannot be sealed");
		return failure_r->code;
	}
	return SCRIPT_OK;
}

/* fork(2), except that the child's parent is the engine. The C library does
 * not know: it caches nothing that matters to one thread. */
static long
fork_for_engine(void)
{
	return syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static enum err
serve_one(struct template *template)
{
	struct message message;
	enum err err = channel_receive_fds(
	    &template->control, SENDER_FRONT, &message, NULL);
	int fd;

	if (err != OK)
		return err;
	fd = channel_take_fd(&template->control);
	if (message.type != MSG_TEMPLATE_FORK || fd < 0)
		return ERR_INVALID;
	/* If it fails the engine sees the socket close without child_ready. */
	if (fork_for_engine() == 0)
		child_main(
		    &template->vm, &template->image, template->sandbox, fd);
	(void)close(fd);
	return OK;
}

static int
serve(struct template *template)
{
	struct message ready = {.type = MSG_TEMPLATE_READY};
	enum err err;

	/* Merges what building the filters freed: once, not in each child. */
	(void)malloc_trim(0);
	ready.template_ready.cold = template->vm.is_cold;
	ready.template_ready.heap_bytes = template->image.bytes;
	err = channel_send(&template->control, &ready, NULL);
	while (err == OK)
		err = serve_one(template);
	return err == ERR_LOST ? RUNNER_EXIT_DONE : RUNNER_EXIT_CHANNEL;
}

static int
start(struct template *template, const struct msg_template_load *message)
{
	struct err_detail detail = {{0}};
	struct outcome failure;
	enum err err;
	int status;

	template->heap = heap_open(message->heap_bytes);
	if (template->heap == NULL ||
	    heap_image_create(template->heap, RUNNER_IMAGE_FD) != OK)
		return fail(template, SCRIPT_MEMORY,
		    "the heap limit cannot be reserved", 0, RUNNER_EXIT_FATAL);
	template->sandbox->has_image = true;
	template->sandbox->heap_bytes = message->heap_bytes;
	err = sandbox_enter_template(template->sandbox, &detail);
	if (err != OK)
		return fail(template, SCRIPT_CRASHED, err_text(&detail, err), 0,
		    RUNNER_EXIT_SANDBOX);
	outcome_init(&failure);
	if (load(template, message, &failure) == SCRIPT_OK)
		status = serve(template);
	else
		status = fail_load(template, &failure);
	outcome_fini(&failure);
	return status;
}

/* The C library's allocator keeps what was freed and raises its thresholds as
 * it sees large blocks; a process of many executions shall stay small. */
static void
bound_malloc(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, MALLOC_MMAP_BYTES);
}

int
template_main(struct sandbox *sandbox, vm_extra_fn extra)
{
	static struct template template; /* large; one a process */
	struct message message;

	template.sandbox = sandbox;
	template.vm.extra = extra;
	bound_malloc();
	channel_init(&template.control, RUNNER_FD);
	if (channel_receive(&template.control, SENDER_FRONT, &message, NULL) !=
		OK ||
	    message.type != MSG_TEMPLATE_LOAD)
		return RUNNER_EXIT_CHANNEL;
	return start(&template, &message.template_load);
}
