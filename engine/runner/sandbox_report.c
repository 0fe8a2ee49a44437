/*
 * --check-sandbox: each layer is put on in a process of its own and tried, so
 * that "on" means "what it forbids failed", not "the call returned 0". Not
 * the layers themselves: sandbox.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/runner/filter.h"
#include "engine/runner/runner.h"
#include "engine/runner/sandbox.h"

/* A probe's sentence; it is one write into a pipe. */
#define FOUND_BYTES 256

/* Tried where no --uid was given: the last ordinary number ("nobody"). */
#define PROBE_UID 65534

struct probe {
	bool is_on;
	char found[FOUND_BYTES];
};

#define FOUND(probe, on, ...)                                           \
	do {                                                            \
		(probe)->is_on = (on);                                  \
		(void)snprintf(                                         \
		    (probe)->found, sizeof(probe)->found, __VA_ARGS__); \
	} while (0)

static void
probe_descriptors(struct sandbox *sandbox, struct probe *probe)
{
	int left = 0;

	(void)sandbox;
	for (int fd = 0; fd < 1024; fd++)
		left += fd != RUNNER_FD && fcntl(fd, F_GETFD) >= 0;
#ifdef POSTERN_SANITIZED
	FOUND(probe, left <= 3, "%d more, 0-2 kept for the sanitizer", left);
#else
	FOUND(probe, left == 0, "%d beside the engine's", left);
#endif
}

static void
probe_session(struct sandbox *sandbox, struct probe *probe)
{
	bool own = getsid(0) == getpid();

	(void)sandbox;
	FOUND(probe, own && getenv("PATH") == NULL && umask(077) == 077,
	    "session %s, environment %s", own ? "own" : "shared",
	    getenv("PATH") == NULL ? "empty" : "not empty");
}

