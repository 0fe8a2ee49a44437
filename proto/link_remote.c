/*
 * The gateway's tls+tcp listeners; see link_remote.h. Knows nothing of
 * requests. Runs on the thread that opens or reloads the server.
 */
#include "proto/link_remote.h"

#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "proto/link_options.h"

#define HOST_BYTES 256

static enum err
fail(const struct link_remote *remote, int rv, struct err_detail *detail)
{
	return err_set(detail, ERR_IO, "%s: %s", remote->url, nng_strerror(rv));
}

static enum err
give_config(struct link_remote *remote, struct err_detail *detail)
{
	struct nng_tls_config *config;
	enum err err;
	int rv;

	err = link_tls_config(&remote->tls, NULL, &config, detail);
	if (err != OK)
		return err;
	rv = nng_listener_set_ptr(remote->listener, NNG_OPT_TLS_CONFIG, config);
	nng_tls_config_free(config); /* the listener holds it */
	return rv == 0 ? OK : fail(remote, rv, detail);
}

static enum err
start(struct link_remote *remote, struct err_detail *detail)
{
	size_t max_bytes = 0;
	enum err err;
	int rv;

	err = give_config(remote, detail);
	if (err != OK)
		return err;
	/* A host that vanished is found out some day; engines' heartbeats tell
	 * much sooner. */
	rv = nng_listener_set_bool(
	    remote->listener, NNG_OPT_TCP_KEEPALIVE, true);
	if (rv == 0)
		rv = nng_listener_get_size(
		    remote->listener, NNG_OPT_RECVMAXSZ, &max_bytes);
	CHECK(rv != 0 || max_bytes == LINK_RECEIVE_MAX_BYTES);
	if (rv == 0)
		rv = nng_listener_start(remote->listener, 0);
	return rv == 0 ? OK : fail(remote, rv, detail);
}

enum err
link_remote_start(struct link_remote *remote, nng_socket socket,
    const char *url, const struct link_tls *tls, struct err_detail *detail)
{
	char host[HOST_BYTES];
	enum err err;
	int rv;

	err = link_tls_host(url, host, sizeof host, detail);
	if (err != OK)
		return err;
	*remote = (struct link_remote){.url = strdup(url), .tls = *tls};
	if (remote->url == NULL)
		return ERR_NOMEM;
	rv = nng_listener_create(&remote->listener, socket, remote->url);
	if (rv != 0)
		return fail(remote, rv, detail);
	err = start(remote, detail);
	if (err != OK)
		nng_listener_close(remote->listener);
	return err;
}

/* The address it listens at; 0: unknown. */
static socklen_t
local_address(
    const struct link_remote *remote, struct sockaddr_storage *address_r)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address_r;
	struct sockaddr_in *in = (struct sockaddr_in *)address_r;
	nng_sockaddr local;

	*address_r = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (nng_listener_get_addr(remote->listener, NNG_OPT_LOCADDR, &local) !=
	    0)
		return 0;
	if (local.s_family == NNG_AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = local.s_in.sa_port;
		in->sin_addr.s_addr = local.s_in.sa_addr;
		return sizeof *in;
	}
	if (local.s_family != NNG_AF_INET6)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = local.s_in6.sa_port;
	memcpy(&in6->sin6_addr, local.s_in6.sa_addr, sizeof in6->sin6_addr);
	return sizeof *in6;
}

/* A connection to it that may still be under way; -1: none. */
static int
connect_to(const struct link_remote *remote)
{
	struct sockaddr_storage address;
	socklen_t len = local_address(remote, &address);
	int fd;

	if (len == 0)
		return -1;
	fd = socket(
	    address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, len) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* Uses up the accept that still has the old configuration. Best effort: else
 * the next engine does. */
static void
knock(const struct link_remote *remote)
{
	int fd = connect_to(remote);

	if (fd >= 0)
		close(fd);
}

static bool
wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = {fd, events, 0};
	int64_t left_ms = deadline_ms - clock_mono_ms();

	return left_ms > 0 && poll(&poll_fd, 1, (int)left_ms) == 1;
}

/* A ClientHello of TLS 1.2 (RFC 5246 section 7.4.1.2) with the one cipher
 * suite that nobody negotiates (TLS_NULL_WITH_NULL_NULL): the answer is an
 * alert. */
static const uint8_t greeting[] = {0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, 'p',
    'o', 's', 't', 'e', 'r', 'n', ' ', 'c', 'a', 'n', 'a', 'r', 'y', 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0};

_Static_assert(sizeof greeting == 5 + 45, "as its lengths say");

enum err
link_remote_check(
    const struct link_remote *remote, int timeout_ms, struct err_detail *detail)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	int fd = connect_to(remote);
	bool answered;
	uint8_t byte;

	if (fd < 0)
		return err_set_errno(
		    detail, ERR_IO, "%s: cannot connect to it", remote->url);
	answered = wait_for(fd, POLLOUT, deadline_ms) &&
		   send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) ==
		       (ssize_t)sizeof greeting &&
		   wait_for(fd, POLLIN, deadline_ms) &&
		   recv(fd, &byte, 1, 0) == 1;
	close(fd);
	return answered ? OK
			: err_set(detail, ERR_TIMEOUT, "%s: does not answer",
			      remote->url);
}

enum err
link_remote_reload(struct link_remote *remote, struct err_detail *detail)
{
	enum err err = give_config(remote, detail);

	if (err == OK)
		knock(remote);
	return err;
}
