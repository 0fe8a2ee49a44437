/*
 * Whether an address belongs to the public Internet: the IANA special-purpose
 * registries and what clouds hide behind public-looking addresses.
 * Threads: any.
 */
#ifndef POSTERN_ADDRESS_JUDGE_H
#define POSTERN_ADDRESS_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_V4_BYTES 4
#define ADDRESS_V6_BYTES 16

/* An address in the form that allow-lists and ranges are written in. */
struct address {
	uint8_t bytes[ADDRESS_V6_BYTES];
	unsigned len;  /* ADDRESS_V4_BYTES or ADDRESS_V6_BYTES */
	uint16_t port; /* 0: none was given */
};

/*
 * What a connection to `sockaddr` reaches: an IPv4 address written as
 * IPv6 (v4-mapped, NAT64) becomes IPv4, as that is where the packets go.
 * False: neither IPv4 nor IPv6.
 */
bool address_of_sockaddr(
    const struct sockaddr *sockaddr, socklen_t len, struct address *address_r);

/* "127.0.0.1", "::1", without port or brackets; the same translation. */
bool address_of_text(const char *text, struct address *address_r);

/* Not to be reached unless somebody listed it. */
bool address_is_special(const struct address *address);

/* Whether the first `bits` bits are those of `prefix`. */
bool address_in_block(
    const struct address *address, const uint8_t *prefix, unsigned bits);

#endif
