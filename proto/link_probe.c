/*
 * One connection of nng's ipc transport by hand; see link_probe.h. Not a
 * client for real work. Runs on the thread that calls it.
 */
#include "proto/link_probe.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"

/* SP over ipc: 8 bytes of greeting each way, then per message a byte 1, the
 * length in 8 bytes and the body; REQ's body starts with its id, whose top bit
 * says that the route ends here. */
#define GREETING_BYTES 8
#define HEAD_BYTES     9
#define ID_BYTES       4
#define PROTOCOL_REQ   48
#define PROTOCOL_REP   49

static const uint8_t request_id[ID_BYTES] = {0x80, 0x50, 0x4f, 0x53};

struct probe {
	int fd;
	int64_t deadline_ms;
};

static enum err
wait_for(const struct probe *probe, short events)
{
	struct pollfd poll_fd = {probe->fd, events, 0};
	int64_t left_ms;
	int ready;

	do {
		left_ms = probe->deadline_ms - clock_mono_ms();
		if (left_ms <= 0)
			return ERR_TIMEOUT;
		ready = poll(&poll_fd, 1, (int)left_ms);
	} while (ready < 0 && errno == EINTR);
	return ready > 0 ? OK : ready == 0 ? ERR_TIMEOUT : ERR_IO;
}

static enum err
send_all(const struct probe *probe, const void *data, size_t len)
{
	const uint8_t *at = data;
	ssize_t sent;
	enum err err;

	while (len > 0) {
		sent = send(probe->fd, at, len, MSG_NOSIGNAL);
		if (sent > 0) {
			at += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ERR_LOST;
		err = wait_for(probe, POLLOUT);
		if (err != OK)
			return err;
	}
	return OK;
}

static enum err
receive_all(const struct probe *probe, uint8_t *at_r, size_t len)
{
	ssize_t got;
	enum err err;

	while (len > 0) {
		got = recv(probe->fd, at_r, len, 0);
		if (got > 0) {
			at_r += got;
			len -= (size_t)got;
			continue;
		}
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return ERR_LOST;
		err = wait_for(probe, POLLIN);
		if (err != OK)
			return err;
	}
	return OK;
}

static enum err
shake_hands(const struct probe *probe)
{
	const uint8_t ours[GREETING_BYTES] = {
	    0, 'S', 'P', 0, 0, PROTOCOL_REQ, 0, 0};
	const uint8_t due[GREETING_BYTES] = {
	    0, 'S', 'P', 0, 0, PROTOCOL_REP, 0, 0};
	uint8_t theirs[GREETING_BYTES];
	enum err err;

	err = send_all(probe, ours, sizeof ours);
	if (err == OK)
		err = receive_all(probe, theirs, sizeof theirs);
	if (err != OK)
		return err;
	return memcmp(theirs, due, sizeof due) == 0 ? OK : ERR_LOST;
}

/* Connects and shakes hands; leaves the descriptor in `probe_r` if OK. */
static enum err
open_probe(const char *path, int timeout_ms, struct probe *probe_r,
    struct err_detail *detail)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct probe probe;
	enum err err;
	int failure;

	if (strlen(path) >= sizeof address.sun_path)
		return err_set(detail, ERR_IO, "%s: is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	probe.deadline_ms = clock_mono_ms() + timeout_ms;
	probe.fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe.fd < 0)
		return err_set_errno(detail, ERR_IO, "socket");
	if (connect(probe.fd, (struct sockaddr *)&address, sizeof address) !=
	    0) {
		failure = errno;
		close(probe.fd);
		errno = failure;
		if (failure == ENOENT || failure == ECONNREFUSED)
			return err_set(
			    detail, ERR_NOT_FOUND, "%s: nobody listens", path);
		if (failure == EAGAIN) /* its backlog is full */
			return err_set(detail, ERR_TIMEOUT,
			    "%s: takes no more connections", path);
		return err_set_errno(detail, ERR_IO, "%s", path);
	}
	err = shake_hands(&probe);
	if (err != OK) {
		close(probe.fd);
		return err_set(
		    detail, ERR_TIMEOUT, "%s: does not shake hands", path);
	}
	*probe_r = probe;
	return OK;
}

enum err
link_probe_greet(const char *path, int timeout_ms, struct err_detail *detail)
{
	struct probe probe = {.fd = -1};
	enum err err = open_probe(path, timeout_ms, &probe, detail);

	if (err == OK)
		close(probe.fd);
	return err;
}

static enum err
ask(const struct probe *probe, struct span question)
{
	uint64_t len = question.len + ID_BYTES;
	uint8_t head[HEAD_BYTES + ID_BYTES] = {1};
	uint8_t answer[HEAD_BYTES + ID_BYTES];
	enum err err;

	for (unsigned i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)(len >> (56 - 8 * i));
	memcpy(head + HEAD_BYTES, request_id, ID_BYTES);
	err = send_all(probe, head, sizeof head);
	if (err == OK)
		err = send_all(probe, question.data, question.len);
	if (err == OK)
		err = receive_all(probe, answer, sizeof answer);
	if (err != OK)
		return err;
	return memcmp(answer + HEAD_BYTES, request_id, ID_BYTES) == 0
		   ? OK
		   : ERR_LOST;
}

enum err
link_probe_ask(const char *path, struct span question, int timeout_ms,
    struct err_detail *detail)
{
	struct probe probe = {.fd = -1};
	enum err err = open_probe(path, timeout_ms, &probe, detail);

	if (err != OK)
		return err;
	err = ask(&probe, question);
	close(probe.fd);
	if (err != OK)
		return err_set(
		    detail, ERR_TIMEOUT, "%s: does not answer", path);
	return OK;
}
