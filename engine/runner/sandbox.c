/*
 * The sandbox: one function per layer, in the order of sandbox_layers.def,
 * and two that put them on: sandbox_enter_template() and
 * sandbox_enter_child(). Not the list of system calls: that is filter.c.
 *
 * Who is kept out: native code. A script that breaks duktape, or a top level
 * that does so in the template, owns its process; what it then finds is what
 * these layers leave. Each holds alone where it can, so that one kernel bug is
 * not enough.
 *
 * Sanitizer builds keep descriptors 0-2, get no bound on address space (the
 * shadow takes terabytes) and a wider filter; --check-sandbox says so.
 */
#include "engine/runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/runner/filter.h"
#include "engine/runner/runner.h"

#define MIB ((size_t)1 << 20)

/* Duktape's recursion limits are made for this much. */
#define STACK_BYTES (8 * MIB)

/* Frames and conversions of texts beside the script's heap. */
#define BUFFERS_BYTES (32 * MIB)

/* The engine's socket, one more on its way in, and room for the ruleset. */
#define DESCRIPTORS_MAX 8

/* Where /proc does not tell what we have mapped: generous. */
#define BASELINE_BYTES (64 * MIB)

/* A second guard behind the engine's own timer; the longest it can ask for. */
#define CHILD_CPU_SECS 600

/* What each Landlock ABI can refuse. Numbers, because Debian's headers are
 * older than the kernels we run on. */
#define LANDLOCK_FS_1     ((UINT64_C(1) << 13) - 1)
#define LANDLOCK_FS_2     ((UINT64_C(1) << 14) - 1) /* + refer */
#define LANDLOCK_FS_3     ((UINT64_C(1) << 15) - 1) /* + truncate */
#define LANDLOCK_FS_5     ((UINT64_C(1) << 16) - 1) /* + ioctl on devices */
#define LANDLOCK_NET_4    UINT64_C(3)               /* TCP bind, connect */
#define LANDLOCK_SCOPED_6 UINT64_C(3) /* abstract sockets, signals */
#define LANDLOCK_GET_ABI  1u

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static enum err
apply_descriptors(struct sandbox *sandbox, struct err_detail *detail)
{
	unsigned first =
	    sandbox->is_compile ? STDERR_FILENO + 1 : RUNNER_FD + 1;

	if (sandbox->has_image)
		first = RUNNER_IMAGE_FD + 1;
	if (syscall(SYS_close_range, first, ~0u, 0) != 0)
		return err_set_errno(detail, ERR_IO, "close_range");
#ifndef POSTERN_SANITIZED
	if (!sandbox->is_compile &&
	    syscall(SYS_close_range, 0, RUNNER_FD - 1, 0) != 0)
		return err_set_errno(detail, ERR_IO, "close_range");
#endif
	return OK;
}

static enum err
apply_session(struct sandbox *sandbox, struct err_detail *detail)
{
	(void)sandbox;
	(void)umask(077);
	/* The strings too, which /proc shows whatever clearenv() does. */
	for (char **at = environ; at != NULL && *at != NULL; at++)
		explicit_bzero(*at, strlen(*at));
	if (clearenv() != 0 || setenv("TZ", "UTC0", 1) != 0)
		return err_set(detail, ERR_NOMEM, "environment");
	tzset(); /* reads no file for this zone, and none later */
	if (setsid() < 0 && getsid(0) != getpid())
		return err_set_errno(detail, ERR_IO, "setsid");
	return OK;
}

static enum err
apply_oom(struct sandbox *sandbox, struct err_detail *detail)
{
	static const char most[] = "1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	bool failed;

	(void)sandbox;
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "oom_score_adj");
	failed = write(fd, most, sizeof most - 1) != sizeof most - 1;
	(void)close(fd);
	return failed ? err_set(detail, ERR_IO, "oom_score_adj") : OK;
}

static enum err
limit(int resource, rlim_t value, struct err_detail *detail)
{
	const struct rlimit rlimit = {value, value};

	/* The C library's enum is an implementation detail. */
	if (setrlimit((__rlimit_resource_t)resource, &rlimit) != 0)
		return err_set_errno(detail, ERR_IO, "rlimit %d", resource);
	return OK;
}

#ifndef POSTERN_SANITIZED
/* What is mapped now, the script's heap included. */
static size_t
mapped_bytes(const struct sandbox *sandbox)
{
	char text[32] = {0};
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	unsigned long pages;

	if (fd >= 0) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	pages = n > 0 ? strtoul(text, NULL, 10) : 0;
	if (pages == 0)
		return sandbox->heap_bytes + BASELINE_BYTES;
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

static enum err
apply_rlimits(struct sandbox *sandbox, struct err_detail *detail)
{
	struct rlimit stack;
	enum err err = limit(RLIMIT_CORE, 0, detail);

	/* --compile may answer into a file; Landlock lets it open none. */
	if (err == OK && !sandbox->is_compile)
		err = limit(RLIMIT_FSIZE, 0, detail);
	if (err == OK)
		err = limit(RLIMIT_MEMLOCK, 0, detail);
	if (err == OK)
		err = limit(RLIMIT_MSGQUEUE, 0, detail);
	if (err == OK)
		err = limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, detail);
	if (err == OK && getrlimit(RLIMIT_STACK, &stack) == 0 &&
	    stack.rlim_max < STACK_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "the stack's limit is below"
		    " 8 MiB");
	if (err == OK)
		err = limit(RLIMIT_STACK, STACK_BYTES, detail);
#ifndef POSTERN_SANITIZED
	if (err == OK)
		err = limit(RLIMIT_AS,
		    mapped_bytes(sandbox) + STACK_BYTES + BUFFERS_BYTES,
		    detail);
#endif
	return err;
}

