/*
 * The system calls template and child may make (see filter.h), as one table.
 * Not the other layers: those are sandbox.c.
 *
 * What no row allows kills the process (SIGSYS), x32 and foreign
 * architectures included. Linux 6.14 and later let 335 and 336 (uprobe
 * trampolines) pass every filter; they do nothing for a process that nobody
 * traces.
 *
 * A sanitizer's runtime lives in the process it watches, so those builds
 * (POSTERN_SANITIZED) get the wider rules below and an error instead of death;
 * what the filter kills is tested in builds without one.
 */
#include "engine/runner/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/runner/runner.h"

#define ALL           (FILTER_TEMPLATE | FILTER_CHILD | FILTER_COMPILE)
#define SERVING       (FILTER_TEMPLATE | FILTER_CHILD)
#define RULE_ARGS_MAX 5

/* Arguments the C library passes as int: the upper half is not specified.
 * (libseccomp's own macros are no constant expressions.) */
#define LOW32(n, value)                                        \
	{                                                      \
		(n), SCMP_CMP_MASKED_EQ, UINT64_C(0xFFFFFFFF), \
		    (uint64_t)(uint32_t)(value)                \
	}
#define NO_BITS(n, bits)                                               \
	{                                                              \
		(n), SCMP_CMP_MASKED_EQ, (uint64_t)(uint32_t)(bits), 0 \
	}
#define EXACT(n, value)                      \
	{                                    \
		(n), SCMP_CMP_EQ, (value), 0 \
	}

#define RULE(whom, name, count, ...)             \
	{                                        \
		(whom), SCMP_SYS(name), (count), \
		{                                \
			__VA_ARGS__              \
		}                                \
	}
#define RULE_ANY(whom, name)               \
	{                                  \
		(whom), SCMP_SYS(name), 0, \
		{                          \
			{                  \
				0          \
			}                  \
		}                          \
	}

static const struct rule {
	unsigned whom;
	int syscall;
	unsigned count;
	struct scmp_arg_cmp args[RULE_ARGS_MAX];
} rules[] = {
    /* The one descriptor. */
    RULE(SERVING, read, 1, LOW32(0, RUNNER_FD)),
    RULE(SERVING, write, 1, LOW32(0, RUNNER_FD)),
    RULE(FILTER_TEMPLATE, recvmsg, 1, LOW32(0, RUNNER_FD)),
    RULE(FILTER_COMPILE, write, 1, LOW32(0, STDOUT_FILENO)),
    RULE(FILTER_COMPILE, write, 1, LOW32(0, STDERR_FILENO)),

    /* Memory: private and anonymous, never executable, never at an address
     * of the caller's choice. */
    RULE(ALL, mmap, 4, LOW32(2, PROT_READ | PROT_WRITE),
	LOW32(3, MAP_PRIVATE | MAP_ANONYMOUS), LOW32(4, -1), EXACT(5, 0)),
    RULE(ALL, mremap, 1, LOW32(3, MREMAP_MAYMOVE)),
    RULE(ALL, madvise, 1, LOW32(2, MADV_DONTNEED)),
    RULE_ANY(ALL, munmap),
    RULE_ANY(ALL, brk),

    /* The heap's image: written, sealed, and mapped where the heap is. */
    RULE(FILTER_TEMPLATE, mmap, 2, NO_BITS(2, ~(PROT_READ | PROT_WRITE)),
	LOW32(4, RUNNER_IMAGE_FD)),
    RULE(FILTER_TEMPLATE, fcntl, 2, LOW32(0, RUNNER_IMAGE_FD),
	LOW32(1, F_ADD_SEALS)),

    /* Time (where the vDSO cannot), signals, the end. */
    RULE_ANY(ALL, clock_gettime),
    RULE_ANY(ALL, gettimeofday),
    RULE_ANY(ALL, rt_sigreturn),
    RULE_ANY(ALL, exit_group),

    /* From template to child: exactly a fork whose parent is the engine, its
     * socket to the one descriptor, and the child's last layer. */
    RULE(FILTER_TEMPLATE, clone, 5, EXACT(0, CLONE_PARENT | SIGCHLD),
	EXACT(1, 0), EXACT(2, 0), EXACT(3, 0), EXACT(4, 0)),
    RULE(FILTER_TEMPLATE, dup3, 2, LOW32(1, RUNNER_FD), LOW32(2, 0)),
    RULE_ANY(FILTER_TEMPLATE, close),
    RULE_ANY(FILTER_TEMPLATE, getppid),
    RULE(FILTER_TEMPLATE, prctl, 2, LOW32(0, PR_SET_PDEATHSIG),
	LOW32(1, SIGKILL)),
    RULE(FILTER_TEMPLATE, prlimit64, 3, LOW32(0, 0), LOW32(1, RLIMIT_NPROC),
	EXACT(3, 0)),
    RULE(FILTER_TEMPLATE, prlimit64, 3, LOW32(0, 0), LOW32(1, RLIMIT_CPU),
	EXACT(3, 0)),
    RULE(FILTER_TEMPLATE, seccomp, 2, LOW32(0, SECCOMP_SET_MODE_FILTER),
	LOW32(1, 0)),

#ifdef POSTERN_SANITIZED
    RULE_ANY(ALL, write),
    RULE_ANY(ALL, mmap),
    RULE_ANY(ALL, mprotect),
    RULE_ANY(ALL, madvise),
    RULE_ANY(ALL, futex),
    RULE_ANY(ALL, sched_yield),
    RULE_ANY(ALL, sigaltstack),
    RULE_ANY(ALL, rt_sigaction),
    RULE_ANY(ALL, rt_sigprocmask),
    RULE_ANY(ALL, getpid),
    RULE_ANY(ALL, gettid),
    RULE_ANY(ALL, tgkill),
    RULE_ANY(ALL, getrandom),
    RULE_ANY(ALL, close),
#endif
};

