/*
 * The local engine's process, its socket and its pipe; see ctl_local.h. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_json.h"

#define QUEUE_MAX_BYTES ((size_t)512 << 20)
/* Of one outcome: every host call's answer in it, escaped. */
#define LINE_MAX_BYTES ((size_t)256 << 20)
#define READ_BYTES     65536
/* A signal between looking for one and waiting is seen after this. */
#define LOOK_MS 500

struct ctl_local {
	pid_t pid;
	int to_fd; /* -1: closed */
	int from_fd;
	struct buf to;
	size_t sent; /* of `to` */
	struct buf from;
	size_t scanned; /* of `from`: no line end so far */
};

static enum err
find_engine(char path_r[PATH_MAX], struct err_detail *detail)
{
	static const char engine[] = "/postern-engine";
	const char *named = getenv("POSTERN_ENGINE");
	ssize_t len;
	char *slash;

	if (named != NULL && named[0] != '\0') {
		if (strlen(named) >= PATH_MAX)
			return err_set(
			    detail, ERR_INVALID, "POSTERN_ENGINE is too long");
		memcpy(path_r, named, strlen(named) + 1);
	} else {
		len = readlink("/proc/self/exe", path_r, PATH_MAX - 1);
		if (len < 0)
			return err_set_errno(detail, ERR_IO, "where am I");
		path_r[len] = '\0';
		slash = strrchr(path_r, '/');
		if (slash == NULL ||
		    (size_t)(slash - path_r) + sizeof engine > PATH_MAX)
			return err_set(detail, ERR_INVALID, "no path");
		memcpy(slash, engine, sizeof engine);
	}
	if (access(path_r, X_OK) != 0)
		return err_set_errno(detail, ERR_NOT_FOUND,
		    "the engine %s (POSTERN_ENGINE names another)", path_r);
	return OK;
}

/* The environment but for the settings of an engine in service: a local one
 * has its own. The caller frees the array. */
static char **
own_environment(void)
{
	static const char prefix[] = "POSTERN_ENGINE_";
	size_t count = 0;
	size_t kept = 0;
	char **copy;

	while (environ[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof *copy);
	for (size_t i = 0; copy != NULL && i < count; i++) {
		if (strncmp(environ[i], prefix, sizeof prefix - 1) != 0 ||
		    strncmp(environ[i], "POSTERN_ENGINE_RUNNER=", 22) == 0)
			copy[kept++] = environ[i];
	}
	return copy;
}

static enum err
spawn(struct ctl_local *local, const char *path, int in_fd, int out_fd,
    struct err_detail *detail)
{
	char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "local",
	    (char *)(uintptr_t) "--config=/dev/null",
	    (char *)(uintptr_t) "--log-level=error", NULL};
	posix_spawn_file_actions_t actions;
	char **environment = own_environment();
	int error = ENOMEM;

	if (environment == NULL ||
	    posix_spawn_file_actions_init(&actions) != 0) {
		free(environment);
		return err_set(detail, ERR_NOMEM, "out of memory");
	}
	if (posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO) ==
		0 &&
	    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) ==
		0)
		error = posix_spawn(
		    &local->pid, path, &actions, NULL, argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	free(environment);
	errno = error;
	return error == 0 ? OK : err_set_errno(detail, ERR_IO, "%s", path);
}