static void
probe_oom(struct sandbox *sandbox, struct probe *probe)
{
	char text[8] = {0};
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	(void)sandbox;
	if (fd >= 0) {
		(void)!read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	text[strcspn(text, "\n")] = '\0';
	FOUND(probe, strcmp(text, "1000") == 0, "oom_score_adj %s", text);
}

static void
probe_rlimits(struct sandbox *sandbox, struct probe *probe)
{
	struct rlimit core = {1, 1};
	const size_t much = (size_t)1 << 30;
	void *mapped = mmap(NULL, much, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int high_fd = fcntl(RUNNER_FD, F_DUPFD, 100);

	(void)sandbox;
	(void)getrlimit(RLIMIT_CORE, &core);
#ifdef POSTERN_SANITIZED
	FOUND(probe, core.rlim_max == 0 && high_fd < 0,
	    "no address space bound for the sanitizer");
#else
	FOUND(probe, core.rlim_max == 0 && high_fd < 0 && mapped == MAP_FAILED,
	    "core %s, descriptor 100 %s, 1 GiB %s",
	    core.rlim_max == 0 ? "0" : "allowed",
	    high_fd < 0 ? "refused" : "given",
	    mapped == MAP_FAILED ? "refused" : "given");
#endif
	if (mapped != MAP_FAILED)
		(void)munmap(mapped, much);
}

static void
probe_identity(struct sandbox *sandbox, struct probe *probe)
{
	uid_t real, effective, saved;

	(void)getresuid(&real, &effective, &saved);
	if (sandbox->uid < 0)
		FOUND(probe, real != 0, "uid %u, no other asked for", real);
	else
		FOUND(probe,
		    real == (uid_t)sandbox->uid && effective == real &&
			saved == real && setuid(0) != 0,
		    "uid %u", real);
}

static void
probe_capabilities(struct sandbox *sandbox, struct probe *probe)
{
	bool refused = chroot("/") != 0 && errno == EPERM;

	(void)sandbox;
	FOUND(probe, refused, "chroot %s", refused ? "refused" : "allowed");
}

static void
probe_dumpable(struct sandbox *sandbox, struct probe *probe)
{
	int value = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	(void)sandbox;
	FOUND(probe, value == 0, "dumpable %d", value);
}

static void
probe_no_new_privs(struct sandbox *sandbox, struct probe *probe)
{
	int value = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	(void)sandbox;
	FOUND(probe, value == 1, "no_new_privs %d", value);
}

static void
probe_orphan(struct sandbox *sandbox, struct probe *probe)
{
	int number = 0;

	(void)sandbox;
	(void)prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0);
	FOUND(probe, number == SIGKILL, "signal %d", number);
}

static bool
bind_is_refused(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || (bind(fd, (const struct sockaddr *)(const void *)&any,
			      sizeof any) != 0 &&
			     errno == EACCES);
}

static void
probe_landlock(struct sandbox *sandbox, struct probe *probe)
{
	int abi = sandbox_landlock_abi();
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool refused = fd < 0 && errno == EACCES;
	struct utsname kernel;

	(void)sandbox;
	if (fd >= 0)
		(void)close(fd);
	if (abi >= 4)
		refused = refused && bind_is_refused();
	if (uname(&kernel) != 0)
		kernel.release[0] = '\0';
	FOUND(probe, refused, "ABI %d, kernel %.64s, files%s %s", abi,
	    kernel.release, abi >= 4 ? " and TCP" : "",
	    refused ? "refused" : "allowed");
}

/* In a build without a sanitizer this call is the last thing it does. */
static void
probe_seccomp(struct sandbox *sandbox, struct probe *probe)
{
	bool refused;
	int fd;

	(void)sandbox;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	refused = fd < 0;
	if (!refused)
		close(fd);
#ifdef POSTERN_SANITIZED
	FOUND(probe, refused, "widened for a sanitizer: refuses, no kill");
#else
	FOUND(probe, false, "open was %s, not fatal",
	    refused ? "refused" : "allowed");
#endif
}

/* Its own call to close is what a template may make and a child may not. */
static void
probe_child(struct probe *probe)
{
	bool refused = close(RUNNER_FD + 1) != 0 && errno == EPERM;

#ifdef POSTERN_SANITIZED
	(void)refused;
	FOUND(probe, true, "widened for a sanitizer");
#else
	FOUND(probe, false, "close was %s, not fatal",
	    refused ? "refused" : "allowed");
#endif
}

static void (*const probes[SANDBOX_LAYERS])(
    struct sandbox *, struct probe *) = {
#define SANDBOX_LAYER(symbol, name, need, doc) \
	[LAYER_##symbol] = probe_##symbol,
#include "engine/runner/sandbox_layers.def"
#undef SANDBOX_LAYER
};

/* One past the table: what sandbox_enter_child() adds. */
#define CHILD_LAYER SANDBOX_LAYERS

/* Puts the layer on, after what it rests on: neither Landlock nor a filter
 * loads without no_new_privs. */
static enum err
apply_layer(struct sandbox *sandbox, size_t index, struct err_detail *detail)
{
	enum err err =
	    filter_build(FILTER_TEMPLATE, &sandbox->own_filter, detail);

	if (err == OK)
		err =
		    filter_build(FILTER_CHILD, &sandbox->child_filter, detail);
	if (err == OK && index >= LAYER_landlock)
		err = sandbox_layers[LAYER_no_new_privs].apply(sandbox, detail);
	if (err != OK)
		return err;
	if (index == CHILD_LAYER)
		return sandbox_enter_child(sandbox, detail);
	return sandbox_layers[index].apply(sandbox, detail);
}

/* Runs in the probe's process; the answer goes to RUNNER_FD. */
_Noreturn static void
run_probe(struct sandbox *sandbox, size_t index, pid_t parent)
{
	struct err_detail detail = {{0}};
	struct probe probe = {0};
	enum err err;

	sandbox->engine = parent;
	sandbox->allow_missing = false;
	if (sandbox->uid < 0 && getuid() == 0 && index == LAYER_identity)
		sandbox->uid = PROBE_UID;
	err = apply_layer(sandbox, index, &detail);
	if (err != OK)
		FOUND(&probe, false, "%.200s", err_text(&detail, err));
	else if (index == CHILD_LAYER)
		probe_child(&probe);
	else
		probes[index](sandbox, &probe);
	(void)!write(RUNNER_FD, &probe, sizeof probe);
	_exit(0);
}

static void
read_probe(int fd, pid_t pid, struct probe *probe_r)
{
	int status = 0;
	ssize_t n = read(fd, probe_r, sizeof *probe_r);

	(void)waitpid(pid, &status, 0);
	if (n == (ssize_t)sizeof *probe_r)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		FOUND(probe_r, true, "a forbidden call kills the process");
	else
		FOUND(probe_r, false, "the probe ended with status %d", status);
}

static void
probe_layer(const struct sandbox *sandbox, size_t index, struct probe *probe_r)
{
	struct sandbox own = *sandbox;
	pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		FOUND(probe_r, false, "no pipe");
		return;
	}
	pid = fork();
	if (pid == 0) {
		if (dup2(ends[1], RUNNER_FD) < 0)
			_exit(1);
		if (ends[0] != RUNNER_FD)
			(void)close(ends[0]);
		if (ends[1] != RUNNER_FD)
			(void)close(ends[1]);
		run_probe(&own, index, parent);
	}
	(void)close(ends[1]);
	if (pid < 0)
		FOUND(probe_r, false, "no process");
	else
		read_probe(ends[0], pid, probe_r);
	(void)close(ends[0]);
}

static void
print_layer(FILE *out, const char *name, const struct probe *probe,
    const char *doc, bool is_mandatory)
{
	fprintf(out, "%-13s %-3s  %s: %s%s\n", name,
	    probe->is_on ? "on" : "off", probe->found, doc,
	    is_mandatory ? "" : " (optional)");
}

bool
sandbox_report(const struct sandbox *sandbox, FILE *out)
{
	struct probe probe = {0};
	bool all_on = true;

	for (size_t i = 0; i < SANDBOX_LAYERS; i++) {
		const struct sandbox_layer *layer = &sandbox_layers[i];

		probe_layer(sandbox, i, &probe);
		all_on = all_on && probe.is_on;
		print_layer(
		    out, layer->name, &probe, layer->doc, layer->is_mandatory);
	}
	probe_layer(sandbox, CHILD_LAYER, &probe);
	print_layer(out, "child", &probe,
	    "compute, read and write one descriptor, exit; nothing else", true);
	return all_on && probe.is_on;
}