#ifdef POSTERN_SANITIZED
#define REFUSAL SCMP_ACT_ERRNO(EPERM)
#else
#define REFUSAL SCMP_ACT_KILL_PROCESS
#endif

static int
add_rules(scmp_filter_ctx filter, enum filter_for whom)
{
	int failed;

	failed = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if ((rules[i].whom & (unsigned)whom) == 0)
			continue;
		failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
		    rules[i].syscall, rules[i].count, rules[i].args);
	}
	return failed;
}

/* libseccomp of this age writes a program to a descriptor only. */
static enum err
export_program(scmp_filter_ctx filter, struct sock_fprog *program_r)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t bytes = -1;
	struct sock_filter *code = NULL;
	enum err err = ERR_IO;

	if (fd >= 0 && seccomp_export_bpf(filter, fd) == 0)
		bytes = lseek(fd, 0, SEEK_END);
	if (bytes > 0)
		code = malloc((size_t)bytes);
	if (code != NULL && pread(fd, code, (size_t)bytes, 0) == bytes) {
		program_r->len = (unsigned short)((size_t)bytes / sizeof *code);
		program_r->filter = code;
		err = OK;
	} else {
		free(code);
	}
	if (fd >= 0)
		(void)close(fd);
	return err;
}

enum err
filter_build(enum filter_for whom, struct sock_fprog *program_r,
    struct err_detail *detail)
{
	scmp_filter_ctx filter = seccomp_init(REFUSAL);
	enum err err = ERR_NOMEM;

	if (filter == NULL)
		return err_set(detail, ERR_NOMEM, "seccomp: out of memory");
	if (add_rules(filter, whom) == 0)
		err = export_program(filter, program_r);
	seccomp_release(filter);
	if (err != OK)
		return err_set(
		    detail, err, "seccomp: the filter cannot be built");
	return OK;
}

enum err
filter_load(const struct sock_fprog *program, struct err_detail *detail)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) != 0)
		return err_set_errno(detail, ERR_IO, "seccomp");
	return OK;
}
