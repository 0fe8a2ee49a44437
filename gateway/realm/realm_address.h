/*
 * The spelling of URLs and of HTTP allow-list entries. Pure functions.
 * Threads: any.
 */
#ifndef POSTERN_REALM_ADDRESS_H
#define POSTERN_REALM_ADDRESS_H

#include <stdbool.h>

#include "common/span.h"

/* https, or http to a loopback host; no user, query or fragment. */
bool realm_address_is_issuer(struct span text);

/* https; no user or fragment. */
bool realm_address_is_https_url(struct span text);

/* NAME, *.NAME, ADDRESS or ADDRESS/BITS, each with :PORT if wanted; an IPv6
 * address with a port stands in brackets. */
bool realm_address_is_allow_entry(struct span text);

#endif
