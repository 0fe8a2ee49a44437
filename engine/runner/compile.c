/*
 * --compile (see compile.h): a script is read, the sandbox closed, the script
 * compiled and never run. A compiler is a parser of hostile bytes like any
 * other: it gets a clock and no way out.
 */
#include "engine/runner/compile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/encoding.h"
#include "engine/runner/runner.h"
#include "engine/runner/vm.h"

/* Wall clock and CPU, of which the compiler takes a few milliseconds. */
#define COMPILE_LIMIT_SECS 2

/* Ample for 512 KiB of source; an execution's own limit comes later. */
#define COMPILE_HEAP_BYTES ((size_t)64 << 20)

static void
say(const char *sentence)
{
	(void)!write(STDERR_FILENO, sentence, strlen(sentence));
}

static void
on_timeout(int number)
{
	(void)number;
	say("the compiler did not finish within its limit\n");
	_exit(RUNNER_EXIT_TIMEOUT);
}

static void
start_clock(void)
{
	const struct rlimit cpu = {COMPILE_LIMIT_SECS, COMPILE_LIMIT_SECS + 1};
	struct sigaction action = {.sa_handler = on_timeout};

	(void)sigaction(SIGALRM, &action, NULL);
	(void)sigaction(SIGXCPU, &action, NULL);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)alarm(COMPILE_LIMIT_SECS);
}

static enum err
read_source(struct buf *source)
{
	for (;;) {
		size_t room = RUNNER_SOURCE_MAX_BYTES + 1 - source->len;
		uint8_t *at = buf_reserve(source, room);
		ssize_t n;

		if (at == NULL || room == 0)
			return ERR_LIMIT;
		n = read(STDIN_FILENO, at, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			break;
		buf_commit(source, (size_t)n);
	}
	return utf8_is_valid(buf_span(source)) ? OK : ERR_SYNTAX;
}

static void
print_failure(const struct outcome *failure)
{
	char line[16];
	int n = snprintf(line, sizeof line, "%u\n", failure->line);

	(void)!write(STDOUT_FILENO, line, (size_t)n);
	(void)!write(
	    STDOUT_FILENO, failure->message.data, failure->message.len);
	(void)!write(STDOUT_FILENO, "\n", 1);
}

static int
compile(struct heap *heap, const char *name, struct span source)
{
	static struct vm vm;
	struct outcome failure;
	const struct vm_script script = {span_str(name), source, {NULL, 0}};
	enum script_code code;

	outcome_init(&failure);
	vm_init(&vm, heap, NULL, NULL);
	code = vm_load(&vm, &script, &failure);
	if (code == SCRIPT_MEMORY) {
		say("the compiler needs more memory than it may have\n");
		return RUNNER_EXIT_FATAL;
	}
	if (code == SCRIPT_OK)
		return RUNNER_EXIT_DONE;
	print_failure(&failure);
	return RUNNER_EXIT_SYNTAX;
}

static int
give_up(const struct err_detail *detail, enum err err, enum runner_exit status)
{
	say("cannot check the script: ");
	say(err_text(detail, err));
	say("\n");
	return (int)status;
}

int
compile_main(struct sandbox *sandbox, const char *name)
{
	struct err_detail detail = {{0}};
	struct heap *heap = heap_open(COMPILE_HEAP_BYTES);
	struct outcome failure;
	struct buf source;
	enum err err;

	start_clock();
	buf_init(&source, RUNNER_SOURCE_MAX_BYTES + 1);
	err = heap == NULL ? ERR_NOMEM : read_source(&source);
	if (err == ERR_SYNTAX) {
		outcome_init(&failure);
		outcome_fail(&failure, SCRIPT_THREW, "not valid UTF-8");
		print_failure(&failure);
		return RUNNER_EXIT_SYNTAX;
	}
	if (err != OK)
		return give_up(&detail, err, RUNNER_EXIT_USAGE);
	sandbox->is_compile = true;
	sandbox->heap_bytes = COMPILE_HEAP_BYTES;
	err = sandbox_enter_template(sandbox, &detail);
	if (err != OK)
		return give_up(&detail, err, RUNNER_EXIT_SANDBOX);
	return compile(
	    heap, name, source.len == 0 ? span_str("") : buf_span(&source));
}
