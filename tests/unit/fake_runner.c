/*
 * A runner without scripts and without a sandbox, for testing the engine's
 * front: it speaks the runner's protocol and misbehaves on demand. The
 * template looks for a word in the source, the child in the data. Not built
 * into anything that is installed.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "proto/frame.h"
#include "proto/message.h"

#define CONTROL_FD 3

static struct buf received = {.max_bytes = 4 * MESSAGE_MAX_BYTES};

static void
say(int fd, const struct message *message)
{
	struct buf out;

	buf_init(&out, MESSAGE_MAX_BYTES + FRAME_HEADER_BYTES);
	if (frame_append(&out, message, NULL) != OK ||
	    write(fd, out.data, out.len) != (ssize_t)out.len)
		_exit(90);
	buf_fini(&out);
}

/* The next message; its bytes live until the next call. */
static struct message
hear(int fd, int *passed_fd)
{
	static struct buf body = {.max_bytes = MESSAGE_MAX_BYTES};
	struct message message;
	struct span cursor;
	struct span frame;

	for (;;) {
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec part = {buf_reserve(&received, 65536), 65536};
		struct msghdr header = {.msg_iov = &part,
		    .msg_iovlen = 1,
		    .msg_control = control.bytes,
		    .msg_controllen = sizeof control.bytes};
		ssize_t got;

		cursor = buf_span(&received);
		if (frame_next(&cursor, &frame) == OK)
			break;
		/* One byte a read of the template: each fork's descriptor
		 * stays with its own message. */
		if (passed_fd != NULL && received.len > 0)
			part.iov_len = 1;
		got = recvmsg(fd, &header, 0);
		if (got <= 0)
			_exit(0);
		if (passed_fd != NULL && CMSG_FIRSTHDR(&header) != NULL)
			memcpy(passed_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)),
			    sizeof *passed_fd);
		buf_commit(&received, (size_t)got);
	}
	buf_reset(&body);
	buf_append_span(&body, frame);
	buf_consume(&received, received.len - cursor.len);
	if (message_decode(buf_span(&body), SENDER_FRONT, &message, NULL) != OK)
		_exit(91);
	return message;
}

static bool
has(struct span text, const char *word)
{
	return span_present(text) &&
	       memmem(text.data, text.len, word, strlen(word)) != NULL;
}

static void
misbehave(struct span data)
{
	if (has(data, "loop"))
		for (;;)
			;
	if (has(data, "hang"))
		for (;;)
			pause();
	if (has(data, "sigsys"))
		kill(getpid(), SIGSYS);
	if (has(data, "segv"))
		kill(getpid(), SIGSEGV);
	if (has(data, "exit70"))
		_exit(70);
	if (has(data, "closes")) {
		close(CONTROL_FD);
		for (;;)
			pause();
	}
	if (has(data, "garbage")) {
		if (write(CONTROL_FD, "\0\0\0\2zz", 6) != 6)
			_exit(92);
		for (;;)
			pause();
	}
	if (has(data, "huge")) {
		if (write(CONTROL_FD, "\377\377\377\377", 4) != 4)
			_exit(92);
		for (;;)
			pause();
	}
}

/* What only others may say: as an engine about another job, or as a template.
 */
static void
forge(struct span data)
{
	struct message message = {.type = MSG_NONE};

	if (has(data, "forge result")) {
		message.type = MSG_RESULT;
		message.result.job = 1;
		message.result.attempt = 1;
	} else if (has(data, "forge source_get")) {
		message.type = MSG_SOURCE_GET;
		message.source_get.job = 1;
		message.source_get.source =
		    span_of("01234567890123456789012345678901", 32);
	} else if (has(data, "forge template_ready")) {
		message.type = MSG_TEMPLATE_READY;
	} else if (has(data, "forge child_ready")) {
		message.type = MSG_CHILD_READY;
	}
	if (message.type == MSG_NONE)
		return;
	say(CONTROL_FD, &message);
	for (;;)
		pause();
}

static struct message
call(enum message_type type)
{
	struct message message = {.type = type};

	if (type == MSG_CACHE_STORE) {
		message.cache_store.key = span_str("k");
		message.cache_store.value = span_str("v");
		message.cache_store.job = 666; /* the front must overwrite it */
	} else {
		message.cache_fetch.key = span_str("k");
	}
	say(CONTROL_FD, &message);
	return hear(CONTROL_FD, NULL);
}

static void
make_calls(struct span data, char *answer, size_t bytes)
{
	struct message message;

	if (has(data, "store")) {
		message = call(MSG_CACHE_STORE);
		(void)snprintf(answer, bytes, "%s", message_name(message.type));
	}
	if (has(data, "fetch")) {
		message = call(MSG_CACHE_FETCH);
		(void)snprintf(
		    answer, bytes, "%.*s", SPAN_ARG(message.cache_value.value));
	}
	while (has(data, "endless"))
		(void)call(MSG_CACHE_FETCH);
}

