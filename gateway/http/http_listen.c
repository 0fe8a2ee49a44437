/*
 * Addresses to listen on and hosts to answer for, as text. Not sockets.
 * Runs at start and on civetweb's workers; pure.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "gateway/http/http.h"

#define PORT_DIGITS_MAX 5U
#define PORT_MAX        65535U

/* "[v6]" without its brackets, anything else as it is. */
static struct span
without_brackets(struct span host)
{
	if (host.len >= 2 && host.data[0] == '[' &&
	    host.data[host.len - 1] == ']')
		return span_of(host.data + 1, host.len - 2);
	return host;
}

/* Splits at the last colon that is not inside brackets; without one the port
 * is absent. */
static void
split_port(struct span text, struct span *host_r, struct span *port_r)
{
	size_t at = text.len;

	while (at > 0 && text.data[at - 1] != ':' && text.data[at - 1] != ']')
		at--;
	*host_r = text;
	*port_r = (struct span){NULL, 0};
	if (at == 0 || text.data[at - 1] == ']')
		return;
	*host_r = span_of(text.data, at - 1);
	*port_r = span_of(text.data + at, text.len - at);
}

static bool
parse_port(struct span text, unsigned *port_r)
{
	unsigned port = 0;

	if (text.len == 0 || text.len > PORT_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text.data[i] - '0');
	}
	*port_r = port;
	return port <= PORT_MAX;
}

/* Fills address and is_loopback. An IPv6 address comes in brackets. */
static bool
parse_address(struct span host, struct http_listen *listen_r)
{
	struct span bare = without_brackets(host);
	struct in6_addr v6;
	struct in_addr v4;

	if (bare.len >= sizeof listen_r->address)
		return false;
	memcpy(listen_r->address, bare.data, bare.len);
	listen_r->address[bare.len] = '\0';
	if (bare.len != host.len) {
		if (inet_pton(AF_INET6, listen_r->address, &v6) != 1)
			return false;
		listen_r->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
		return true;
	}
	if (inet_pton(AF_INET, listen_r->address, &v4) != 1)
		return false;
	listen_r->is_loopback = ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return true;
}

enum err
http_listen_parse(
    const char *text, struct http_listen *listen_r, struct err_detail *detail)
{
	struct http_listen listen = {.port = 0};
	struct span host, port;

	split_port(span_str(text), &host, &port);
	if (!span_present(port) || !parse_port(port, &listen.port) ||
	    !parse_address(host, &listen))
		return err_set(detail, ERR_INVALID,
		    "\"%s\" is not ADDRESS:PORT or [ADDRESS]:PORT with a "
		    "numeric address",
		    text);
	*listen_r = listen;
	return OK;
}

bool
http_host_is_loopback(struct span host)
{
	struct http_listen parsed = {.port = 0};
	struct span name, port;

	split_port(host, &name, &port);
	if (name.len == strlen("localhost") &&
	    strncasecmp((const char *)name.data, "localhost", name.len) == 0)
		return true;
	return name.len > 0 && parse_address(name, &parsed) &&
	       parsed.is_loopback;
}

bool
http_host_is_listen(struct span host, const char *listen)
{
	struct span name, address, port;

	if (listen == NULL)
		return false;
	split_port(host, &name, &port);
	split_port(span_str(listen), &address, &port);
	return span_equal(without_brackets(name), without_brackets(address));
}