/* Descriptors 0 to 2 are taken: the ends are neither. */
static enum err
start(struct ctl_local *local, const char *path, struct err_detail *detail)
{
	int to[2];
	int from[2];
	enum err err;

	/* A socket, as writing to one whose other end is gone need not raise a
	 * signal that standard output still wants. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to) != 0)
		return err_set_errno(detail, ERR_IO, "socketpair");
	if (pipe2(from, O_CLOEXEC) != 0) {
		(void)close(to[0]);
		(void)close(to[1]);
		return err_set_errno(detail, ERR_IO, "pipe");
	}
	err = spawn(local, path, to[0], from[1], detail);
	(void)close(to[0]);
	(void)close(from[1]);
	local->to_fd = to[1];
	local->from_fd = from[0];
	if (err == OK && fcntl(from[0], F_SETFL, O_NONBLOCK) != 0)
		err = err_set_errno(detail, ERR_IO, "fcntl");
	return err;
}

enum err
ctl_local_start(struct ctl_local **local_r, struct err_detail *detail)
{
	struct ctl_local *local;
	char path[PATH_MAX];
	enum err err = find_engine(path, detail);

	if (err != OK)
		return err;
	local = calloc(1, sizeof *local);
	if (local == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	local->to_fd = -1;
	local->from_fd = -1;
	buf_init(&local->to, QUEUE_MAX_BYTES);
	buf_init(&local->from, LINE_MAX_BYTES);
	err = start(local, path, detail);
	if (err != OK) {
		ctl_local_stop(local);
		return err;
	}
	*local_r = local;
	return OK;
}

enum err
ctl_local_send(struct ctl_local *local, const json_t *job)
{
	char *text = json_dumps(job, JSON_COMPACT);

	if (text == NULL)
		return ERR_NOMEM;
	buf_append_str(&local->to, text);
	buf_append_char(&local->to, '\n');
	free(text);
	return buf_status(&local->to);
}

/* ---- outcomes ------------------------------------------------------------
 */

static bool
take_line(struct ctl_local *local, struct span *line_r)
{
	uint8_t *end = NULL;

	if (local->from.len > local->scanned)
		end = memchr(local->from.data + local->scanned, '\n',
		    local->from.len - local->scanned);
	local->scanned = local->from.len;
	if (end == NULL)
		return false;
	*line_r = span_of(local->from.data, (size_t)(end - local->from.data));
	return true;
}

static enum err
read_some(struct ctl_local *local, struct err_detail *detail)
{
	uint8_t *room = buf_reserve(&local->from, READ_BYTES);
	ssize_t got;

	if (room == NULL)
		return err_set(
		    detail, ERR_LIMIT, "the engine's outcome is too large");
	got = read(local->from_fd, room, READ_BYTES);
	if (got > 0)
		buf_commit(&local->from, (size_t)got);
	else if (got == 0)
		return err_set(detail, ERR_LOST, "the engine ended");
	else if (errno != EAGAIN && errno != EINTR)
		return err_set_errno(detail, ERR_IO, "the engine's outcomes");
	return OK;
}

static enum err
write_some(struct ctl_local *local, struct err_detail *detail)
{
	ssize_t written = send(local->to_fd, local->to.data + local->sent,
	    local->to.len - local->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (written > 0)
		local->sent += (size_t)written;
	else if (errno != EAGAIN && errno != EINTR)
		return err_set(detail, ERR_LOST, "the engine ended");
	if (local->sent < local->to.len)
		return OK;
	buf_reset(&local->to);
	local->sent = 0;
	return OK;
}

/* Both ways at once: an engine that cannot write does not read. */
static enum err
exchange(struct ctl_local *local, struct err_detail *detail)
{
	struct pollfd fds[2] = {{.fd = local->from_fd, .events = POLLIN},
	    {.fd = local->to.len > 0 ? local->to_fd : -1, .events = POLLOUT}};
	enum err err = OK;

	if (ctl_interrupt_came())
		return err_set(detail, ERR_STATE, "interrupted");
	if (poll(fds, 2, LOOK_MS) < 0)
		return errno == EINTR ? OK
				      : err_set_errno(detail, ERR_IO, "poll");
	if (fds[0].revents != 0)
		err = read_some(local, detail);
	if (err == OK && fds[1].revents != 0)
		err = write_some(local, detail);
	return err;
}

enum err
ctl_local_next(
    struct ctl_local *local, json_t **outcome_r, struct err_detail *detail)
{
	struct span line;
	enum err err = OK;

	while (!take_line(local, &line)) {
		err = exchange(local, detail);
		if (err != OK)
			return err;
	}
	*outcome_r = json_loadb((const char *)line.data, line.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	buf_consume(&local->from, line.len + 1);
	local->scanned = 0;
	return *outcome_r == NULL ? err_set(detail, ERR_SYNTAX,
					"the engine's outcome is not JSON")
				  : OK;
}

void
ctl_local_stop(struct ctl_local *local)
{
	int status;

	if (local == NULL)
		return;
	if (local->to_fd >= 0)
		(void)close(local->to_fd);
	if (local->from_fd >= 0)
		(void)close(local->from_fd);
	while (local->pid > 0 && waitpid(local->pid, &status, 0) < 0 &&
	       errno == EINTR)
		continue;
	buf_wipe(&local->to);
	buf_wipe(&local->from);
	free(local);
}