/* What a kept child says, or does not, between two executions. */
static void
rest(const char *data)
{
	struct message message = {.type = MSG_CHILD_IDLE};

	if (strstr(data, "leaves") != NULL)
		_exit(0);
	if (strstr(data, "mute") != NULL)
		for (;;)
			pause();
	if (strstr(data, "chatty") != NULL)
		message = (struct message){.type = MSG_CHILD_READY};
	say(CONTROL_FD, &message);
	if (strstr(data, "twice") != NULL)
		say(CONTROL_FD, &message);
	if (strstr(data, "bloats") != NULL) {
		static char much[16 << 20];

		memset(much, 1, sizeof much);
	}
}

/* One execution; returns if there may be another. */
static void
serve_one(void)
{
	struct message message = hear(CONTROL_FD, NULL);
	char answer[64] = "";
	char data[sizeof answer];
	bool keep;

	if (message.type != MSG_RUN)
		_exit(93);
	keep = message.run.keep;
	misbehave(message.run.data);
	forge(message.run.data);
	if (has(message.run.data, "log")) {
		struct message line = {.type = MSG_LOG_LINE};

		line.log_line.level = 2;
		line.log_line.text = span_str("hello");
		for (int i = 0; i < 2000; i++)
			say(CONTROL_FD, &line);
	}
	(void)snprintf(answer, sizeof answer, "%.*s",
	    message.run.data.len > 32 ? 32 : (int)message.run.data.len,
	    (const char *)message.run.data.data);
	(void)snprintf(data, sizeof data, "%s", answer);
	if (has(message.run.data, "pid"))
		(void)snprintf(answer, sizeof answer, "%d", (int)getpid());
	make_calls(message.run.data, answer, sizeof answer);
	message = (struct message){.type = MSG_OUTCOME};
	message.outcome.status = 2000;
	message.outcome.payload = span_str(answer);
	say(CONTROL_FD, &message);
	if (!keep)
		_exit(0);
	rest(data);
}

static _Noreturn void
child(void)
{
	struct message message = {.type = MSG_CHILD_READY};

	say(CONTROL_FD, &message);
	for (;;)
		serve_one();
}

/* As the real one: nothing outlives the engine, whatever it is doing. */
static void
end_with_the_engine(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		_exit(96);
}

/* How the template lies about whom it forked. */
static enum { HONEST, LIES_ITSELF, LIES_GRANDCHILD, LIES_TWINS } lie;

static _Noreturn void
serve_child(int fd)
{
	end_with_the_engine();
	dup2(fd, CONTROL_FD);
	close(fd);
	buf_reset(&received);
	child();
}

/* As the real one: the child is the engine's, not ours. */
static void
fork_to_engine(int fd)
{
	if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0)
		serve_child(fd);
}

static void
fork_child(int fd)
{
	const struct message ready = {.type = MSG_CHILD_READY};

	if (lie == LIES_ITSELF)
		say(fd, &ready);
	/* A process of ours, which the engine can neither reap nor kill. */
	else if (lie == LIES_GRANDCHILD && fork() == 0)
		serve_child(fd);
	else if (lie != LIES_GRANDCHILD)
		fork_to_engine(fd);
	if (lie == LIES_TWINS)
		fork_to_engine(fd); /* two on one socket */
	close(fd);
}

static void
load(struct span source, bool cold)
{
	struct message message = {.type = MSG_TEMPLATE_FAILED};

	while (has(source, "never ready") || (has(source, "slow") && !cold))
		pause();
	if (has(source, "dies"))
		_exit(3);
	if (has(source, "fails")) {
		message.template_failed.code = 3001;
		message.template_failed.message = span_str("does not compile");
		message.template_failed.line = 7;
		say(CONTROL_FD, &message);
		_exit(1);
	}
	lie = has(source, "lies itself")       ? LIES_ITSELF
	      : has(source, "lies grandchild") ? LIES_GRANDCHILD
	      : has(source, "lies twins")      ? LIES_TWINS
					       : HONEST;
	message = (struct message){.type = MSG_TEMPLATE_READY};
	message.template_ready.cold = cold;
	say(CONTROL_FD, &message);
}

int
main(int argc, char **argv)
{
	struct message message;

	if (argc > 1 && strcmp(argv[1], "--check-sandbox") == 0) {
		(void)printf("seccomp on  not at all: a fake\n");
		return 0;
	}
	end_with_the_engine();
	message = hear(CONTROL_FD, NULL);
	if (message.type != MSG_TEMPLATE_LOAD)
		return 94;
	load(message.template_load.source, message.template_load.cold);
	for (;;) {
		int fd = -1;

		message = hear(CONTROL_FD, &fd);
		if (message.type != MSG_TEMPLATE_FORK || fd < 0)
			return 95;
		fork_child(fd);
	}
}
