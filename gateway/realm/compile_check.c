/*
 * Spawns postern-runner --compile for one script and reads its answer. Does
 * not know JavaScript, and trusts the runner's output no more than a
 * script's. Runs on the loader's thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "gateway/realm/compile_check.h"

/* EX_DATAERR: the runner's word for "does not compile". */
#define EXIT_NOT_COMPILED 65

/* A line number and a sentence; more is not read. */
#define ANSWER_BYTES 2048

/* ---- what compiled before ----------------------------------------------- */

/* A reload of a realm of some hundred scripts asks only for the changed. */
#define CACHE_SLOTS 2048U

static struct {
	pthread_mutex_t lock;
	uint8_t hashes[CACHE_SLOTS][DIGEST_BYTES];
	bool used[CACHE_SLOTS];
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Another runner may think otherwise: its path is part of the key. */
static void
cache_key(const char *runner_path, const struct realm_script *script,
    uint8_t key_r[DIGEST_BYTES])
{
	uint8_t input[PATH_MAX + DIGEST_BYTES];
	size_t len = strnlen(runner_path, PATH_MAX);

	memcpy(input, runner_path, len);
	memcpy(input + len, script->source_hash, DIGEST_BYTES);
	digest_sha256(span_of(input, len + DIGEST_BYTES), key_r);
}

static unsigned
cache_slot(const uint8_t key[DIGEST_BYTES])
{
	return ((unsigned)key[0] << 8 | key[1]) % CACHE_SLOTS;
}

static bool
cache_has(const uint8_t key[DIGEST_BYTES])
{
	unsigned slot = cache_slot(key);
	bool has;

	(void)pthread_mutex_lock(&cache.lock);
	has = cache.used[slot] &&
	      memcmp(cache.hashes[slot], key, DIGEST_BYTES) == 0;
	(void)pthread_mutex_unlock(&cache.lock);
	return has;
}

static void
cache_add(const uint8_t key[DIGEST_BYTES])
{
	unsigned slot = cache_slot(key);

	(void)pthread_mutex_lock(&cache.lock);
	memcpy(cache.hashes[slot], key, DIGEST_BYTES);
	cache.used[slot] = true;
	(void)pthread_mutex_unlock(&cache.lock);
}

/* ---- the process -------------------------------------------------------- */

struct compile_run {
	int source_fd; /* its stdin */
	int answer_fd; /* our end of its stdout */
	int stdout_fd; /* its end */
	pid_t pid;
	int pid_fd;
	char answer[ANSWER_BYTES + 1];
	size_t answer_len;
};

/* A file in memory and not a pipe: nobody has to write while it reads. */
static int
run_open_source(struct span source)
{
	int fd = memfd_create("postern-script", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	while (source.len > 0) {
		ssize_t wrote = write(fd, source.data, source.len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			(void)close(fd);
			return -1;
		}
		source =
		    span_of(source.data + wrote, source.len - (size_t)wrote);
	}
	if (lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool
run_set_actions(
    posix_spawn_file_actions_t *actions, const struct compile_run *run)
{
	return posix_spawn_file_actions_adddup2(actions, run->source_fd, 0) ==
		   0 &&
	       posix_spawn_file_actions_adddup2(actions, run->stdout_fd, 1) ==
		   0 &&
	       posix_spawn_file_actions_addopen(
		   actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	       posix_spawn_file_actions_addclosefrom_np(actions, 3) == 0;
}

/* The gateway's threads block signals and ignore SIGPIPE; the runner starts
 * as from a shell. */
static bool
run_set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	return posix_spawnattr_setsigmask(attributes, &none) == 0 &&
	       posix_spawnattr_setsigdefault(attributes, &all) == 0 &&
	       posix_spawnattr_setflags(attributes,
		   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0;
}

static int
run_exec(const char *runner_path, const char *name, struct compile_run *run,
    const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes)
{
	/* posix_spawn() wants them writable, and writes to none. */
	char path[PATH_MAX];
	char option[] = "--compile";
	char file[PATH_MAX];
	char *argv[] = {path, option, file, NULL};
	char *environment[] = {NULL};

	if (strlen(runner_path) >= sizeof path || strlen(name) >= sizeof file)
		return ENAMETOOLONG;
	(void)snprintf(path, sizeof path, "%s", runner_path);
	(void)snprintf(file, sizeof file, "%s", name);
	return posix_spawn(
	    &run->pid, path, actions, attributes, argv, environment);
}

static int
run_spawn(const char *runner_path, const char *name, struct compile_run *run)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int result = ENOMEM;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	if (run_set_actions(&actions, run) && run_set_attributes(&attributes))
		result =
		    run_exec(runner_path, name, run, &actions, &attributes);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* Keeps the answer's start; the rest is read so that the runner can end. */
static void
run_read_answer(struct compile_run *run)
{
	char scratch[ANSWER_BYTES];
	ssize_t got;

	got = read(run->answer_fd, scratch, sizeof scratch);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		(void)close(run->answer_fd);
		run->answer_fd = -1;
		return;
	}
	if ((size_t)got > ANSWER_BYTES - run->answer_len)
		got = (ssize_t)(ANSWER_BYTES - run->answer_len);
	memcpy(run->answer + run->answer_len, scratch, (size_t)got);
	run->answer_len += (size_t)got;
}

/* What is still in the pipe when the process is gone: at most a pipe's size,
 * since a descendant of it may go on writing. */
static void
run_drain_answer(struct compile_run *run)
{
	for (unsigned i = 0; i < 32 && run->answer_fd >= 0; i++) {
		struct pollfd ready = {run->answer_fd, POLLIN, 0};

		if (poll(&ready, 1, 0) <= 0)
			return;
		run_read_answer(run);
	}
}

/* False: it has not ended in time, or poll failed. */
static bool
run_wait_end(struct compile_run *run)
{
	int64_t deadline_ms = clock_mono_ms() + COMPILE_CHECK_MS;

	for (;;) {
		struct pollfd ready[2] = {
		    {run->pid_fd, POLLIN, 0}, {run->answer_fd, POLLIN, 0}};
		int64_t left_ms = deadline_ms - clock_mono_ms();

		if (left_ms <= 0)
			return false;
		if (poll(ready, 2, (int)left_ms) < 0 && errno != EINTR)
			return false;
		if ((ready[0].revents & POLLIN) != 0)
			return true;
		if (run->answer_fd >= 0 && ready[1].revents != 0)
			run_read_answer(run);
	}
}

static enum err
run_judge(const struct compile_run *run, int status, struct err_detail *detail)
{
	if (WIFSIGNALED(status))
		return err_set(detail, ERR_UNAVAILABLE,
		    "the compiler was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 0)
		return OK;
	if (WEXITSTATUS(status) != EXIT_NOT_COMPILED)
		return err_set(detail, ERR_UNAVAILABLE,
		    "the compiler ended with status %d", WEXITSTATUS(status));
	if (run->answer_len == 0)
		return err_set(
		    detail, ERR_UNAVAILABLE, "the compiler gave no reason");
	return ERR_SYNTAX;
}

/* Waits for the process and leaves none behind. */
static enum err
run_finish(struct compile_run *run, struct err_detail *detail)
{
	bool ended;
	int status = 0;

	run->pid_fd = pidfd_open(run->pid, 0);
	ended = run->pid_fd >= 0 && run_wait_end(run);
	if (!ended)
		(void)kill(run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (run->pid_fd >= 0)
		(void)close(run->pid_fd);
	if (!ended)
		return err_set(detail, ERR_TIMEOUT,
		    "the compiler did not end within %d ms", COMPILE_CHECK_MS);
	run_drain_answer(run);
	return run_judge(run, status, detail);
}

/* "LINE\nSENTENCE\n"; anything else is reported as it stands, line unknown. */
static void
run_parse_answer(
    struct compile_run *run, unsigned *line_r, struct err_detail *detail)
{
	const char *text = run->answer;
	unsigned line = 0;
	size_t digits;

	run->answer[run->answer_len] = '\0';
	digits = strspn(text, "0123456789");
	if (digits >= 1 && digits <= 7 && text[digits] == '\n') {
		for (size_t i = 0; i < digits; i++)
			line = line * 10 + (unsigned)(text[i] - '0');
		text += digits + 1;
	}
	*line_r = line;
	(void)err_set(
	    detail, ERR_SYNTAX, "%.*s", (int)strcspn(text, "\n"), text);
}

static enum err
run_all(const char *runner_path, const struct realm_script *script,
    struct compile_run *run, struct err_detail *detail)
{
	int result = run_spawn(runner_path, script->file, run);

	(void)close(run->stdout_fd);
	run->stdout_fd = -1;
	if (result != 0) {
		errno = result;
		return err_set_errno(
		    detail, ERR_UNAVAILABLE, "%s cannot be run", runner_path);
	}
	return run_finish(run, detail);
}

enum err
compile_check_run(const char *runner_path, const struct realm_script *script,
    unsigned *line_r, struct err_detail *detail)
{
	struct compile_run run = {.source_fd = -1};
	uint8_t key[DIGEST_BYTES];
	int pipe_fds[2];
	enum err err;

	cache_key(runner_path, script, key);
	if (cache_has(key))
		return OK;
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return err_set_errno(detail, ERR_UNAVAILABLE, "pipe");
	run.answer_fd = pipe_fds[0];
	run.stdout_fd = pipe_fds[1];
	run.source_fd = run_open_source(script->source);
	if (run.source_fd < 0) {
		err = err_set_errno(detail, ERR_UNAVAILABLE, "memfd");
		(void)close(run.stdout_fd);
	} else {
		err = run_all(runner_path, script, &run, detail);
		(void)close(run.source_fd);
	}
	if (run.answer_fd >= 0)
		(void)close(run.answer_fd);
	if (err == ERR_SYNTAX)
		run_parse_answer(&run, line_r, detail);
	if (err == OK)
		cache_add(key);
	return err;
}
