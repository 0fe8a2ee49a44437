/*
 * Finds a connection's descriptor by its two ends. civetweb 1.15 hides it, and
 * without it nobody can end a read that a client feeds one byte at a time
 * (see http_watch.h). The four ends of a TCP connection are unique, so what is
 * found is it. Runs on civetweb's workers, at most once a connection.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "gateway/http/http_socket.h"

/* Descriptors are handed out lowest first and ours are bounded by threads and
 * queues, far below this: bounds the search where the limit is enormous. */
#define SCAN_MAX 65536

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* -1: not an IP address. The address's text goes to `text_r`. */
static int
read_address(const union any_address *address, char *text_r, socklen_t bytes)
{
	if (address->any.sa_family == AF_INET &&
	    inet_ntop(AF_INET, &address->v4.sin_addr, text_r, bytes) != NULL)
		return ntohs(address->v4.sin_port);
	if (address->any.sa_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &address->v6.sin6_addr, text_r, bytes) != NULL)
		return ntohs(address->v6.sin6_port);
	return -1;
}

static bool
has_ends(int fd, const char *peer_address, int peer_port, int own_port)
{
	union any_address address = {.any = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof address;
	char text[INET6_ADDRSTRLEN];

	if (getpeername(fd, &address.any, &len) != 0 ||
	    read_address(&address, text, sizeof text) != peer_port ||
	    strcmp(text, peer_address) != 0)
		return false;
	len = sizeof address;
	return getsockname(fd, &address.any, &len) == 0 &&
	       read_address(&address, text, sizeof text) == own_port;
}

bool
http_socket_listens_at(int fd, const char *own_address, int own_port)
{
	union any_address address = {.any = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof address;
	char text[INET6_ADDRSTRLEN];
	socklen_t value_len = sizeof(int);
	int listens = 0;

	return getsockopt(
		   fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &value_len) == 0 &&
	       listens != 0 && getsockname(fd, &address.any, &len) == 0 &&
	       read_address(&address, text, sizeof text) == own_port &&
	       strcmp(text, own_address) == 0;
}

/* Behind the last descriptor that is looked at. */
static int
scan_end(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < SCAN_MAX)
		return (int)limit.rlim_cur;
	return SCAN_MAX;
}

int
http_socket_find_listener(const char *address, int port)
{
	int end = scan_end();

	for (int fd = 0; fd < end; fd++)
		if (http_socket_listens_at(fd, address, port))
			return fd;
	return -1;
}

int
http_socket_find(const char *peer_address, int peer_port, int own_port)
{
	int end = scan_end();

	for (int fd = 0; fd < end; fd++)
		if (has_ends(fd, peer_address, peer_port, own_port))
			return fd;
	return -1;
}

static bool
is_connected_to(int fd, int own_port)
{
	union any_address address = {.any = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof address;
	char text[INET6_ADDRSTRLEN];

	if (getpeername(fd, &address.any, &len) != 0)
		return false;
	len = sizeof address;
	return getsockname(fd, &address.any, &len) == 0 &&
	       read_address(&address, text, sizeof text) == own_port;
}

unsigned
http_socket_count(int own_port)
{
	int end = scan_end();
	unsigned count = 0;

	for (int fd = 0; fd < end; fd++)
		count += is_connected_to(fd, own_port);
	return count;
}
