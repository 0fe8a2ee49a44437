/*
 * The client's end of a connection to ourselves; see http_caller.h. Knows no
 * HTTP. Runs on the thread that uses it, which it blocks.
 */
#include "gateway/http/http_caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/http/http.h"

union caller_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Where a listener on `listen` is reached; with `is_any` the address is left
 * open, for our own end. */
static socklen_t
address_of(const char *listen, unsigned port, bool is_any,
    union caller_address *address_r)
{
	struct http_listen parsed;
	struct err_detail detail;

	memset(address_r, 0, sizeof *address_r);
	if (http_listen_parse(listen, &parsed, &detail) != OK)
		return 0; /* it listens there, so it did parse */
	if (inet_pton(AF_INET, parsed.address, &address_r->v4.sin_addr) == 1) {
		address_r->v4.sin_family = AF_INET;
		address_r->v4.sin_port = htons((uint16_t)port);
		if (is_any)
			address_r->v4.sin_addr.s_addr = htonl(INADDR_ANY);
		return sizeof address_r->v4;
	}
	if (inet_pton(AF_INET6, parsed.address, &address_r->v6.sin6_addr) != 1)
		return 0;
	address_r->v6.sin6_family = AF_INET6;
	address_r->v6.sin6_port = htons((uint16_t)port);
	if (is_any)
		address_r->v6.sin6_addr = in6addr_any;
	return sizeof address_r->v6;
}

enum err
http_caller_open(const char *listen, int64_t until_us,
    struct http_caller *caller_r, struct err_detail *detail)
{
	union caller_address address;
	socklen_t len = address_of(listen, 0, true, &address);
	in_port_t port;
	int fd;

	fd = socket(address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "socket");
	if (bind(fd, &address.any, len) != 0 ||
	    getsockname(fd, &address.any, &len) != 0) {
		(void)err_set_errno(detail, ERR_IO, "bind");
		close(fd);
		return ERR_IO;
	}
	port = address.any.sa_family == AF_INET ? address.v4.sin_port
						: address.v6.sin6_port;
	*caller_r = (struct http_caller){
	    .fd = fd, .own_port = ntohs(port), .until_us = until_us};
	return OK;
}

static enum err
wait_for(const struct http_caller *caller, short events)
{
	struct pollfd waiting = {.fd = caller->fd, .events = events};
	int64_t left_ms;
	int ready;

	do {
		left_ms = (caller->until_us - clock_mono_us()) / 1000;
		if (left_ms <= 0)
			return ERR_TIMEOUT;
		ready = poll(&waiting, 1, (int)left_ms);
	} while (ready < 0 && errno == EINTR);
	return ready > 0 ? OK : ready == 0 ? ERR_TIMEOUT : ERR_IO;
}

enum err
http_caller_connect(const struct http_caller *caller, const char *listen,
    unsigned port, struct err_detail *detail)
{
	union caller_address address;
	socklen_t len = address_of(listen, port, false, &address);
	socklen_t error_len = sizeof(int);
	int error = 0;
	enum err err;

	if (connect(caller->fd, &address.any, len) == 0)
		return OK;
	if (errno != EINPROGRESS)
		return err_set_errno(detail, ERR_IO, "connect to %s", listen);
	err = wait_for(caller, POLLOUT);
	if (err != OK)
		return err_set(detail, err, "connect to %s", listen);
	if (getsockopt(caller->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) !=
	    0)
		error = errno;
	if (error == 0)
		return OK;
	errno = error;
	return err_set_errno(detail, ERR_IO, "connect to %s", listen);
}

enum err
http_caller_send(const struct http_caller *caller, const char *text, size_t len)
{
	ssize_t sent;
	enum err err;

	while (len > 0) {
		sent = send(caller->fd, text, len, MSG_NOSIGNAL);
		if (sent > 0) {
			text += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ERR_LOST;
		err = wait_for(caller, POLLOUT);
		if (err != OK)
			return err;
	}
	return OK;
}

enum err
http_caller_receive(
    const struct http_caller *caller, char *text_r, size_t bytes, size_t *len_r)
{
	size_t len = 0;
	ssize_t got;
	enum err err;

	while (len < bytes) {
		got = recv(caller->fd, text_r + len, bytes - len, 0);
		if (got == 0)
			break;
		if (got > 0) {
			len += (size_t)got;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ERR_LOST;
		err = wait_for(caller, POLLIN);
		if (err != OK)
			return err;
	}
	*len_r = len;
	return OK;
}

void
http_caller_close(struct http_caller *caller)
{
	close(caller->fd);
	caller->fd = -1;
}
