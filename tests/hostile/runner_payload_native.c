/*
 * postern-runner with a global NATIVE whose functions do what an attacker with
 * native code would try: each must end the child with SIGSYS. A test build,
 * never installed. Runs in templates and children.
 */
#include <arpa/inet.h>
#include <duktape.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/runner/runner.h"

static duk_ret_t
native_open(duk_context *ctx)
{
	duk_push_int(ctx, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	return 1;
}

static duk_ret_t
native_socket(duk_context *ctx)
{
	duk_push_int(ctx, socket(AF_INET, SOCK_STREAM, 0));
	return 1;
}

/* On the one descriptor there is: no new socket is needed for this. */
static duk_ret_t
native_connect(duk_context *ctx)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(80),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	duk_push_int(
	    ctx, connect(RUNNER_FD, (const struct sockaddr *)(const void *)&to,
		     sizeof to));
	return 1;
}

static duk_ret_t
native_fork(duk_context *ctx)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	duk_push_int(ctx, pid);
	return 1;
}

/* The call that the template's filter lets pass. */
static duk_ret_t
native_fork_sibling(duk_context *ctx)
{
	long pid = syscall(SYS_clone, 0x8000 | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	duk_push_number(ctx, (double)pid);
	return 1;
}

static duk_ret_t
native_exec(duk_context *ctx)
{
	char *const argv[] = {NULL};

	duk_push_int(ctx, execve("/bin/true", argv, argv));
	return 1;
}

static duk_ret_t
native_ptrace(duk_context *ctx)
{
	duk_push_number(
	    ctx, (double)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	return 1;
}

static duk_ret_t
native_kill(duk_context *ctx)
{
	duk_push_int(ctx, kill(1, 0));
	return 1;
}

static duk_ret_t
native_mmap_exec(duk_context *ctx)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	duk_push_boolean(ctx, code != MAP_FAILED);
	return 1;
}

static duk_ret_t
native_mprotect_exec(duk_context *ctx)
{
	static char page[8192] __attribute__((aligned(4096)));

	duk_push_int(
	    ctx, mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
	return 1;
}

static duk_ret_t
native_write_other(duk_context *ctx)
{
	duk_push_int(ctx, (int)write(duk_require_int(ctx, 0), "x", 1));
	return 1;
}

static duk_ret_t
native_syscall(duk_context *ctx)
{
	duk_push_number(
	    ctx, (double)syscall((long)duk_require_number(ctx, 0), 0, 0, 0));
	return 1;
}

static void
add_native(duk_context *ctx)
{
	static const duk_function_list_entry functions[] = {
	    {"open", native_open, 0},
	    {"socket", native_socket, 0},
	    {"connect", native_connect, 0},
	    {"fork", native_fork, 0},
	    {"forkSibling", native_fork_sibling, 0},
	    {"exec", native_exec, 0},
	    {"ptrace", native_ptrace, 0},
	    {"kill", native_kill, 0},
	    {"mmapExec", native_mmap_exec, 0},
	    {"mprotectExec", native_mprotect_exec, 0},
	    {"writeOther", native_write_other, 1},
	    {"syscall", native_syscall, 1},
	    {NULL, NULL, 0},
	};

	duk_push_object(ctx);
	duk_put_function_list(ctx, -1, functions);
	(void)duk_put_global_string(ctx, "NATIVE");
}

int
main(int argc, char **argv)
{
	int status = runner_run(argc, argv, add_native);

	(void)fflush(stdout);
	_exit(status);
}
