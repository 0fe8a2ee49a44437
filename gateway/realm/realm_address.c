/*
 * The spelling of URLs and of HTTP allow-list entries. Judges text only;
 * nothing is resolved. Runs on any thread.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "gateway/realm/realm_address.h"

/* RFC 1035: 255 octets on the wire are 253 characters. */
#define HOST_BYTES  253
#define LABEL_BYTES 63

#define URL_BYTES 1024

struct host_port {
	struct span host;
	struct span port; /* absent: none */
	bool bracketed;
};

static bool
address_is_label(struct span label)
{
	if (label.len == 0 || label.len > LABEL_BYTES)
		return false;
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		uint8_t c = label.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool
address_is_number(struct span text, unsigned min, unsigned max)
{
	unsigned value = 0;

	if (text.len == 0 || text.len > 5)
		return false;
	if (text.len > 1 && text.data[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text.data[i] - '0');
	}
	return value >= min && value <= max;
}

static size_t
address_find(struct span text, uint8_t c)
{
	const uint8_t *at =
	    text.len == 0 ? NULL : memchr(text.data, c, text.len);

	return at == NULL ? text.len : (size_t)(at - text.data);
}

static struct span
address_from(struct span text, size_t start)
{
	return start >= text.len ? span_of(text.data + text.len, 0)
				 : span_of(text.data + start, text.len - start);
}

/* Labels between dots; the last may not be a number, so that a mistyped IPv4
 * address is no name. */
static bool
address_is_name(struct span name)
{
	struct span label;

	if (name.len == 0 || name.len > HOST_BYTES)
		return false;
	for (;;) {
		size_t dot = address_find(name, '.');

		label = span_of(name.data, dot);
		if (!address_is_label(label))
			return false;
		if (dot == name.len)
			break;
		name = address_from(name, dot + 1);
	}
	return !address_is_number(label, 0, 99999);
}

/* "host", "host:port", "[v6]", "[v6]:port", "v6". */
static bool
address_split_port(struct span text, struct host_port *parts_r)
{
	struct host_port parts = {.host = text};
	size_t end = address_find(text, ':');

	if (text.len > 0 && text.data[0] == '[') {
		end = address_find(text, ']');
		if (end == text.len)
			return false;
		parts.bracketed = true;
		parts.host = span_of(text.data + 1, end - 1);
		end++;
		if (end < text.len && text.data[end] != ':')
			return false;
	} else if (end < text.len) {
		struct span rest = address_from(text, end + 1);

		/* A second colon: an IPv6 address without a port. */
		if (address_find(rest, ':') < rest.len)
			end = text.len;
		parts.host = span_of(text.data, end);
	}
	if (end < text.len)
		parts.port = address_from(text, end + 1);
	*parts_r = parts;
	return !span_present(parts.port) ||
	       address_is_number(parts.port, 1, 65535);
}

/* Bits beyond the prefix must be 0: 10.1.2.3/24 is a mistake somewhere. */
static bool
address_is_block(const uint8_t *bytes, unsigned width, unsigned prefix)
{
	for (unsigned bit = prefix; bit < width; bit++) {
		if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	}
	return true;
}

static bool
address_is_cidr(struct span address, struct span prefix, bool bracketed)
{
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t bytes[16];
	unsigned width = 32;
	unsigned bits = 0;

	if (address.len == 0 || address.len > INET6_ADDRSTRLEN)
		return false;
	memcpy(text, address.data, address.len);
	text[address.len] = '\0';
	if (bracketed || inet_pton(AF_INET, text, bytes) != 1) {
		if (inet_pton(AF_INET6, text, bytes) != 1)
			return false;
		width = 128;
	}
	if (!span_present(prefix))
		return true;
	if (!address_is_number(prefix, 0, width))
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		bits = bits * 10 + (unsigned)(prefix.data[i] - '0');
	return address_is_block(bytes, width, bits);
}

static bool
address_is_host(const struct host_port *parts)
{
	static const struct span absent = {NULL, 0};

	return address_is_cidr(parts->host, absent, parts->bracketed) ||
	       (!parts->bracketed && address_is_name(parts->host));
}

bool
realm_address_is_allow_entry(struct span text)
{
	struct host_port parts;
	size_t slash;

	if (!address_split_port(text, &parts))
		return false;
	slash = address_find(parts.host, '/');
	if (slash < parts.host.len)
		return address_is_cidr(span_of(parts.host.data, slash),
		    address_from(parts.host, slash + 1), parts.bracketed);
	if (parts.host.len > 2 && memcmp(parts.host.data, "*.", 2) == 0)
		return !parts.bracketed &&
		       address_is_name(address_from(parts.host, 2));
	return address_is_host(&parts);
}

static bool
address_has_prefix(struct span text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static bool
address_is_loopback(const struct host_port *parts)
{
	return span_is(parts->host, "localhost") ||
	       span_is(parts->host, "127.0.0.1") ||
	       (parts->bracketed && span_is(parts->host, "::1"));
}

/* What follows the authority: visible ASCII, without characters that RFC 3986
 * does not know. */
static bool
address_is_path(struct span text, bool query)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c <= 0x20 || c > 0x7e || strchr("\"<>\\^`{|}#", c) != NULL)
			return false;
		if (c == '?' && !query)
			return false;
	}
	return true;
}

static bool
address_is_url(struct span text, bool loopback_http, bool query)
{
	struct host_port parts;
	bool https = address_has_prefix(text, "https://");
	struct span rest;
	size_t end = 0;

	if (text.len > URL_BYTES)
		return false;
	if (!https && !address_has_prefix(text, "http://"))
		return false;
	rest = address_from(text, https ? 8 : 7);
	while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
		end++;
	if (!address_split_port(span_of(rest.data, end), &parts) ||
	    !address_is_host(&parts))
		return false;
	if (!https && !(loopback_http && address_is_loopback(&parts)))
		return false;
	return address_is_path(address_from(rest, end), query);
}

bool
realm_address_is_issuer(struct span text)
{
	return address_is_url(text, true, false);
}

bool
realm_address_is_https_url(struct span text)
{
	return address_is_url(text, false, true);
}
