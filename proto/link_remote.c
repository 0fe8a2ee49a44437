/*
 * The gateway's tls+tcp listeners; see link_remote.h. Knows nothing of
 * requests. Runs on the thread that opens or reloads the server.
 */
#include "proto/link_remote.h"

#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
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

/* Uses up the accept that still has the old configuration. Best effort: else
 * the next engine does. */
static void
knock(const struct link_remote *remote)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(struct sockaddr_in);
	nng_sockaddr local;
	int fd;

	if (nng_listener_get_addr(remote->listener, NNG_OPT_LOCADDR, &local) !=
	    0)
		return;
	if (local.s_family == NNG_AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&address;

		in->sin_family = AF_INET;
		in->sin_port = local.s_in.sa_port;
		in->sin_addr.s_addr = local.s_in.sa_addr;
	} else if (local.s_family == NNG_AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = local.s_in6.sa_port;
		memcpy(&in6->sin6_addr, local.s_in6.sa_addr,
		    sizeof in6->sin6_addr);
		len = sizeof *in6;
	}
	fd = socket(
	    address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)connect(fd, (struct sockaddr *)&address, len);
	close(fd);
}

enum err
link_remote_reload(struct link_remote *remote, struct err_detail *detail)
{
	enum err err = give_config(remote, detail);

	if (err == OK)
		knock(remote);
	return err;
}
