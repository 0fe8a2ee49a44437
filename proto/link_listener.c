/*
 * Listeners on one path, one after the other; see link_listener.h. Knows
 * nothing of requests. Runs on the thread that opens or checks the server.
 */
#include "proto/link_listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "proto/link_options.h"
#include "proto/link_probe.h"

#define URL_SCHEME     "ipc://"
#define BINDING_SUFFIX ".new"

/* The service manager's group may connect; everybody else is kept out by the
 * directory too. */
#define SOCKET_MODE 0660

/* How long a living gateway may take to shake hands with us. */
#define CLAIM_TIMEOUT_MS 1000

enum err
link_listener_init(
    struct link_listener *listener, const char *url, struct err_detail *detail)
{
	const struct sockaddr_un *address = NULL;
	const size_t scheme = strlen(URL_SCHEME);
	size_t len = strlen(url);

	if (strncmp(url, URL_SCHEME, scheme) != 0 || url[scheme] != '/')
		return err_set(detail, ERR_INVALID,
		    "%s: is not of the form ipc:///path", url);
	if (len - scheme + strlen(BINDING_SUFFIX) >= sizeof address->sun_path)
		return err_set(detail, ERR_INVALID,
		    "%s: is too long for a socket's path", url);
	*listener = (struct link_listener){.path = strdup(url + scheme),
	    .binding_url = malloc(len + sizeof BINDING_SUFFIX)};
	if (listener->path == NULL || listener->binding_url == NULL) {
		free(listener->path);
		free(listener->binding_url);
		return ERR_NOMEM;
	}
	memcpy(listener->binding_url, url, len);
	memcpy(
	    listener->binding_url + len, BINDING_SUFFIX, sizeof BINDING_SUFFIX);
	listener->binding_path = listener->binding_url + scheme;
	return OK;
}

enum err
link_listener_claim(
    const struct link_listener *listener, struct err_detail *detail)
{
	struct stat status;
	enum err err;

	if (lstat(listener->path, &status) != 0)
		return OK; /* or a reason that listening will tell */
	if (!S_ISSOCK(status.st_mode))
		return err_set(detail, ERR_EXISTS,
		    "%s: is there and is no socket", listener->path);
	err = link_probe_greet(listener->path, CLAIM_TIMEOUT_MS, detail);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == ERR_IO)
		return err;
	return err_set(detail, ERR_EXISTS,
	    "%s: another process listens there; is a second gateway running?",
	    listener->path);
}

/* Creates and starts a listener at the binding path. */
static enum err
bind_listener(const struct link_listener *listener, nng_listener *new_r,
    struct err_detail *detail)
{
	nng_listener new = NNG_LISTENER_INITIALIZER;
	size_t max_bytes = 0;
	int rv;

	rv = nng_listener_create(&new, listener->socket, listener->binding_url);
	if (rv != 0)
		return err_set(detail, ERR_IO, "%s: %s", listener->binding_url,
		    nng_strerror(rv));
	rv = nng_listener_set_int(new, NNG_OPT_IPC_PERMISSIONS, SOCKET_MODE);
	if (rv == 0)
		rv = nng_listener_get_size(new, NNG_OPT_RECVMAXSZ, &max_bytes);
	CHECK(rv != 0 || max_bytes == LINK_RECEIVE_MAX_BYTES);
	if (rv == 0)
		rv = nng_listener_start(new, 0);
	if (rv != 0) {
		nng_listener_close(new);
		return err_set(detail, ERR_IO, "%s: %s", listener->binding_url,
		    nng_strerror(rv));
	}
	*new_r = new;
	return OK;
}

static void
retire(struct link_listener *listener, nng_listener old)
{
	if (listener->retired_count == LINK_RETIRED_MAX) {
		log_warn("link listener closed with its connections",
		    LOG_STR("path", listener->path),
		    LOG_UINT("connections",
			link_pipe_count(listener->pipes,
			    nng_listener_id(listener->retired[0]))));
		nng_listener_close(listener->retired[0]);
		listener->retired_count--;
		memmove(listener->retired, listener->retired + 1,
		    listener->retired_count * sizeof listener->retired[0]);
	}
	listener->retired[listener->retired_count++] = old;
}

enum err
link_listener_start(struct link_listener *listener, struct err_detail *detail)
{
	nng_listener new = NNG_LISTENER_INITIALIZER;
	enum err err;

	err = bind_listener(listener, &new, detail);
	if (err != OK)
		return err;
	if (rename(listener->binding_path, listener->path) != 0) {
		err = err_set_errno(
		    detail, ERR_IO, "rename to %s", listener->path);
		nng_listener_close(new);
		return err;
	}
	if (nng_listener_id(listener->current) > 0)
		retire(listener, listener->current);
	listener->current = new;
	return OK;
}

void
link_listener_sweep(struct link_listener *listener)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < listener->retired_count; i++) {
		nng_listener old = listener->retired[i];

		if (link_pipe_count(listener->pipes, nng_listener_id(old)) > 0)
			listener->retired[kept++] = old;
		else
			nng_listener_close(old);
	}
	listener->retired_count = kept;
}

void
link_listener_hide(struct link_listener *listener)
{
	(void)unlink(listener->path);
}
