/*
 * What a script's HTTP may reach: entries as the realm's http.allow has them,
 * one a line: a name, *.name, an address or a CIDR block, each with :port if
 * wanted. Read in place; nothing is kept.
 *
 * Two questions, both to be answered with yes: may this host be asked for at
 * all, and may this address be connected to. Ports are 80 and 443 unless an
 * entry has one. Threads: any.
 */
#ifndef POSTERN_ALLOW_LIST_H
#define POSTERN_ALLOW_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/span.h"
#include "engine/front/address_judge.h"

/* `host` as in the URL: a name, or an address without brackets. An address
 * needs an entry as an address: a name entry does not cover it. */
bool allow_list_has_host(struct span lines, const char *host, uint16_t port);

/* The address itself, or a block around it, is listed for its port. */
bool allow_list_has_address(struct span lines, const struct address *address);

#endif
