/*
 * An engine for test_runner*.c: starts the real postern-runner, speaks frames
 * with it over socketpairs, learns a child's pid from the kernel, and reaps
 * it. Included by those tests only.
 */
#ifndef POSTERN_RUNNER_FIXTURE_H
#define POSTERN_RUNNER_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/script_code.h"
#include "engine/runner/runner.h"
#include "proto/frame.h"

/* Beyond any machine's slowness; only a hang gets there. */
#define PATIENCE_MS 20000
#define NO_UID      (-1L)
#define OWN_UID     64123L

/* Not every test uses every function. */
#define FIXTURE static __attribute__((unused))

extern char **environ;

struct peer {
	int fd;
	pid_t pid; /* last sender, by SCM_CREDENTIALS */
	size_t taken;
	struct buf in;
};

struct engine {
	pid_t template_pid;
	struct peer template;
	struct peer child;
};

static struct msg_run default_run;

static void
runner_path(const char *relative, char path_r[PATH_MAX])
{
	char self[PATH_MAX] = {0};
	char *slash;

	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	slash = strrchr(self, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_true(
	    snprintf(path_r, PATH_MAX, "%s/%s", self, relative) < PATH_MAX);
}

static void
peer_open(struct peer *peer, int *other_r)
{
	int ends[2];
	int on = 1;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(
	    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
	memset(peer, 0, sizeof *peer);
	peer->fd = ends[0];
	buf_init(&peer->in, 4 * MESSAGE_MAX_BYTES);
	*other_r = ends[1];
}

static void
peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		(void)close(peer->fd);
	peer->fd = -1;
	buf_fini(&peer->in);
}

static void
peer_send(struct peer *peer, const struct message *message, int passed_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct buf out;
	struct iovec iov;
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	struct err_detail detail = {{0}};
	size_t sent = 0;

	buf_init(&out, MESSAGE_MAX_BYTES + FRAME_HEADER_BYTES);
	if (frame_append(&out, message, &detail) != OK)
		fail_msg("%s", detail.text);
	if (passed_fd >= 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof control.bytes;
		CMSG_FIRSTHDR(&header)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&header)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&header)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), &passed_fd,
		    sizeof passed_fd);
	}
	while (sent < out.len) {
		ssize_t n;

		iov.iov_base = out.data + sent;
		iov.iov_len = out.len - sent;
		n = sendmsg(peer->fd, &header, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
		header.msg_control = NULL;
		header.msg_controllen = 0;
	}
	buf_fini(&out);
}

/* False: the other end is closed. */
static bool
peer_fill(struct peer *peer)
{
	char control[256];
	uint8_t *at = buf_reserve(&peer->in, 65536);
	struct iovec iov = {.iov_base = at, .iov_len = 65536};
	struct msghdr header = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof control};
	struct pollfd ready = {.fd = peer->fd, .events = POLLIN};
	ssize_t n;

	assert_non_null(at);
	if (poll(&ready, 1, PATIENCE_MS) != 1)
		fail_msg("the runner says nothing");
	n = recvmsg(peer->fd, &header, 0);
	if (n <= 0)
		return false;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(&header, cmsg))
		if (cmsg->cmsg_type == SCM_CREDENTIALS) {
			struct ucred creds;

			memcpy(&creds, CMSG_DATA(cmsg), sizeof creds);
			peer->pid = creds.pid;
		}
	buf_commit(&peer->in, (size_t)n);
	return true;
}

static bool
peer_receive(struct peer *peer, unsigned senders, struct message *message_r)
{
	struct span cursor, body;
	enum err err;

	buf_consume(&peer->in, peer->taken);
	peer->taken = 0;
	for (;;) {
		cursor = buf_span(&peer->in);
		err = frame_next(&cursor, &body);
		if (err == OK)
			break;
		assert_int_equal(err, ERR_NOT_FOUND);
		if (!peer_fill(peer))
			return false;
	}
	peer->taken = peer->in.len - cursor.len;
	assert_int_equal(message_decode(body, senders, message_r, NULL), OK);
	return true;
}

static void
expect(struct peer *peer, unsigned senders, enum message_type type,
    struct message *message_r)
{
	assert_true(peer_receive(peer, senders, message_r));
	assert_string_equal(message_name(message_r->type), message_name(type));
}

