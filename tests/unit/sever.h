/*
 * Cutting connections under nng's feet, as a peer's death does: closing its
 * pipes through nng from the gateway's end is not safe (link_server.h).
 * Not a test.
 */
#ifndef POSTERN_TESTS_SEVER_H
#define POSTERN_TESTS_SEVER_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* More descriptors than a unit test has. */
#define SEVER_DESCRIPTORS_MAX 1024

/* True: `fd` is an accepted connection (it has a peer) of a listener that was
 * bound at `path`, whatever suffix it was bound with. */
static inline bool
is_accepted_at(int fd, const char *path)
{
	struct sockaddr_un own = {0}, peer;
	socklen_t own_len = sizeof own, peer_len = sizeof peer;

	return getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
	       own.sun_family == AF_UNIX &&
	       strncmp(own.sun_path, path, strlen(path)) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0;
}

/* Ends every connection that this process accepted at `path`. */
static inline void
sever_connections(const char *path)
{
	for (int fd = 0; fd < SEVER_DESCRIPTORS_MAX; fd++)
		if (is_accepted_at(fd, path))
			(void)shutdown(fd, SHUT_RDWR);
}

#endif