/* Fails without CAP_SETPCAP; then there is nothing in it for us, for
 * no_new_privs stops exec from drawing on the set. */
static void
drop_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static enum err
apply_identity(struct sandbox *sandbox, struct err_detail *detail)
{
	uid_t uid = (uid_t)sandbox->uid;
	gid_t gid = (gid_t)sandbox->uid;

	if (sandbox->uid < 0)
		return OK;   /* we started as nobody special */
	drop_bounding_set(); /* needs a capability that goes with root */
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return err_set_errno(detail, ERR_IO, "uid %u", uid);
	return OK;
}

static bool
has_capabilities(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct have[2];

	if (syscall(SYS_capget, &header, have) != 0)
		return true;
	for (size_t i = 0; i < 2; i++)
		if ((have[i].effective | have[i].permitted |
			have[i].inheritable) != 0)
			return true;
	return false;
}

static enum err
apply_capabilities(struct sandbox *sandbox, struct err_detail *detail)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0}};

	(void)sandbox;
	drop_bounding_set();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* A hardened unit leaves none and forbids the call. */
	if (!has_capabilities())
		return OK;
	if (syscall(SYS_capset, &header, none) != 0)
		return err_set_errno(detail, ERR_IO, "capset");
	return OK;
}

static enum err
apply_dumpable(struct sandbox *sandbox, struct err_detail *detail)
{
	(void)sandbox;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set_errno(detail, ERR_IO, "PR_SET_DUMPABLE");
	return OK;
}

static enum err
apply_no_new_privs(struct sandbox *sandbox, struct err_detail *detail)
{
	(void)sandbox;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set_errno(detail, ERR_IO, "PR_SET_NO_NEW_PRIVS");
	return OK;
}

/* After any change of user, which clears the signal. */
static enum err
apply_orphan(struct sandbox *sandbox, struct err_detail *detail)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_set_errno(detail, ERR_IO, "PR_SET_PDEATHSIG");
	if (getppid() != sandbox->engine)
		return err_set(detail, ERR_LOST, "the engine is gone");
	return OK;
}

int
sandbox_landlock_abi(void)
{
	long abi = syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_GET_ABI);

	return abi > 0 ? (int)abi : 0;
}

static uint64_t
landlock_fs_mask(int abi)
{
	if (abi >= 5)
		return LANDLOCK_FS_5;
	if (abi >= 3)
		return LANDLOCK_FS_3;
	return abi == 2 ? LANDLOCK_FS_2 : LANDLOCK_FS_1;
}

/* A ruleset that handles everything and allows nothing. */
static enum err
apply_landlock(struct sandbox *sandbox, struct err_detail *detail)
{
	int abi = sandbox_landlock_abi();
	struct ruleset ruleset = {.fs = landlock_fs_mask(abi)};
	size_t size = sizeof ruleset.fs;
	long fd, failed;

	(void)sandbox;
	if (abi == 0)
		return err_set_errno(detail, ERR_UNAVAILABLE, "Landlock");
	if (abi >= 4) {
		ruleset.net = LANDLOCK_NET_4;
		size += sizeof ruleset.net;
	}
	if (abi >= 6) {
		ruleset.scoped = LANDLOCK_SCOPED_6;
		size += sizeof ruleset.scoped;
	}
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "Landlock ruleset");
	failed = syscall(SYS_landlock_restrict_self, (int)fd, 0);
	if (failed != 0)
		(void)err_set_errno(detail, ERR_IO, "Landlock");
	(void)close((int)fd);
	return failed != 0 ? ERR_IO : OK;
}

static enum err
apply_seccomp(struct sandbox *sandbox, struct err_detail *detail)
{
	return filter_load(&sandbox->own_filter, detail);
}

#define MANDATORY true
#define OPTIONAL  false

const struct sandbox_layer sandbox_layers[SANDBOX_LAYERS] = {
#define SANDBOX_LAYER(symbol, name, need, doc) \
	[LAYER_##symbol] = {name, doc, need, apply_##symbol},
#include "engine/runner/sandbox_layers.def"
#undef SANDBOX_LAYER
};

enum err
sandbox_enter_template(struct sandbox *sandbox, struct err_detail *detail)
{
	enum filter_for whom =
	    sandbox->is_compile ? FILTER_COMPILE : FILTER_TEMPLATE;
	enum err err = filter_build(whom, &sandbox->own_filter, detail);

	if (err == OK)
		err =
		    filter_build(FILTER_CHILD, &sandbox->child_filter, detail);
	if (err != OK)
		return err;
	for (size_t i = 0; i < SANDBOX_LAYERS; i++) {
		err = sandbox_layers[i].apply(sandbox, detail);
		if (err != OK && sandbox_layers[i].is_mandatory &&
		    !sandbox->allow_missing)
			return err_prefix(detail, err, "sandbox layer %s",
			    sandbox_layers[i].name);
	}
	return OK;
}

enum err
sandbox_enter_child(const struct sandbox *sandbox, struct err_detail *detail)
{
	enum err err;

	/* A fork clears the death signal. Asking for the parent afterwards
	 * closes the gap in which the engine may have died. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return err_set_errno(detail, ERR_IO, "PR_SET_PDEATHSIG");
	if (getppid() != sandbox->engine)
		return err_set(detail, ERR_LOST, "the engine is gone");
	err = limit(RLIMIT_NPROC, 0, detail);
	if (err == OK)
		err = limit(RLIMIT_CPU, CHILD_CPU_SECS, detail);
	if (err == OK)
		err = filter_load(&sandbox->child_filter, detail);
	if (err != OK && sandbox->allow_missing)
		return OK;
	return err;
}