static pid_t
spawn_runner(const char *relative, int fd, long uid)
{
	char path[PATH_MAX], uid_text[32];
	char template_flag[] = "--template", uid_flag[] = "--uid";
	char *argv[] = {path, template_flag, NULL, NULL, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	runner_path(relative, path);
	if (uid != NO_UID) {
		(void)snprintf(uid_text, sizeof uid_text, "%ld", uid);
		argv[2] = uid_flag;
		argv[3] = uid_text;
	}
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(
	    posix_spawn_file_actions_adddup2(&actions, fd, RUNNER_FD), 0);
	assert_int_equal(
	    posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(fd);
	return pid;
}

static void
load_as(struct engine *engine, const char *runner, const char *source,
    bool cold, long uid)
{
	struct message message = {.type = MSG_TEMPLATE_LOAD};
	int other;

	memset(engine, 0, sizeof *engine);
	engine->child.fd = -1;
	peer_open(&engine->template, &other);
	/* Not 3: dup2 to the same number would leave close-on-exec on. */
	if (other == RUNNER_FD) {
		other = fcntl(other, F_DUPFD_CLOEXEC, RUNNER_FD + 1);
		(void)close(RUNNER_FD);
	}
	engine->template_pid = spawn_runner(runner, other, uid);
	message.template_load.kind = SCRIPT_COMPLETE;
	message.template_load.file = span_str("Idp/complete.js");
	message.template_load.source = span_str(source);
	message.template_load.properties = span_str("{\"url\":\"http://x/\"}");
	message.template_load.heap_bytes = 32u << 20;
	message.template_load.cold = cold;
	peer_send(&engine->template, &message, -1);
}

static const char real_runner[] = "../bin/postern-runner";
FIXTURE const char hostile_runner[] = "postern-runner-hostile";

static bool
is_cold(struct engine *engine)
{
	struct message message;

	expect(
	    &engine->template, SENDER_TEMPLATE, MSG_TEMPLATE_READY, &message);
	return message.template_ready.cold;
}

static void
start(struct engine *engine, const char *source)
{
	load_as(engine, real_runner, source, false, NO_UID);
	assert_false(is_cold(engine));
}

static void
fork_child(struct engine *engine)
{
	const struct message fork_message = {.type = MSG_TEMPLATE_FORK};
	struct message message;
	int other;

	peer_open(&engine->child, &other);
	peer_send(&engine->template, &fork_message, other);
	(void)close(other);
	expect(&engine->child, SENDER_CHILD, MSG_CHILD_READY, &message);
	assert_true(engine->child.pid > 0);
	assert_int_not_equal(engine->child.pid, engine->template_pid);
}

static void
run(struct engine *engine, const char *data)
{
	struct message message = {.type = MSG_RUN};

	message.run = default_run;
	message.run.data = span_str(data);
	peer_send(&engine->child, &message, -1);
}

/* Waits with a deadline, so that a child that does not end fails the test. */
static int
reap(struct engine *engine, struct rusage *usage_r)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	struct pollfd closed = {.fd = engine->child.fd, .events = POLLIN};
	int status;

	while (poll(&closed, 1, (int)(end - clock_mono_ms())) == 1 &&
	       peer_fill(&engine->child)) {
	}
	assert_int_equal(
	    wait4(engine->child.pid, &status, 0, usage_r), engine->child.pid);
	peer_close(&engine->child);
	return status;
}

static void
stop(struct engine *engine)
{
	int status;

	peer_close(&engine->template);
	assert_int_equal(
	    waitpid(engine->template_pid, &status, 0), engine->template_pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), RUNNER_EXIT_DONE);
}

/* Fork, run, outcome, exit 0; the message's spans live in engine->child. */
FIXTURE struct msg_outcome
execute(struct engine *engine, const char *data)
{
	struct message message;

	fork_child(engine);
	run(engine, data);
	expect(&engine->child, SENDER_CHILD, MSG_OUTCOME, &message);
	return message.outcome;
}

FIXTURE void
assert_span(struct span actual, const char *expected)
{
	char text[9000];

	assert_true(span_present(actual));
	(void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(actual));
	assert_string_equal(text, expected);
}

FIXTURE void
finish(struct engine *engine)
{
	int status = reap(engine, NULL);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), RUNNER_EXIT_DONE);
}

#endif
