/*
 * Reading and matching of the allow-list (see allow_list.h). The gateway has
 * checked the spelling, but an entry this cannot read simply matches nothing.
 * Any thread.
 */
#include "engine/front/allow_list.h"

#include <string.h>
#include <strings.h>

#define PORT_HTTP  80
#define PORT_HTTPS 443

/* The longest: a v6 block in brackets, or a name of 253 and its port. */
#define ENTRY_BYTES 272

struct entry {
	char host[ENTRY_BYTES]; /* without brackets, port and prefix */
	bool is_block;          /* `address` holds, and `bits` of it */
	struct address address; /* its port: 0 where the entry has none */
	unsigned bits;
	uint16_t port; /* 0: none */
};

/* Digits only, at most `max`. */
static bool
entry_number(const char *text, unsigned max, unsigned *number_r)
{
	unsigned number = 0;

	if (*text == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (unsigned)(*text - '0');
	}
	*number_r = number;
	return number <= max;
}

/* Cuts ":port" off the end, and the brackets. An IPv6 address without
 * brackets has no port. */
static bool
entry_split(struct entry *entry)
{
	char *text = entry->host;
	char *port = NULL;
	unsigned number = 0;

	if (text[0] == '[') {
		char *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		if (end[1] == ':')
			port = end + 2;
		*end = '\0';
		memmove(text, text + 1, (size_t)(end - text));
	} else {
		char *colon = strchr(text, ':');

		if (colon != NULL && strchr(colon + 1, ':') == NULL) {
			*colon = '\0';
			port = colon + 1;
		}
	}
	if (port != NULL &&
	    (!entry_number(port, UINT16_MAX, &number) || number == 0))
		return false;
	entry->port = (uint16_t)number;
	return text[0] != '\0';
}

static bool
entry_parse(struct span line, struct entry *entry_r)
{
	char *slash;

	*entry_r = (struct entry){.bits = 0};
	if (line.len == 0 || line.len >= sizeof entry_r->host)
		return false;
	memcpy(entry_r->host, line.data, line.len);
	if (memchr(line.data, '\0', line.len) != NULL || !entry_split(entry_r))
		return false;
	slash = strchr(entry_r->host, '/');
	if (slash != NULL)
		*slash = '\0';
	entry_r->is_block = address_of_text(entry_r->host, &entry_r->address);
	entry_r->bits = entry_r->address.len * 8;
	if (slash == NULL)
		return true;
	return entry_r->is_block &&
	       entry_number(slash + 1, entry_r->bits, &entry_r->bits);
}

static bool
entry_has_port(const struct entry *entry, uint16_t port)
{
	if (entry->port != 0)
		return entry->port == port;
	return port == PORT_HTTP || port == PORT_HTTPS;
}

/* *.example.com is every name below it, and not the name itself. */
static bool
entry_has_name(const struct entry *entry, const char *name)
{
	size_t len = strlen(name);
	size_t suffix;

	if (entry->host[0] != '*')
		return strcasecmp(entry->host, name) == 0;
	suffix = strlen(entry->host + 1);
	return entry->host[1] == '.' && suffix > 1 && len > suffix &&
	       strcasecmp(name + len - suffix, entry->host + 1) == 0;
}

static bool
entry_has_address(const struct entry *entry, const struct address *address)
{
	return entry->is_block && entry->address.len == address->len &&
	       address_in_block(address, entry->address.bytes, entry->bits);
}

/* Takes the next line off; false at the end. */
static bool
next_line(struct span *lines, struct span *line_r)
{
	const uint8_t *end;

	if (lines->len == 0)
		return false;
	end = memchr(lines->data, '\n', lines->len);
	*line_r = *lines;
	if (end == NULL) {
		lines->len = 0;
		return true;
	}
	line_r->len = (size_t)(end - lines->data);
	lines->data = end + 1;
	lines->len -= line_r->len + 1;
	return true;
}

bool
allow_list_has_address(struct span lines, const struct address *address)
{
	struct entry entry;
	struct span line;

	while (next_line(&lines, &line)) {
		if (entry_parse(line, &entry) &&
		    entry_has_port(&entry, address->port) &&
		    entry_has_address(&entry, address))
			return true;
	}
	return false;
}

bool
allow_list_has_host(struct span lines, const char *host, uint16_t port)
{
	struct address address;
	struct entry entry;
	struct span line;

	if (address_of_text(host, &address)) {
		address.port = port;
		return allow_list_has_address(lines, &address);
	}
	while (next_line(&lines, &line)) {
		if (entry_parse(line, &entry) && !entry.is_block &&
		    entry_has_port(&entry, port) &&
		    entry_has_name(&entry, host))
			return true;
	}
	return false;
}
